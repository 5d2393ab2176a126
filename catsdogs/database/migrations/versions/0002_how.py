"""Add the channel of a consent: the app, the REST API, or a command on the machine itself."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; the channel of earlier consents is unknown."""
    op.add_column("consents", sa.Column("how", sa.Text, nullable=False, server_default="unknown"))
    op.alter_column("consents", "how", server_default=None)
    op.create_check_constraint("how_known", "consents", "how IN ('app', 'rest', 'cli', 'unknown')")


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("consents", "how")
