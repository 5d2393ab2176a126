"""Add the decision of a reviewer on a kept photo: its label for training, or that it is left out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; nothing is reviewed yet."""
    op.add_column("photos", sa.Column("review", sa.Text))
    op.add_column("photos", sa.Column("reviewed_at", sa.DateTime(timezone=True)))
    op.create_check_constraint("review", "photos", "review IN ('cat', 'dog', 'neither', 'left_out')")
    op.create_check_constraint("review_has_time", "photos", "(review IS NULL) = (reviewed_at IS NULL)")


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("photos", "reviewed_at")
    op.drop_column("photos", "review")
