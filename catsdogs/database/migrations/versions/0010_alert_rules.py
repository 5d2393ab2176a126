"""Keep what the rule of an alert was, so that the past does not change with the file of rules.

Alerts that are stored already have none; theirs is that of the rules now. A downgrade drops the columns.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("alerts", sa.Column("measure", sa.Text))
    op.add_column("alerts", sa.Column("severity", sa.Text))
    op.add_column("alerts", sa.Column("limit_value", sa.Double))
    op.add_column("alert_values", sa.Column("limit_value", sa.Double))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("alert_values", "limit_value")
    op.drop_column("alerts", "limit_value")
    op.drop_column("alerts", "severity")
    op.drop_column("alerts", "measure")
