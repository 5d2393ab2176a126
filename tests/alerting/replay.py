"""A replay: the alert rules, evaluated on a made-up history by a simulated clock, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from catsdogs.alerting.rules import Rule
from catsdogs.alerting.scheduler import evaluate_with
from catsdogs.database import Database
from catsdogs.database.roll_ups import refresh
from catsdogs.demo.history import History, Incident, IncidentKind
from catsdogs.monitoring.model_health import cards


class Episode(NamedTuple):
    """One alert that fired."""

    rule: str
    since: datetime
    fired_at: datetime
    resolved_at: datetime | None


def replay(
    database: Database, history: History, rules: Sequence[Rule], step: timedelta, start: datetime | None = None
) -> list[Episode]:
    """Store a history, and evaluate the rules every `step` from `start` to its end; then empty the tables again.

    Everything happens in one transaction, which is rolled back. A prediction is there from the start on, but no rule
    looks at times after its evaluation.
    """
    end = history.start + timedelta(days=history.days)
    tables, card_of = database.tables, cache(cards(database.settings))
    with database.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.insert(tables.predictions), list(history.rows()))
        while refresh(connection, tables):
            pass
        connection.exec_driver_sql(f'ANALYZE "{tables.predictions.name}"')
        now = start or history.start
        while now < end:
            evaluate_with(connection, tables, rules, card_of, now, database.settings.drift_period)
            now += step
        alerts = tables.alerts
        columns = alerts.c.rule, alerts.c.since, alerts.c.fired_at, alerts.c.resolved_at
        query = sa.select(*columns).where(alerts.c.fired_at.is_not(None)).order_by(alerts.c.fired_at)
        episodes = [Episode(*row) for row in connection.execute(query)]  # type: ignore[arg-type]  # it fired
        transaction.rollback()
    return episodes


EXPECTED = {
    "no_traffic": IncidentKind.GAP,
    "satisfaction_low": IncidentKind.DISSATISFIED,
    "many_negatives": IncidentKind.DISSATISFIED,
    "slow": IncidentKind.SLOW,
    "mean_time_high": IncidentKind.STALLED,
    "p95_time_high": IncidentKind.STALLED,
    "errors": IncidentKind.UNREADABLE,
    "unsure": IncidentKind.UNSURE,
    "one_answer": IncidentKind.ONE_ANSWER,
    "accuracy_low": IncidentKind.DISSATISFIED,
    "darker_or_brighter": IncidentKind.DARK_PHOTOS,
    "blurred_or_sharper": IncidentKind.BLURRED_PHOTOS,
    "other_things": IncidentKind.OTHER_THINGS,
    "less_sure": IncidentKind.UNSURE,
}
"""The incident that each packaged rule is to find."""
ALSO = {("slow", IncidentKind.STALLED)}
"""Rules that rightly find another incident, too."""


class Delays(NamedTuple):
    """How one rule found its incident."""

    fire: timedelta | None
    """From the incident's start; ``None`` if it was not found."""
    resolve: timedelta | None
    """From the incident's end; ``None`` if it was not resolved."""
    false: int
    """Number of episodes that no incident explains."""


def delays(rule: str, episodes: Sequence[Episode], incidents: Sequence[Incident]) -> Delays:
    """Compare the episodes of a rule with the incidents that it is to find."""
    kinds = {EXPECTED[rule]} | {kind for name, kind in ALSO if name == rule}
    explained = [
        (episode, incident)
        for episode in episodes
        for incident in incidents
        if episode.rule == rule and incident.kind in kinds and incident.start <= episode.fired_at < incident.end
    ]
    own = [pair for pair in explained if pair[1].kind is EXPECTED[rule]]
    false = sum(episode.rule == rule for episode in episodes) - len(explained)
    if not own:
        return Delays(None, None, false)
    (first, incident), (last, _) = own[0], own[-1]
    return Delays(first.fired_at - incident.start, last.resolved_at - incident.end if last.resolved_at else None, false)
