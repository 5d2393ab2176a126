"""The packaged rules on made-up history, by a simulated clock. ``make bench ARGS=alerts`` replays whole months."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catsdogs.alerting.rules import load_rules
from catsdogs.database import Database
from catsdogs.demo.history import History, Incident, IncidentKind, Row
from catsdogs.settings import Settings
from tests.alerting.replay import EXPECTED, Episode, delays, replay
from tests.alerting.running_sums import replay_in_memory

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = START + 8 * DAY
RULES = load_rules()


class NearTheLimit(History):
    """After the first days, 65 % of the people are satisfied: a little less than the limit."""

    def rows(self) -> Iterator[Row]:
        choose = random.Random(7)
        for row in super().rows():
            if row["user_feedback"] is not None and row["timestamp"] >= FIRST:
                row |= {"user_feedback": int(choose.random() < 0.65), "true_label": None}
            yield row


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
        (IncidentKind.UNREADABLE, IncidentKind.ONE_ANSWER),
    ]
    incidents = [
        Incident(kind, FIRST + number * DAY + 9 * HOUR, FIRST + number * DAY + 17 * HOUR)
        for number, day in enumerate(days)
        for kind in day
    ]
    history = History(START, 11, incidents, seed=4)
    episodes = replay(opened, history, RULES, HOUR, FIRST)
    assert sorted(episodes) == sorted(replay_in_memory(history, RULES, HOUR, FIRST))
    kinds = {incident.kind for incident in incidents}
    for rule in RULES:
        found = delays(rule.name, episodes, incidents)
        assert found.false == 0, (rule.name, episodes)
        if EXPECTED[rule.name] in kinds:
            assert found.fire is not None, rule.name
            assert found.fire <= 3 * HOUR, rule.name
            assert found.resolve is not None, rule.name
            assert timedelta() <= found.resolve <= 6 * HOUR, rule.name


def test_a_long_incident_does_not_become_the_baseline() -> None:
    history = History(START, 18, [Incident(IncidentKind.SLOW, FIRST, START + 18 * DAY)], seed=1)
    [rule] = [rule for rule in RULES if rule.name == "slow"]
    [episode] = replay_in_memory(history, [rule], 3 * HOUR, FIRST)
    assert episode == Episode("slow", episode.since, episode.fired_at, None)
    assert episode.fired_at - FIRST <= 12 * HOUR  # it began at midnight


def test_an_incident_that_is_over_does_not_make_the_rule_fire_again() -> None:
    over = FIRST + DAY + 12 * HOUR
    history = History(START, 12, [Incident(IncidentKind.DISSATISFIED, FIRST + 9 * HOUR, over)], seed=4)
    rules = [rule for rule in RULES if rule.measure in ("satisfaction", "accuracy")]
    episodes = replay_in_memory(history, rules, HOUR, FIRST)
    assert sorted(episode.rule for episode in episodes) == sorted(rule.name for rule in rules)
    assert all(episode.fired_at <= FIRST + 12 * HOUR for episode in episodes)
    assert all(episode.resolved_at is not None and episode.resolved_at > over for episode in episodes)


@pytest.mark.parametrize(("kind", "name"), [(IncidentKind.SLOW, "slow"), (IncidentKind.OTHER_THINGS, "other_things")])
def test_where_photos_are_rare_an_incident_of_days_is_one_episode(kind: IncidentKind, name: str) -> None:
    begin, over = FIRST + 9 * HOUR, FIRST + 5 * DAY + 9 * HOUR
    history = History(START, 16, [Incident(kind, begin, over)], seed=76, photos_a_day=20)
    rules = [rule for rule in RULES if rule.name == name]
    [episode] = replay_in_memory(history, rules, HOUR, FIRST)
    assert episode.fired_at - begin <= 12 * HOUR
    assert episode.resolved_at is not None
    assert timedelta() < episode.resolved_at - over <= 2 * DAY


def test_near_its_limit_an_alert_seldom_ends_and_comes_again() -> None:
    [rule] = [rule for rule in RULES if rule.name == "satisfaction_low"]
    found = replay_in_memory(NearTheLimit(START, 20, seed=92), [rule], HOUR, FIRST)
    hasty = rule.model_copy(update={"over_at_least": 0})
    assert 1 <= len(found) <= 6
    assert len(replay_in_memory(NearTheLimit(START, 20, seed=92), [hasty], HOUR, FIRST)) >= 2 * len(found)
