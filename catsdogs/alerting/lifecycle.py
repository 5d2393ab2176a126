"""Alerts: rules that are broken, for how long, and since when; the state is kept in the database.

::

    (nothing) --broken--> pending --broken for `for`--> firing --kept for `clear`--> resolved
                             |                            ^  |
                             '--kept--> (nothing)         '--' broken again before `clear` is over

Who checks does not matter (the server every minute, a scheduler by the command, a report): they share the state,
and one waits for the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.alerting.measures import Figure, Measurements
from catsdogs.alerting.rules import Rule
from catsdogs.database import Database
from catsdogs.database.tables import AlertColumns
from catsdogs.monitoring.figures import Alert, AlertState
from catsdogs.monitoring.model_health import cards

LOCK = 7_228_321_665_104
"""Of checks and messages, among the advisory locks of the database: an arbitrary number."""
SHOWN = timedelta(days=1)
"""A resolved alert is shown, and told, for so long."""
FORGOTTEN = timedelta(days=1)
"""A rule that nobody checked for so long is no more: what is open of it is closed."""
FRESH = timedelta(minutes=1)
"""What stays as it is is written again after so long, not at each check: whoever looks for news need not read it."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a rule was broken: a row of the table of alerts."""

    id: UUID
    rule: str
    since: datetime
    seen_at: datetime
    value: float
    n: int
    fired_at: datetime | None = None
    clear_since: datetime | None = None
    resolved_at: datetime | None = None

    @classmethod
    def begin(cls, rule: Rule, figure: Figure, now: datetime) -> Self:
        """Begin one, pending."""
        return cls(uuid7(), rule.name, since=now, seen_at=now, value=figure[0], n=figure[1])


def advance(before: Episode | None, rule: Rule, figure: Figure | None, now: datetime) -> Episode | None:
    """Give the next state of a rule.

    Parameters
    ----------
    before
        The open episode, pending or firing; ``None`` where there is none.
    figure
        What was measured; ``None`` where there was too little to measure: that breaks no rule.
    now
        Not before `before.seen_at`.

    Returns
    -------
    Episode or None
        Resolved episodes are returned once, and are not open any longer.
    """
    if figure is None or not rule.broken_by(figure[0]):
        return before and _kept(before, rule, now)
    episode = before or Episode.begin(rule, figure, now)
    fires = episode.fired_at or (now if now - episode.since >= rule.hold else None)
    return replace(episode, seen_at=now, value=figure[0], n=figure[1], fired_at=fires, clear_since=None)


def _kept(before: Episode, rule: Rule, now: datetime) -> Episode | None:
    if before.fired_at is None:
        return None
    clear_since = before.clear_since or now
    resolved_at = now if now - clear_since >= rule.clear else None
    return replace(before, seen_at=now, clear_since=clear_since, resolved_at=resolved_at)


def _forgotten(episode: Episode) -> Episode | None:
    return None if episode.fired_at is None else replace(episode, resolved_at=episode.seen_at)


def _same(before: Episode, after: Episode) -> bool:
    """Whether a reader of both would see no difference."""
    unseen = replace(after, seen_at=before.seen_at, value=before.value)
    return unseen == before and round(after.value, 3) == round(before.value, 3)


def check(
    database: Database, rules: Iterable[Rule], now: datetime | None = None, *, since: datetime | None = None
) -> list[Alert]:
    """Measure every rule, and keep its new state.

    Parameters
    ----------
    database
        Set up.
    now
        Default: the clock's.
    since
        Resolved alerts are listed as far back as this; default: a day.

    Returns
    -------
    list of Alert
        Firing, pending, resolved; the latest first.

    Raises
    ------
    DatabaseError
    """
    now, known = now or datetime.now(UTC), {rule.name: rule for rule in rules}
    table, card_of = database.tables.alerts, cards(database.settings)

    def work(connection: sa.Connection) -> list[Alert]:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        measurements = Measurements(connection, database.tables.predictions, card_of, now)
        opened = {row.rule: Episode(**row._mapping) for row in connection.execute(_open(table))}
        for name in opened.keys() - known.keys():  # others may check with other rules
            if now - opened[name].seen_at >= FORGOTTEN:
                _store(connection, table, opened[name], _forgotten(opened[name]))
        for rule in known.values():
            before = opened.get(rule.name)
            _store(connection, table, before, advance(before, rule, measurements.measure(rule), now))
        return _told(connection, table, known, since or now - SHOWN)

    return database.run(work)


def _told(
    connection: sa.Connection, table: sa.Table[AlertColumns], known: dict[str, Rule], since: datetime
) -> list[Alert]:
    shown = table.c.resolved_at.is_(None) | (table.c.resolved_at > since)
    rows = connection.execute(sa.select(table).where(shown).order_by(table.c.since.desc()))
    return _in_order(to_alert(Episode(**row._mapping), known[row.rule]) for row in rows if row.rule in known)


def as_of(alerts: Iterable[Alert], moment: datetime) -> list[Alert]:
    """Tell alerts as they stood at a moment; what began later is left out."""
    return _in_order(alert | {"state": _state(alert, moment)} for alert in alerts if _reached(alert["since"], moment))


def _state(alert: Alert, moment: datetime) -> AlertState:
    if _reached(alert["resolved_at"], moment):
        return AlertState.RESOLVED
    return AlertState.FIRING if _reached(alert["fired_at"], moment) else AlertState.PENDING


def _reached(name: str | None, moment: datetime) -> bool:
    return name is not None and datetime.fromisoformat(name) <= moment


def _in_order(alerts: Iterable[Alert]) -> list[Alert]:
    order = [AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED]
    return sorted(alerts, key=lambda alert: order.index(alert["state"]))


def to_alert(episode: Episode, rule: Rule) -> Alert:
    """Say an episode in plain data."""
    state = AlertState.PENDING if episode.fired_at is None else AlertState.FIRING
    return Alert(
        rule=rule.name,
        measure=rule.measure,
        state=AlertState.RESOLVED if episode.resolved_at else state,
        since=_iso(episode.since),
        fired_at=_iso(episode.fired_at) if episode.fired_at else None,
        resolved_at=_iso(episode.resolved_at) if episode.resolved_at else None,
        value=episode.value,
        n=episode.n,
        limit=rule.limit,
    )


def _open(table: sa.Table[AlertColumns]) -> sa.Select[tuple[object, ...]]:
    return sa.select(table).where(table.c.resolved_at.is_(None))


def _store(
    connection: sa.Connection, table: sa.Table[AlertColumns], before: Episode | None, after: Episode | None
) -> None:
    if after is None:
        if before is not None:
            connection.execute(sa.delete(table).where(table.c.id == before.id))
        return
    if before is not None and _same(before, after) and after.seen_at - before.seen_at < FRESH:
        return
    values = {column.name: getattr(after, column.name) for column in table.columns}
    if before is None:
        connection.execute(sa.insert(table).values(values))
    else:
        connection.execute(sa.update(table).where(table.c.id == after.id).values(values))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
