"""Evaluation of the alert rules: measure, store the new state, notify.

The server calls :func:`evaluate_and_notify` every minute, and ``catsdogs alerts check`` calls it for cron. Several
evaluators may run at the same time: they share the state in the database, and an advisory lock makes one wait for
the other. Readers use :func:`catsdogs.alerting.listing.list_alerts`, which writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from catsdogs.alerting.alert import INFERENCE_TIME_BASELINE
from catsdogs.alerting.lifecycle import AlertRecord, advance, close
from catsdogs.alerting.lock import lock_alerts
from catsdogs.alerting.measures import Measurements
from catsdogs.alerting.notifications import notify_targets
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.database import Database
from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import Tables
from catsdogs.monitoring.model_health import CardOf, cards
from catsdogs.settings import Settings

CLOSE_AFTER = timedelta(days=1)
"""Age of the latest evaluation at which an open alert is closed: its rule was removed from the rules."""
REWRITE_AFTER = timedelta(minutes=1)
"""Age at which a record without a visible change is written again. Earlier writes would only change the dashboard's
change token (ETag) and make it read its figures again."""


def evaluate_and_notify(database: Database, settings: Settings, *, notify: bool = True, wait: bool = True) -> int:
    """Evaluate the rules of the settings, store the new state, and send what is new to the settings' targets.

    Parameters
    ----------
    notify
        Whether messages are sent.
    wait
        Whether to wait until the targets have answered (at most
        :data:`~catsdogs.alerting.targets.SEND_TIMEOUT_SECONDS`); if not, a daemon thread sends the messages.

    Returns
    -------
    int
        Number of rules that there were enough predictions or ratings for.

    Raises
    ------
    SettingsError
        The rules are wrong.
    DatabaseError
    """
    rules = load_rules(settings.alert_rules)
    measured = evaluate(database, rules)
    if not notify or settings.alert_targets is None:
        return measured
    if wait:
        notify_targets(database, rules, settings)
    else:
        threading.Thread(target=notify_targets, args=(database, rules, settings), daemon=True).start()
    return measured


def evaluate(database: Database, rules: Iterable[Rule], now: datetime | None = None) -> int:
    """Measure every rule and store its new state.

    Parameters
    ----------
    database
        With tables.
    now
        Time of the evaluation; by default the current time.

    Returns
    -------
    int
        Number of rules that there were enough predictions or ratings for.

    Raises
    ------
    DatabaseError
    """
    moment, listed, card_of = now or datetime.now(UTC), list(rules), cards(database.settings)
    period = database.settings.drift_period
    return database.run(lambda connection: evaluate_with(connection, database.tables, listed, card_of, moment, period))


def evaluate_with(
    connection: sa.Connection,
    tables: Tables,
    rules: Sequence[Rule],
    card_of: CardOf,
    now: datetime,
    reference_period: Span | None = None,
) -> int:
    """Evaluate the rules within a transaction; the parameters are those of :class:`Measurements`."""
    lock_alerts(connection)
    by_name = {rule.name: rule for rule in rules}
    alerts = tables.alerts
    ended = _last_episodes(connection, tables, now - max([INFERENCE_TIME_BASELINE, *(rule.slow for rule in rules)]))
    ends = {name: episode.resolved_at for name, episode in ended.items() if episode.resolved_at}
    measurements = Measurements(connection, tables.predictions, card_of, rules, now, ends, reference_period)
    rows = connection.execute(sa.select(alerts).where(alerts.c.resolved_at.is_(None)))
    open_records = {row.rule: AlertRecord(**row._mapping) for row in rows}
    for name in open_records.keys() - by_name.keys():  # another evaluator may use other rules
        if now - open_records[name].seen_at >= CLOSE_AFTER:
            _store(connection, tables, open_records[name], close(open_records[name]))
    measured = 0
    for rule in rules:
        before = open_records.get(rule.name)
        if before is not None and before.measure not in (None, rule.measure):  # another rule of the same name
            _store(connection, tables, before, close(before))
            before = None
        episode = before or ended.get(rule.name)  # the days since an episode that is just over hold its bad values
        baseline = episode.baseline if episode and episode.baseline is not None else measurements.baseline(rule)
        windows = measurements.measure(rule, baseline, before.since if before else None)
        measured += any(found is not None and found.n >= rule.at_least for found in windows)
        _store(connection, tables, before, advance(before, rule, windows, now, baseline))
    return measured


def _last_episodes(connection: sa.Connection, tables: Tables, since: datetime) -> dict[str, AlertRecord]:
    """Return the last episode of each rule, by the rule's name, where it ended after `since`."""
    ended_at = tables.alerts.c.resolved_at
    rows = connection.execute(sa.select(tables.alerts).where(ended_at > since).order_by(ended_at))
    return {row.rule: AlertRecord(**row._mapping) for row in rows}  # the last one of a rule stays


def _store(connection: sa.Connection, tables: Tables, before: AlertRecord | None, after: AlertRecord | None) -> None:
    alerts = tables.alerts
    if after is None:
        if before is not None:
            connection.execute(sa.delete(alerts).where(alerts.c.id == before.id))
        return
    if before is not None and _looks_equal(before, after) and after.seen_at - before.seen_at < REWRITE_AFTER:
        return
    values = {column.name: getattr(after, column.name) for column in alerts.columns}
    if before is None:
        connection.execute(sa.insert(alerts).values(values))
    else:
        connection.execute(sa.update(alerts).where(alerts.c.id == after.id).values(values))
    if before is None or (before.value, before.n, before.limit_value) != (after.value, after.n, after.limit_value):
        measured = {"alert_id": after.id, "measured_at": after.seen_at, "value": after.value, "n": after.n}
        measured["limit_value"] = after.limit_value
        connection.execute(insert(tables.alert_values).values(measured).on_conflict_do_nothing())


def _looks_equal(before: AlertRecord, after: AlertRecord) -> bool:
    """Return whether a reader of both records would see no difference."""
    without_time_and_value = replace(after, seen_at=before.seen_at, value=before.value)
    return without_time_and_value == before and round(after.value, 3) == round(before.value, 3)
