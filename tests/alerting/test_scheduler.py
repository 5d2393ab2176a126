"""Evaluation of the rules, and the state that it stores."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from tests.rows import NOW, InsertRows, Row, make_row

RULES = load_rules()
SATISFACTION_RULES = [rule for rule in RULES if rule.measure == "satisfaction"]
TIME_RULES = [rule for rule in RULES if rule.measure.is_time]
MINUTE = timedelta(minutes=1)


def rated(n: int, satisfied: int, interval: timedelta = MINUTE) -> list[Row]:
    return [make_row(NOW - interval * (index + 1), user_feedback=int(index < satisfied)) for index in range(n)]


def evaluated(database: Database, rules: list[Rule], now: datetime) -> dict[str, Alert]:
    """Evaluate `rules` and return their alerts by name."""
    evaluate(database, rules, now)
    return {alert["rule"]: alert for alert in list_alerts(database, rules, now=now)}


def states(alerts: dict[str, Alert]) -> dict[str, str]:
    return {name: alert["state"] for name, alert in alerts.items()}


def test_the_state_and_the_course_are_kept_between_evaluations(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 9))
    first = evaluated(database, SATISFACTION_RULES, NOW)
    assert states(first) == {"satisfaction_low": "firing"}
    insert_rows([make_row(NOW, user_feedback=0)])
    worse = evaluated(database, SATISFACTION_RULES, NOW + MINUTE)["satisfaction_low"]
    assert (worse["value"], worse["worst"], worse["worst_n"]) == (9 / 21, 9 / 21, 21)
    insert_rows(rated(100, 100, MINUTE / 61))
    last = evaluated(database, SATISFACTION_RULES, NOW + MINUTE * 2)
    assert states(last) == {"satisfaction_low": "resolved"}
    resolved = last["satisfaction_low"]
    assert resolved["since"] == first["satisfaction_low"]["since"]
    assert (resolved["value"], resolved["worst"]) == (109 / 121, 9 / 21)
    assert resolved["worst_at"] == (NOW + MINUTE).isoformat()


def test_an_evaluation_with_other_rules_leaves_the_alerts_of_unknown_rules(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 9))
    before = evaluated(database, RULES, NOW)
    assert set(states(before).values()) == {"firing"}
    assert evaluated(database, TIME_RULES, NOW + MINUTE) == {}
    after = evaluated(database, RULES, NOW + MINUTE * 2)
    assert {(name, alert["since"]) for name, alert in after.items()} == {
        (name, alert["since"]) for name, alert in before.items()
    }


def test_the_open_alerts_of_a_rule_that_was_not_evaluated_for_a_day_are_closed(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 9))
    evaluate(database, SATISFACTION_RULES, NOW)
    assert evaluated(database, TIME_RULES, NOW + timedelta(days=1, minutes=1)) == {}
    rows = database.run(lambda connection: connection.execute(sa.select(database.tables.alerts)).all())
    assert [(row.rule, row.resolved_at) for row in rows] == [("satisfaction_low", NOW)]


def test_an_unchanged_state_is_written_at_most_once_a_minute(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 9))
    table = database.tables.alerts

    def seen_at() -> set[datetime]:
        return set(database.run(lambda connection: connection.execute(sa.select(table.c.seen_at)).scalars().all()))

    first = evaluated(database, RULES, NOW)
    assert evaluated(database, RULES, NOW + MINUTE / 2) == first
    assert seen_at() == {NOW}
    evaluate(database, RULES, NOW + MINUTE)
    assert seen_at() == {NOW + MINUTE}
    insert_rows([make_row(NOW - MINUTE / 3, user_feedback=0)])
    assert evaluated(database, RULES, NOW + MINUTE)["satisfaction_low"]["n"] == 21


def test_without_predictions_no_rule_is_measured(insert_rows: InsertRows) -> None:
    assert evaluate(insert_rows([]), RULES, NOW) == 0
    assert evaluate(insert_rows(rated(20, 20)), SATISFACTION_RULES, NOW) == 2


def test_the_baseline_of_an_open_episode_stays_as_it_was(insert_rows: InsertRows) -> None:
    [slow] = [rule for rule in RULES if rule.measure == "inference_time"]
    before = [make_row(NOW - timedelta(hours=n + 2)) for n in range(150)]
    database = insert_rows([*before, *(make_row(NOW - MINUTE * n, inference_time_ms=12.0 + n % 3) for n in range(30))])
    first = evaluated(database, [slow], NOW)["slow"]
    assert (first["state"], first["baseline"]) == ("firing", 4.0)
    assert first["value"] == pytest.approx(13 / 4)
    later = NOW + timedelta(days=9)
    insert_rows([make_row(later - timedelta(minutes=20 * n), inference_time_ms=12.0 + n % 3) for n in range(600)])
    last = evaluated(database, [slow], later)["slow"]
    assert (last["state"], last["baseline"]) == ("firing", 4.0)
    assert last["value"] > 3
