"""Tell people of alerts, through Apprise (mail, Discord, Slack, ntfy and many more).

Each target hears of each alert once when it fires and once when it is resolved, whoever checks. What fails is tried
again ever more rarely, for a day; nobody waits for a target that does not answer.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert

from catsdogs.alerting.lifecycle import LOCK, SHOWN, Episode, to_alert
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.texts import message
from catsdogs.database import Database
from catsdogs.database.tables import Tables
from catsdogs.errors import DatabaseError, SettingsError
from catsdogs.i18n import Translator
from catsdogs.settings import Settings

TRIES = [timedelta(minutes=after) for after in (0, 1, 6, *range(36, 24 * 60, 60))]
"""After what happened: when a target that was not reached is tried. One that was away hears of what still fires."""
PATIENCE_SECONDS = 20.0
"""For all targets together; a target that has not answered by then counts as failed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """An address of Apprise, which often holds a secret: neither log nor database may have it."""

    url: str
    place: int
    """In the setting, from 1 on: how the log calls it."""

    @property
    def key(self) -> str:
        """How the database calls it: too short to find the address from it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Message:
    """What one target is to be told of one alert."""

    target: Target
    alert_id: UUID
    event: str
    tries: int
    """How many of `TRIES` are past with this one."""
    title: str
    body: str


def targets(setting: str) -> list[Target]:
    """Read the setting: addresses with white space between them."""
    return [Target(url, place) for place, url in enumerate(dict.fromkeys(setting.split()), 1)]


def check_targets(setting: SecretStr | None) -> None:
    """See that Apprise knows every address, rather than at night when something fires.

    Raises
    ------
    SettingsError
        Naming the place of the target, never the address.
    """
    for target in targets(setting.get_secret_value()) if setting else []:
        _way(target)


def _way(target: Target) -> Any:
    import apprise  # half a second and 40 MB, which only those pay who set a target

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it names addresses, and with them secrets
    way = apprise.Apprise()
    if not way.add(target.url):
        raise SettingsError(
            "Target {place} of CATSDOGS_ALERT_TARGETS is no address that Apprise knows.", place=target.place
        )
    return way


def notify_all(database: Database, rules: Sequence[Rule], settings: Settings) -> int:
    """Send what has not been sent yet to the targets of the settings, see :func:`notify`."""
    if settings.alert_targets is None:
        return 0
    return notify(database, rules, targets(settings.alert_targets.get_secret_value()), settings.lang)


def notify(
    database: Database,
    rules: Sequence[Rule],
    to: Sequence[Target],
    language: str,
    patience: float = PATIENCE_SECONDS,
    now: datetime | None = None,
) -> int:
    """Send what has not been sent yet; takes `patience` seconds at most, and raises nothing of a target's.

    `now` is by default the clock's.

    Returns
    -------
    int
        Messages sent.

    Raises
    ------
    DatabaseError
    """
    moment, _ = now or datetime.now(UTC), Translator(language)
    due = database.run(lambda connection: _claim(connection, database.tables, rules, to, _, moment))
    sent: list[Message] = []
    threads = [
        threading.Thread(target=_send_all, args=(target, [one for one in due if one.target == target], sent))
        for target in to
    ]
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.daemon = True  # whoever asked may end before it
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    arrived = list(sent)
    for lost in (one for one in due if one not in arrived):
        _log.error("target %d of CATSDOGS_ALERT_TARGETS was not reached: %s", lost.target.place, lost.title)
        _give_back(database, lost)
    return len(arrived)


def _claim(
    connection: sa.Connection,
    tables: Tables,
    rules: Sequence[Rule],
    to: Sequence[Target],
    _: Translator,
    now: datetime,
) -> list[Message]:
    """Choose what is due, and note it as sent at once: whoever checks beside us leaves it alone."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    alerts, messages = tables.alerts, tables.alert_messages
    known = {rule.name: rule for rule in rules}
    recent = alerts.c.resolved_at.is_(None) | (alerts.c.resolved_at > now - SHOWN)
    rows = connection.execute(sa.select(alerts).where(alerts.c.fired_at.is_not(None), recent)).all()
    episodes = [Episode(**row._mapping) for row in rows if row.rule in known]
    told = {
        (row.alert_id, row.event, row.target): row
        for row in connection.execute(sa.select(messages).where(messages.c.alert_id.in_([one.id for one in episodes])))
    }
    due = []
    for episode in episodes:
        event = "resolved" if episode.resolved_at else "firing"
        happened = episode.resolved_at or episode.fired_at or now
        tries = max(1, bisect_right(TRIES, now - happened))
        title, body = message(to_alert(episode, known[episode.rule]), _)
        for target in to:
            before = told.get((episode.id, event, target.key))
            if before is not None and (before.sent_at is not None or before.tries >= tries):
                continue
            heard = told.get((episode.id, "firing", target.key))
            if event == "resolved" and (heard is None or heard.sent_at is None):
                continue  # what was never said need not be taken back
            due.append(Message(target, episode.id, event, tries, title, body))
    for one in due:
        row = {
            "alert_id": one.alert_id,
            "event": one.event,
            "target": one.target.key,
            "tries": one.tries,
            "sent_at": now,
        }
        claim = insert(messages).values(row)
        again = {"tries": one.tries, "sent_at": now}
        connection.execute(claim.on_conflict_do_update(index_elements=list(messages.primary_key), set_=again))
    return due


def _give_back(database: Database, lost: Message) -> None:
    messages = database.tables.alert_messages
    mine = (
        (messages.c.alert_id == lost.alert_id)
        & (messages.c.event == lost.event)
        & (messages.c.target == lost.target.key)
    )
    try:
        database.run(lambda connection: connection.execute(sa.update(messages).where(mine).values(sent_at=None)))
    except DatabaseError as error:
        _log.warning("that a message was lost could not be noted: %s", error)


def _send_all(target: Target, messages: list[Message], sent: list[Message]) -> None:
    if not messages:
        return
    try:
        way = _way(target)
    except SettingsError as error:
        _log.error("%s", error)
        return
    for one in messages:
        try:
            reached = way.notify(title=one.title, body=one.body)
        except Exception as error:  # noqa: BLE001 (a target's plug-in may raise anything; its text may hold the address)
            _log.error("target %d of CATSDOGS_ALERT_TARGETS failed: %s", target.place, type(error).__name__)
            continue
        if reached:
            sent.append(one)
