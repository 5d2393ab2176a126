"""Keep what an alert compares with, and each of its values; no longer since when a firing alert is not broken.

The last value of each stored alert becomes its first kept one. A downgrade drops the values and the baseline.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table of values, and change the columns of alerts."""
    op.create_table(
        "alert_values",
        sa.Column("alert_id", sa.Uuid, primary_key=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], "alert", ondelete="CASCADE"),
    )
    op.execute("INSERT INTO alert_values SELECT id, seen_at, value, n FROM alerts")
    op.add_column("alerts", sa.Column("baseline", sa.Double))
    op.drop_constraint("fires_first", "alerts")
    op.drop_column("alerts", "clear_since")
    op.create_check_constraint("fires_first", "alerts", "fired_at IS NOT NULL OR resolved_at IS NULL")


def downgrade() -> None:
    """Drop the table of values, and restore the columns as they were."""
    op.drop_constraint("fires_first", "alerts")
    op.drop_column("alerts", "baseline")
    op.add_column("alerts", sa.Column("clear_since", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "fires_first", "alerts", "fired_at IS NOT NULL OR (clear_since IS NULL AND resolved_at IS NULL)"
    )
    op.drop_table("alert_values")
