"""Allow several decisions about one photo under one receipt code: a person may change a consent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Replace the unique constraint of the receipt by an index; let a kept photo follow its prediction's decision."""
    op.drop_constraint("consents_receipt_hash_key", "consents")
    op.create_index("consents_receipt_hash", "consents", ["receipt_hash"])
    _replace_key_of_photos(onupdate="CASCADE")


def downgrade() -> None:
    """Keep one decision of each receipt, the one that the prediction refers to, and restore the constraint."""
    name = op.get_context().opts["table"]
    op.execute(
        sa.text(
            f"""WITH ranked AS (
                SELECT id, row_number() OVER (
                    PARTITION BY receipt_hash
                    ORDER BY EXISTS (SELECT FROM "{name}" WHERE consent_id = consents.id) DESC, id DESC
                ) AS place FROM consents
            ) DELETE FROM consents USING ranked WHERE ranked.id = consents.id AND place > 1"""  # noqa: S608 (no input)
        )
    )
    _replace_key_of_photos(onupdate=None)
    op.drop_index("consents_receipt_hash")
    op.create_unique_constraint("consents_receipt_hash_key", "consents", ["receipt_hash"])


def _replace_key_of_photos(onupdate: str | None) -> None:
    name = op.get_context().opts["table"]
    op.drop_constraint("prediction", "photos")
    columns = ["prediction_id", "consent_id"], ["id", "consent_id"]
    op.create_foreign_key("prediction", "photos", name, *columns, ondelete="CASCADE", onupdate=onupdate)
