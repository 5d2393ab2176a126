"""Tell people of alerts, through Apprise (mail, Discord, Slack, ntfy and many more).

Each target hears of each alert once when it fires and once when it is resolved, whoever checks. What fails is tried
again at the next checks, three times in all; nobody waits for a target that does not answer.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from catsdogs.database import Database
from catsdogs.database.tables import Tables
from catsdogs.errors import DatabaseError
from catsdogs.i18n import Translator
from catsdogs.monitoring.alert_words import message
from catsdogs.monitoring.alerts import LOCK, SHOWN, Episode, to_alert
from catsdogs.monitoring.rules import Rule
from catsdogs.settings import Settings

MOST_TRIES = 3
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
    title: str
    body: str


def targets(setting: str) -> list[Target]:
    """Read the setting: addresses with white space between them."""
    return [Target(url, place) for place, url in enumerate(dict.fromkeys(setting.split()), 1)]


def notify_all(database: Database, rules: Sequence[Rule], settings: Settings) -> int:
    """Send what has not been sent yet to the targets of the settings, see :func:`notify`."""
    if settings.alert_targets is None:
        return 0
    return notify(database, rules, targets(settings.alert_targets.get_secret_value()), settings.lang)


def notify(
    database: Database, rules: Sequence[Rule], to: Sequence[Target], language: str, patience: float = PATIENCE_SECONDS
) -> int:
    """Send what has not been sent yet; takes `patience` seconds at most, and raises nothing of a target's.

    Returns
    -------
    int
        Messages sent.

    Raises
    ------
    DatabaseError
    """
    due = database.run(lambda connection: _claim(connection, database.tables, rules, to, Translator(language)))
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
    connection: sa.Connection, tables: Tables, rules: Sequence[Rule], to: Sequence[Target], _: Translator
) -> list[Message]:
    """Choose what is due, and note it as sent at once: whoever checks beside us leaves it alone."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    now, alerts, messages = datetime.now(UTC), tables.alerts, tables.alert_messages
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
        title, body = message(to_alert(episode, known[episode.rule]), _, now.astimezone().tzinfo or UTC)
        for target in to:
            before = told.get((episode.id, event, target.key))
            if before is not None and (before.sent_at is not None or before.tries >= MOST_TRIES):
                continue
            heard = told.get((episode.id, "firing", target.key))
            if event == "resolved" and (heard is None or heard.sent_at is None):
                continue  # what was never said need not be taken back
            due.append(Message(target, episode.id, event, title, body))
    for one in due:
        row = {"alert_id": one.alert_id, "event": one.event, "target": one.target.key, "tries": 1, "sent_at": now}
        claim = insert(messages).values(row)
        again = {"tries": messages.c.tries + 1, "sent_at": now}
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
    import apprise  # half a second and 40 MB, which only those pay who set a target

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it names addresses, and with them secrets
    way = apprise.Apprise()
    if not way.add(target.url):
        _log.error("target %d of CATSDOGS_ALERT_TARGETS is no address that Apprise knows", target.place)
        return
    for one in messages:
        try:
            reached = way.notify(title=one.title, body=one.body)
        except Exception as error:  # noqa: BLE001 (a target's plug-in may raise anything; its text may hold the address)
            _log.error("target %d of CATSDOGS_ALERT_TARGETS failed: %s", target.place, type(error).__name__)
            continue
        if reached:
            sent.append(one)
