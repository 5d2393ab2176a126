"""The stored alerts, for readers: dashboard, report, REST API and command line. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.alerting.lifecycle import AlertRecord, to_alert
from catsdogs.alerting.rules import Rule
from catsdogs.database import Database
from catsdogs.datetimes import parse_timestamp

LIST_RESOLVED_FOR = timedelta(days=1)
"""Time for which a resolved alert is listed."""

_ORDER = [AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED]


def list_alerts(
    database: Database, rules: Iterable[Rule], *, since: datetime | None = None, now: datetime | None = None
) -> list[Alert]:
    """Read the alerts of `rules` as the latest evaluation stored them, in a read-only transaction.

    Parameters
    ----------
    since
        Alerts that were resolved after this time are listed, too; by default those of the last
        :data:`LIST_RESOLVED_FOR`.
    now
        By default the current time.

    Returns
    -------
    list of Alert
        Firing, pending, resolved; in each state the latest first.

    Raises
    ------
    DatabaseError
    """
    by_name = {rule.name: rule for rule in rules}
    since = since or (now or datetime.now(UTC)) - LIST_RESOLVED_FOR
    table = database.tables.alerts
    listed = table.c.rule.in_(list(by_name)) & (table.c.resolved_at.is_(None) | (table.c.resolved_at > since))

    def work(connection: sa.Connection) -> list[Alert]:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        rows = connection.execute(sa.select(table).where(listed).order_by(table.c.since.desc()))
        return _in_order(to_alert(AlertRecord(**row._mapping), by_name[row.rule]) for row in rows)

    return database.run(work)


def alerts_as_of(alerts: Iterable[Alert], moment: datetime) -> list[Alert]:
    """Return the alerts that had started by `moment`, in the state that they had then."""
    return _in_order(
        alert | {"state": _state_at(alert, moment)} for alert in alerts if _is_past(alert["since"], moment)
    )


def _state_at(alert: Alert, moment: datetime) -> AlertState:
    if _is_past(alert["resolved_at"], moment):
        return AlertState.RESOLVED
    return AlertState.FIRING if _is_past(alert["fired_at"], moment) else AlertState.PENDING


def _is_past(time: str | None, moment: datetime) -> bool:
    return time is not None and parse_timestamp(time) <= moment


def _in_order(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: _ORDER.index(alert["state"]))
