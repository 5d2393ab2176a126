"""The tables of the alerts: their state, their values, and the notifications that were sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    Uuid,
)


class AlertColumns(TypedColumns):
    """One alert of a rule: pending, then firing, then resolved."""

    id: Named[UUID] = Column(Uuid, primary_key=True)
    rule: Named[str] = Column(Text)
    since: Named[datetime] = Column(DateTime(timezone=True))
    fired_at: Named[datetime | None] = Column(DateTime(timezone=True))
    resolved_at: Named[datetime | None] = Column(DateTime(timezone=True))
    seen_at: Named[datetime] = Column(DateTime(timezone=True))
    value: Named[float] = Column(Double)
    n: Named[int] = Column(BigInteger)
    baseline: Named[float | None] = Column(Double)
    measure: Named[str | None] = Column(Text)
    severity: Named[str | None] = Column(Text)
    limit_value: Named[float | None] = Column(Double)


class AlertValueColumns(TypedColumns):
    """A measured value of an alert, stored when it had changed."""

    alert_id: Named[UUID] = Column(Uuid, primary_key=True)
    measured_at: Named[datetime] = Column(DateTime(timezone=True), primary_key=True)
    value: Named[float] = Column(Double)
    n: Named[int] = Column(BigInteger)
    limit_value: Named[float | None] = Column(Double)


class AlertMessageColumns(TypedColumns):
    """A notification of an alert to one target. Of its address, a secret, only eight digits of a hash are stored."""

    alert_id: Named[UUID] = Column(Uuid, primary_key=True)
    event: Named[str] = Column(Text, primary_key=True)
    target: Named[str] = Column(Text, primary_key=True)
    tries: Named[int] = Column(SmallInteger)
    """How many of the times to try are past, see :data:`catsdogs.alerting.notifications.ATTEMPT_TIMES`."""
    sent_at: Named[datetime | None] = Column(DateTime(timezone=True))


def alert_tables(
    metadata: MetaData,
) -> tuple[Table[AlertColumns], Table[AlertValueColumns], Table[AlertMessageColumns]]:
    """Describe the tables."""
    alerts = Table(
        "alerts",
        metadata,
        AlertColumns,
        CheckConstraint("fired_at IS NOT NULL OR resolved_at IS NULL", "fires_first"),
        Index("alerts_open", "rule", unique=True, postgresql_where="resolved_at IS NULL"),
        Index("alerts_fired_at", "fired_at"),
    )
    values = Table(
        "alert_values",
        metadata,
        AlertValueColumns,
        ForeignKeyConstraint(["alert_id"], ["alerts.id"], "alert", ondelete="CASCADE"),
    )
    messages = Table(
        "alert_messages",
        metadata,
        AlertMessageColumns,
        ForeignKeyConstraint(["alert_id"], ["alerts.id"], "alert", ondelete="CASCADE"),
        CheckConstraint("event IN ('firing', 'resolved')", "event_known"),
        CheckConstraint("target ~ '^[0-9a-f]{8}$'", "target_hash"),
    )
    return alerts, values, messages
