"""Notification of people about alerts through Apprise (mail, Discord, Slack, ntfy and many more).

Each target gets one message when an alert fires and one when it is resolved, however many evaluators run. A message
that could not be delivered is tried again, with growing intervals, for a day.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert

from catsdogs.alerting.lifecycle import AlertRecord, to_alert
from catsdogs.alerting.listing import LIST_RESOLVED_FOR
from catsdogs.alerting.lock import lock_alerts
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.texts import message
from catsdogs.database import Database
from catsdogs.database.tables import Tables
from catsdogs.errors import DatabaseError, SettingsError
from catsdogs.i18n import Translator
from catsdogs.settings import Settings

ATTEMPT_TIMES = [timedelta(minutes=after) for after in (0, 1, 6, *range(36, 24 * 60, 60))]
"""Times after the event at which a message is sent, and sent again if it was not delivered."""
SEND_TIMEOUT_SECONDS = 20.0
"""Longest time for all targets together; messages that are not delivered by then count as failed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """An Apprise address. It often contains a secret, so neither the log nor the database may contain it."""

    url: str
    position: int
    """Position in the setting, from 1; the log uses it as the name."""

    @property
    def key(self) -> str:
        """Name in the database: a part of a hash, too short to find the address from it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class AlertMessage:
    """A message to one target about one alert."""

    target: Target
    alert_id: UUID
    event: str
    """``firing`` or ``resolved``."""
    attempts: int
    """Number of :data:`ATTEMPT_TIMES` that have passed, including this one."""
    title: str
    body: str


def parse_targets(setting: str) -> list[Target]:
    """Split the setting into addresses, which are separated by white space."""
    return [Target(url, position) for position, url in enumerate(dict.fromkeys(setting.split()), 1)]


def check_targets(setting: SecretStr | None) -> None:
    """Check that Apprise supports every address, so that a mistake is found before an alert fires.

    Raises
    ------
    SettingsError
        An address is not supported; the message has its position, not the address.
    """
    for target in parse_targets(setting.get_secret_value()) if setting else []:
        _open_target(target)


def _open_target(target: Target) -> Any:
    import apprise  # takes half a second and 40 MB, so it is imported only if a target is set

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages contain addresses, and with them secrets
    opened = apprise.Apprise()
    if not opened.add(target.url):
        raise SettingsError(
            "Target {position} of CATSDOGS_ALERT_TARGETS is not an address that Apprise knows.",
            position=target.position,
        )
    return opened


def notify_targets(database: Database, rules: Sequence[Rule], settings: Settings) -> int:
    """Send the due messages to the targets of the settings, see :func:`send_due_messages`."""
    if settings.alert_targets is None:
        return 0
    return send_due_messages(database, rules, parse_targets(settings.alert_targets.get_secret_value()), settings.lang)


def send_due_messages(
    database: Database,
    rules: Sequence[Rule],
    targets: Sequence[Target],
    language: str,
    timeout: float = SEND_TIMEOUT_SECONDS,
    now: datetime | None = None,
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

    Returns
    -------
    int
        Number of delivered messages.

    Raises
    ------
    DatabaseError
    """
    moment, _ = now or datetime.now(UTC), Translator(language)

    def claim_due_messages(connection: sa.Connection) -> list[AlertMessage]:
        lock_alerts(connection)
        due = list(_due_messages(connection, database.tables, rules, targets, _, moment))
        _claim(connection, database.tables, due, moment)
        return due

    due = database.run(claim_due_messages)
    delivered = _deliver(due, targets, timeout)
    for failed in (due_message for due_message in due if due_message not in delivered):
        _log.error("target %d of CATSDOGS_ALERT_TARGETS was not reached: %s", failed.target.position, failed.title)
        _mark_as_not_sent(database, failed)
    return len(delivered)


def _deliver(due: Sequence[AlertMessage], targets: Sequence[Target], timeout: float) -> list[AlertMessage]:
    """Send the messages, each target in a thread, and return those that are delivered in time."""
    delivered: list[AlertMessage] = []
    threads = [
        threading.Thread(
            target=_send_to_target,
            args=(target, [due_message for due_message in due if due_message.target == target], delivered),
            daemon=True,  # a target that does not answer must not keep the process alive
        )
        for target in targets
    ]
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(delivered)  # a copy: threads may still be running


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
    _: Translator,
    now: datetime,
) -> Iterator[AlertMessage]:
    by_name = {rule.name: rule for rule in rules}
    records = _fired_records(connection, tables, by_name, now)
    messages = tables.alert_messages
    of_records = messages.c.alert_id.in_([record.id for record in records])
    earlier = {
        (row.alert_id, row.event, row.target): row for row in connection.execute(sa.select(messages).where(of_records))
    }
    for record in records:
        event = "resolved" if record.resolved_at else "firing"
        happened_at = record.resolved_at or record.fired_at or now
        attempts = max(1, bisect_right(ATTEMPT_TIMES, now - happened_at))
        title, body = message(to_alert(record, by_name[record.rule]), _)
        for target in targets:
            before = earlier.get((record.id, event, target.key))
            if before is not None and (before.sent_at is not None or before.tries >= attempts):
                continue
            firing = earlier.get((record.id, "firing", target.key))
            if event == "resolved" and (firing is None or firing.sent_at is None):
                continue  # the target does not know of this alert
            yield AlertMessage(target, record.id, event, attempts, title, body)


def _fired_records(
    connection: sa.Connection, tables: Tables, by_name: dict[str, Rule], now: datetime
) -> list[AlertRecord]:
    alerts = tables.alerts
    recent = alerts.c.resolved_at.is_(None) | (alerts.c.resolved_at > now - LIST_RESOLVED_FOR)
    query = sa.select(alerts).where(alerts.c.fired_at.is_not(None), alerts.c.rule.in_(list(by_name)), recent)
    return [AlertRecord(**row._mapping) for row in connection.execute(query)]


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


def _send_to_target(target: Target, messages: list[AlertMessage], delivered: list[AlertMessage]) -> None:
    """Send the messages to their target, and append each one that is delivered to `delivered`."""
    if not messages:
        return
    try:
        opened = _open_target(target)
    except SettingsError as error:
        _log.error("%s", error)
        return
    for due_message in messages:
        try:
            success = opened.notify(title=due_message.title, body=due_message.body)
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; the error's text may have the address)
            _log.error("target %d of CATSDOGS_ALERT_TARGETS failed: %s", target.position, type(error).__name__)
            continue
        if success:
            delivered.append(due_message)
