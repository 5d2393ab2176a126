"""Notification of people about alerts (:mod:`catsdogs.alerting.targets` says how a message gets there).

Each target gets one message when an alert fires and one when it is resolved, however many evaluators run. A message
that could not be delivered is tried again, with growing intervals, for a day.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import LIST_RESOLVED_FOR, read_alerts
from catsdogs.alerting.lock import lock_alerts
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.targets import SEND_TIMEOUT_SECONDS, Delivery, Message, Target, deliver, parse_targets
from catsdogs.alerting.texts import message
from catsdogs.database import Database
from catsdogs.database.tables import Tables
from catsdogs.datetimes import parse_timestamp
from catsdogs.errors import DatabaseError
from catsdogs.i18n import Translator
from catsdogs.settings import Settings

ATTEMPT_TIMES = [timedelta(minutes=after) for after in (0, 1, 6, *range(36, 24 * 60, 60))]
"""Times after the event at which a message is sent, and sent again if it was not delivered."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlertMessage:
    """A message to one target about one alert."""

    target: Target
    alert_id: UUID
    event: str
    """``firing`` or ``resolved``."""
    attempts: int
    """Number of :data:`ATTEMPT_TIMES` that have passed, including this one."""
    text: Message


def notify_targets(database: Database, rules: Sequence[Rule], settings: Settings) -> int:
    """Send the due messages to the targets of the settings, see :func:`send_due_messages`."""
    targets = parse_targets(settings.alert_targets)
    return send_due_messages(database, rules, targets, settings.lang, site=settings.site) if targets else 0


def send_due_messages(
    database: Database,
    rules: Sequence[Rule],
    targets: Sequence[Target],
    language: str,
    timeout: float = SEND_TIMEOUT_SECONDS,
    now: datetime | None = None,
    site: str = "",
) -> int:
    """Send the messages that are due. Failures of a target are logged, not raised.

    Parameters
    ----------
    language
        Language of the messages.
    timeout
        Seconds that this takes at most.
    now
        By default the current time.
    site
        See :func:`catsdogs.alerting.texts.message`.

    Returns
    -------
    int
        Number of delivered messages.

    Raises
    ------
    DatabaseError
    """
    moment, _ = now or datetime.now(UTC), Translator(language)

    def write(alert: Alert) -> Message:
        return Message(*message(alert, _, site=site))

    def claim_due_messages(connection: sa.Connection) -> list[AlertMessage]:
        lock_alerts(connection)
        due = list(_due_messages(connection, database.tables, rules, targets, write, moment))
        _claim(connection, database.tables, due, moment)
        return due

    due = database.run(claim_due_messages)
    outcomes = deliver([(one.target, one.text) for one in due], timeout)
    failed = [one for one, outcome in zip(due, outcomes, strict=True) if outcome is not Delivery.DELIVERED]
    for one in failed:
        _log.error("target %d of CATSDOGS_ALERT_TARGETS was not reached: %s", one.target.position, one.text.title)
        _mark_as_not_sent(database, one)
    return len(due) - len(failed)


def _claim(connection: sa.Connection, tables: Tables, due: Sequence[AlertMessage], now: datetime) -> None:
    """Mark messages as sent before they are sent, so that no other process sends them, too."""
    messages = tables.alert_messages
    for due_message in due:
        claim = insert(messages).values(
            alert_id=due_message.alert_id,
            event=due_message.event,
            target=due_message.target.key,
            tries=due_message.attempts,
            sent_at=now,
        )
        changed = {"tries": claim.excluded.tries, "sent_at": claim.excluded.sent_at}
        connection.execute(claim.on_conflict_do_update(index_elements=list(messages.primary_key), set_=changed))


def _due_messages(
    connection: sa.Connection,
    tables: Tables,
    rules: Sequence[Rule],
    targets: Sequence[Target],
    write: Callable[[Alert], Message],
    now: datetime,
) -> Iterator[AlertMessage]:
    alerts, messages = tables.alerts, tables.alert_messages
    recent = alerts.c.resolved_at.is_(None) | (alerts.c.resolved_at > now - LIST_RESOLVED_FOR)
    found = read_alerts(connection, tables, rules, alerts.c.fired_at.is_not(None) & recent, now)
    rows = connection.execute(sa.select(messages).where(messages.c.alert_id.in_(list(found))))
    earlier = {(row.alert_id, row.event, row.target): row for row in rows}
    for alert_id, alert in found.items():
        event = "resolved" if alert["resolved_at"] else "firing"
        happened_at = alert["resolved_at"] or alert["fired_at"]
        attempts = max(1, bisect_right(ATTEMPT_TIMES, now - (parse_timestamp(happened_at) if happened_at else now)))
        for target in targets:
            before = earlier.get((alert_id, event, target.key))
            if before is not None and (before.sent_at is not None or before.tries >= attempts):
                continue
            firing = earlier.get((alert_id, "firing", target.key))
            if event == "resolved" and (firing is None or firing.sent_at is None):
                continue  # the target does not know of this alert
            yield AlertMessage(target, alert_id, event, attempts, write(alert))


def _mark_as_not_sent(database: Database, failed: AlertMessage) -> None:
    messages = database.tables.alert_messages
    row = (
        (messages.c.alert_id == failed.alert_id)
        & (messages.c.event == failed.event)
        & (messages.c.target == failed.target.key)
    )
    try:
        database.run(lambda connection: connection.execute(sa.update(messages).where(row).values(sent_at=None)))
    except DatabaseError as error:
        _log.warning("the database still marks a message as sent that was not delivered: %s", error)
