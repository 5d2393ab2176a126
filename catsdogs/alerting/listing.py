"""The stored alerts, for readers: dashboard, report, REST API and command line. Nothing is written here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from catsdogs.alerting.alert import Alert, AlertState, Measure, Severity
from catsdogs.alerting.lifecycle import AlertRecord
from catsdogs.alerting.rules import Rule
from catsdogs.database import Database
from catsdogs.database.tables import Tables
from catsdogs.datetimes import iso

LIST_RESOLVED_FOR = timedelta(days=1)
"""Time for which a resolved alert is listed, where no time window is asked for."""
MAX_ALERTS = 200
"""Largest number of alerts that are listed: of more, those that began last."""

_ORDER = [AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED]


def list_alerts(
    database: Database,
    rules: Iterable[Rule],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime | None = None,
) -> list[Alert]:
    """Read the alerts of `rules` as the latest evaluation before `until` stored them, in a read-only transaction.

    Parameters
    ----------
    since, until
        Alerts are listed that were open at some time between. Each is as it was at `until`: its state, its value, and
        its worst value so far. By default, the last :data:`LIST_RESOLVED_FOR` up to now.
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
    moment = now or datetime.now(UTC)
    until = min(until or moment, moment)
    since = since or until - LIST_RESOLVED_FOR

    def work(connection: sa.Connection) -> list[Alert]:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        alerts = database.tables.alerts
        overlapping = (alerts.c.since <= until) & (alerts.c.resolved_at.is_(None) | (alerts.c.resolved_at > since))
        found = read_alerts(connection, database.tables, list(rules), overlapping, until).values()
        return sorted(found, key=lambda alert: _ORDER.index(alert["state"]))

    return database.run(work)


def read_alerts(
    connection: sa.Connection,
    tables: Tables,
    rules: Collection[Rule],
    condition: sa.ColumnElement[bool],
    moment: datetime,
) -> dict[UUID, Alert]:
    """Read the alerts that fulfil a condition by their identifiers, as they were at a moment; the latest first.

    They are those of the rules, and what is over of rules that were changed or removed meanwhile.
    """
    alerts, values, by_name = tables.alerts, tables.alert_values, {rule.name: rule for rule in rules}
    earlier = sa.select(values).where(values.c.alert_id == alerts.c.id, values.c.measured_at <= moment)
    is_falling = alerts.c.measure.in_([measure for measure in Measure if measure.is_bad_below]) | (
        alerts.c.measure.is_(None) & alerts.c.rule.in_([rule.name for rule in rules if rule.below is not None])
    )
    badness = sa.case((is_falling, -values.c.value), else_=values.c.value)
    is_known = alerts.c.rule.in_(list(by_name)) | (alerts.c.measure.is_not(None) & alerts.c.resolved_at.is_not(None))
    last = earlier.order_by(values.c.measured_at.desc()).limit(1).lateral("last")
    worst = earlier.order_by(badness.desc(), values.c.measured_at).limit(1).lateral("worst")
    query = (
        sa.select(
            alerts,
            sa.func.coalesce(last.c.value, alerts.c.value).label("last_value"),
            sa.func.coalesce(last.c.n, alerts.c.n).label("last_n"),
            sa.func.coalesce(worst.c.value, alerts.c.value).label("worst"),
            sa.func.coalesce(worst.c.n, alerts.c.n).label("worst_n"),
            sa.func.coalesce(worst.c.measured_at, alerts.c.since).label("worst_at"),
            sa.func.coalesce(last.c.limit_value, alerts.c.limit_value).label("last_limit"),
            sa.func.coalesce(worst.c.limit_value, alerts.c.limit_value).label("worst_limit"),
        )
        .select_from(alerts.outerjoin(last, sa.true()).outerjoin(worst, sa.true()))
        .where(condition, is_known)
        .order_by(alerts.c.since.desc())
        .limit(MAX_ALERTS)
    )
    return {row.id: _to_alert(row, tables, by_name, moment) for row in connection.execute(query)}


def _to_alert(row: sa.Row[Any], tables: Tables, rules: Mapping[str, Rule], moment: datetime) -> Alert:
    """Convert a row to plain data, without what happened after `moment`.

    Parameters
    ----------
    rules
        The rules as they are now, by name: episodes of earlier versions did not keep theirs.
    """
    record = AlertRecord(**{column.name: getattr(row, column.name) for column in tables.alerts.columns})
    fired_at, resolved_at = (
        time if time and time <= moment else None for time in (record.fired_at, record.resolved_at)
    )
    then = replace(record, fired_at=fired_at, resolved_at=resolved_at)
    limit = row.worst_limit if then.state is AlertState.RESOLVED else row.last_limit
    return Alert(
        rule=record.rule,
        measure=Measure(record.measure or rules[record.rule].measure),
        severity=Severity(record.severity or rules[record.rule].severity),
        state=then.state,
        since=iso(record.since),
        fired_at=iso(fired_at) if fired_at else None,
        resolved_at=iso(resolved_at) if resolved_at else None,
        value=row.last_value,
        n=row.last_n,
        worst=row.worst,
        worst_n=row.worst_n,
        worst_at=iso(row.worst_at),
        limit=rules[record.rule].limit if limit is None else limit,
        baseline=record.baseline,
    )
