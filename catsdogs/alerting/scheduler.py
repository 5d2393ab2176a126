"""Evaluation of the alert rules: measure, store the new state, notify.

The server calls :func:`evaluate_and_notify` every minute, and ``catsdogs alerts check`` calls it for cron. Several
evaluators may run at the same time: they share the state in the database, and an advisory lock makes one wait for
the other. Readers use :func:`catsdogs.alerting.listing.list_alerts`, which writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from catsdogs.alerting.lifecycle import AlertRecord, advance, close
from catsdogs.alerting.lock import lock_alerts
from catsdogs.alerting.measures import Measurements
from catsdogs.alerting.notifications import notify_targets
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.database import Database
from catsdogs.database.tables import AlertColumns
from catsdogs.monitoring.model_health import cards
from catsdogs.settings import Settings

CLOSE_AFTER = timedelta(days=1)
"""Age of the latest evaluation at which an open alert is closed: its rule was removed from the rules."""
REWRITE_AFTER = timedelta(minutes=1)
"""Age at which a record without a visible change is written again. Earlier writes would only change the dashboard's
change token (ETag) and make it read its figures again."""


def evaluate_and_notify(database: Database, settings: Settings, *, notify: bool = True, wait: bool = True) -> None:
    """Evaluate the rules of the settings, store the new state, and send what is new to the settings' targets.

    Parameters
    ----------
    notify
        Whether messages are sent.
    wait
        Whether to wait until the targets have answered (at most
        :data:`~catsdogs.alerting.notifications.SEND_TIMEOUT_SECONDS`); if not, a daemon thread sends the messages.

    Raises
    ------
    SettingsError
        The rules are wrong.
    DatabaseError
    """
    rules = load_rules(settings.alert_rules)
    evaluate(database, rules)
    if not notify or settings.alert_targets is None:
        return
    if wait:
        notify_targets(database, rules, settings)
    else:
        threading.Thread(target=notify_targets, args=(database, rules, settings), daemon=True).start()


def evaluate(database: Database, rules: Iterable[Rule], now: datetime | None = None) -> None:
    """Measure every rule and store its new state.

    Parameters
    ----------
    database
        With tables.
    now
        Time of the evaluation; by default the current time.

    Raises
    ------
    DatabaseError
    """
    now, by_name = now or datetime.now(UTC), {rule.name: rule for rule in rules}
    table, card_of = database.tables.alerts, cards(database.settings)

    def work(connection: sa.Connection) -> None:
        lock_alerts(connection)
        measurements = Measurements(
            connection, database.tables.predictions, card_of, now, database.settings.drift_period
        )
        rows = connection.execute(sa.select(table).where(table.c.resolved_at.is_(None)))
        open_records = {row.rule: AlertRecord(**row._mapping) for row in rows}
        for name in open_records.keys() - by_name.keys():  # another evaluator may use other rules
            if now - open_records[name].seen_at >= CLOSE_AFTER:
                _store(connection, table, open_records[name], close(open_records[name]))
        for rule in by_name.values():
            before = open_records.get(rule.name)
            _store(connection, table, before, advance(before, rule, measurements.measure(rule), now))

    database.run(work)


def _store(
    connection: sa.Connection, table: sa.Table[AlertColumns], before: AlertRecord | None, after: AlertRecord | None
) -> None:
    if after is None:
        if before is not None:
            connection.execute(sa.delete(table).where(table.c.id == before.id))
        return
    if before is not None and _looks_equal(before, after) and after.seen_at - before.seen_at < REWRITE_AFTER:
        return
    values = {column.name: getattr(after, column.name) for column in table.columns}
    if before is None:
        connection.execute(sa.insert(table).values(values))
    else:
        connection.execute(sa.update(table).where(table.c.id == after.id).values(values))


def _looks_equal(before: AlertRecord, after: AlertRecord) -> bool:
    """Return whether a reader of both records would see no difference."""
    without_time_and_value = replace(after, seen_at=before.seen_at, value=before.value)
    return without_time_and_value == before and round(after.value, 3) == round(before.value, 3)
