"""The packaged rules on made-up history, by a simulated clock. ``make bench ARGS=alerts`` replays whole months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catsdogs.alerting.rules import load_rules
from catsdogs.database import Database
from catsdogs.demo.history import History, Incident, IncidentKind
from catsdogs.settings import Settings
from tests.alerting.replay import EXPECTED, Episode, delays, replay

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = START + 8 * DAY
RULES = load_rules()
HARD_TO_SEE = "many_negatives"
"""A quarter is surely below a half in 20 ratings, of which 4 come in an hour: mostly, an incident of a day shows it."""


@pytest.fixture
def opened(database: Settings) -> Iterator[Database]:
    opened = Database(database)
    yield opened
    opened.close()


def test_each_rule_has_an_incident_that_it_is_to_find() -> None:
    assert {rule.name for rule in RULES} == EXPECTED.keys()


def test_incidents_are_found_soon_are_over_soon_and_nothing_else_is_found(opened: Database) -> None:
    days = [
        (IncidentKind.DISSATISFIED, IncidentKind.DARK_PHOTOS, IncidentKind.STALLED),
        (IncidentKind.GAP,),
        (IncidentKind.UNREADABLE,),
    ]
    incidents = [
        Incident(kind, FIRST + number * DAY + 9 * HOUR, FIRST + number * DAY + 17 * HOUR)
        for number, day in enumerate(days)
        for kind in day
    ]
    episodes = replay(opened, History(START, 11, incidents, seed=4), RULES, HOUR, FIRST)
    kinds = {incident.kind for incident in incidents}
    for rule in RULES:
        found = delays(rule.name, episodes, incidents)
        assert found.false == 0, (rule.name, episodes)
        if EXPECTED[rule.name] in kinds and rule.name != HARD_TO_SEE:
            assert found.fire is not None, rule.name
            assert found.fire <= 3 * HOUR, rule.name
            assert found.resolve is not None, rule.name
            assert timedelta() <= found.resolve <= 6 * HOUR, rule.name


def test_a_long_incident_does_not_become_the_baseline(opened: Database) -> None:
    history = History(START, 18, [Incident(IncidentKind.SLOW, FIRST, START + 18 * DAY)], seed=1)
    [rule] = [rule for rule in RULES if rule.name == "slow"]
    [episode] = replay(opened, history, [rule], 3 * HOUR, FIRST)
    assert episode == Episode("slow", episode.since, episode.fired_at, None)
    assert episode.fired_at - FIRST <= 12 * HOUR  # it began at midnight


def test_an_incident_that_is_over_does_not_make_the_rule_fire_again(opened: Database) -> None:
    over = FIRST + DAY + 12 * HOUR
    history = History(START, 12, [Incident(IncidentKind.DISSATISFIED, FIRST + 9 * HOUR, over)], seed=4)
    rules = [rule for rule in RULES if rule.measure in ("satisfaction", "accuracy")]
    episodes = replay(opened, history, rules, HOUR, FIRST)
    assert [episode for episode in episodes if episode.fired_at > over] == []
    assert {episode.resolved_at is not None for episode in episodes} == {True}
    found = {episode.rule: episode.fired_at - FIRST - 9 * HOUR for episode in reversed(episodes)}
    assert found.keys() == {rule.name for rule in rules}
    assert found[HARD_TO_SEE] <= 12 * HOUR
