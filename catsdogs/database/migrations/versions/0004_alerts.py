"""Create the tables of alerts and of notifications sent to each target; add an index of labels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and the index."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("fired_at", MOMENT),
        sa.Column("clear_since", MOMENT),
        sa.Column("resolved_at", MOMENT),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.CheckConstraint("fired_at IS NOT NULL OR (clear_since IS NULL AND resolved_at IS NULL)", "fires_first"),
    )
    op.create_index("alerts_open", "alerts", ["rule"], unique=True, postgresql_where=sa.text("resolved_at IS NULL"))
    op.create_index("alerts_fired_at", "alerts", ["fired_at"])
    op.create_table(
        "alert_messages",
        sa.Column("alert_id", sa.Uuid, primary_key=True),
        sa.Column("event", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], "alert", ondelete="CASCADE"),
        sa.CheckConstraint("event IN ('firing', 'resolved')", "event_known"),
        sa.CheckConstraint("target ~ '^[0-9a-f]{8}$'", "target_hash"),
    )
    table = op.get_context().opts["table"]
    labelled = sa.text("true_label IS NOT NULL")
    op.create_index(f"{table}_label", table, ["timestamp"], postgresql_where=labelled)


def downgrade() -> None:
    """Drop the tables and the index."""
    op.drop_index(f"{op.get_context().opts['table']}_label")
    op.drop_table("alert_messages")
    op.drop_table("alerts")
