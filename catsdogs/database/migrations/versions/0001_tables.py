"""Create the tables of predictions, consents and photos; convert the table of V2 if there is one."""

import sqlalchemy as sa
from alembic import op

from catsdogs.database.migrations import v2

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables of predictions, consents and photos, with V2's rows in them (see :mod:`..v2`)."""
    name = op.get_context().opts["table"]
    found_v2 = v2.rename_v2_table(op.get_bind(), name)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("filename_and_comment", sa.Boolean, nullable=False),
        sa.Column("photo", sa.Boolean, nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("text_hash", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("receipt_hash", sa.Text, nullable=False),
        sa.Column("withdrawn_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="consents_pkey"),
        sa.UniqueConstraint("receipt_hash", name="consents_receipt_hash_key"),
        sa.UniqueConstraint("id", "filename_and_comment", name="consents_id_filename_and_comment_key"),
        sa.UniqueConstraint("id", "photo", name="consents_id_photo_key"),
        sa.CheckConstraint("filename_and_comment OR photo OR withdrawn_at IS NOT NULL", "agrees_to_something"),
        sa.CheckConstraint("text_hash ~ '^[0-9a-f]{64}$'", "text_hash_sha256"),
        sa.CheckConstraint("receipt_hash ~ '^[0-9a-f]{64}$'", "receipt_hash_sha256"),
        sa.CheckConstraint("language ~ '^[a-z]{2}$'", "language_code"),
    )
    op.create_index("consents_decided_at", "consents", ["decided_at"])

    op.create_table(
        name,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("timestamp", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("inference_time_ms", sa.Double),
        sa.Column("success", sa.Boolean, nullable=False),
        sa.Column("prediction_result", sa.Text, nullable=False),
        sa.Column("proba_cat", sa.Double),
        sa.Column("proba_dog", sa.Double),
        sa.Column("neither_score", sa.Double),
        sa.Column("rgpd_consent", sa.Boolean, nullable=False),
        sa.Column("filename", sa.Text),
        sa.Column("user_feedback", sa.SmallInteger),
        sa.Column("user_comment", sa.Text),
        sa.Column("true_label", sa.Text),
        sa.Column("feedback_at", _MOMENT),
        sa.Column("model_version", sa.Text),
        sa.Column("error_type", sa.Text),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("brightness", sa.Double),
        sa.Column("sharpness", sa.Double),
        sa.Column("consent_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name=f"{name}_pkey"),
        sa.UniqueConstraint("id", "consent_id", name=f"{name}_with_consent"),
        sa.ForeignKeyConstraint(
            ["consent_id", "rgpd_consent"],
            ["consents.id", "consents.filename_and_comment"],
            "consent",
            onupdate="CASCADE",
        ),
        *(sa.CheckConstraint(rule, constraint) for constraint, rule in _PREDICTION_RULES.items()),
    )
    op.create_index(f"{name}_timestamp", name, ["timestamp"])
    op.create_index(f"{name}_version", name, ["model_version", "timestamp"])
    op.create_index(f"{name}_feedback", name, ["timestamp"], postgresql_where="user_feedback IS NOT NULL")
    op.create_index(f"{name}_consent", name, ["consent_id"], postgresql_where="consent_id IS NOT NULL")

    op.create_table(
        "photos",
        sa.Column("prediction_id", sa.Uuid, nullable=False),
        sa.Column("consent_id", sa.Uuid, nullable=False),
        sa.Column("photo_consent", sa.Boolean, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("created_at", _MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("prediction_id", name="photos_pkey"),
        sa.ForeignKeyConstraint(["consent_id", "photo_consent"], ["consents.id", "consents.photo"], "consent"),
        sa.ForeignKeyConstraint(
            ["prediction_id", "consent_id"], [f"{name}.id", f"{name}.consent_id"], "prediction", ondelete="CASCADE"
        ),
        sa.CheckConstraint("photo_consent", "photo_needs_consent"),
        sa.CheckConstraint("width BETWEEN 1 AND 512 AND height BETWEEN 1 AND 512", "small"),
    )
    op.create_index("photos_consent_id", "photos", ["consent_id"])
    if found_v2:
        v2.copy_rows(op.get_bind(), name)


def downgrade() -> None:
    """Drop the tables with their content, and restore V2's table."""
    name = op.get_context().opts["table"]
    v2.restore_personal_data(op.get_bind(), name)
    op.drop_table("photos")
    op.drop_table(name)
    op.drop_table("consents")
    v2.restore_v2_table(op.get_bind(), name)


_PREDICTION_RULES = {
    "result": "prediction_result IN ('cat', 'dog', 'neither', 'error')",
    "success_has_answer": "success = (prediction_result <> 'error')",
    "success_has_figures": "NOT success OR (proba_cat IS NOT NULL AND proba_dog IS NOT NULL"
    " AND inference_time_ms IS NOT NULL AND error_type IS NULL)",
    "failure_has_cause": "success OR (proba_cat IS NULL AND proba_dog IS NULL AND error_type IS NOT NULL)",
    "proba_cat": "proba_cat BETWEEN 0 AND 1",
    "proba_dog": "proba_dog BETWEEN 0 AND 1",
    "proba_sum": "abs(proba_cat + proba_dog - 1) <= 0.001",
    "neither_score": "neither_score BETWEEN 0 AND 1",
    "inference_time": "inference_time_ms >= 0 AND inference_time_ms < 'Infinity'",
    "feedback": "user_feedback IN (0, 1)",
    "true_label": "true_label IN ('cat', 'dog', 'both', 'neither')",
    "feedback_has_time": "feedback_at IS NOT NULL"
    " OR (user_feedback IS NULL AND user_comment IS NULL AND true_label IS NULL)",
    "comment_length": "char_length(user_comment) BETWEEN 1 AND 1000",
    "filename_length": "char_length(filename) BETWEEN 1 AND 255",
    "filename_needs_consent": "filename IS NULL OR (rgpd_consent AND consent_id IS NOT NULL)",
    "comment_needs_consent": "user_comment IS NULL OR (rgpd_consent AND consent_id IS NOT NULL)",
    "error_type": "error_type ~ '^[A-Za-z]{1,64}$'",
    "image": "width > 0 AND height > 0 AND brightness BETWEEN 0 AND 1 AND sharpness >= 0",
}
