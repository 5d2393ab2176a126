"""Evaluation of the rules, and the state that it stores."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from tests.rows import NOW, InsertRows, Row, make_row

RULES = load_rules()
SATISFACTION_RULES = [rule for rule in RULES if rule.measure == "satisfaction"]
OTHER_RULES = [rule for rule in RULES if rule.measure != "satisfaction"]
MINUTE = timedelta(minutes=1)


def rated(n: int, satisfied: int, interval: timedelta = MINUTE) -> list[Row]:
    return [make_row(NOW - interval * (index + 1), user_feedback=int(index < satisfied)) for index in range(n)]


def evaluated(database: Database, rules: list[Rule], now: datetime) -> dict[str, Alert]:
    """Evaluate `rules` and return their alerts by name."""
    evaluate(database, rules, now)
    return {alert["rule"]: alert for alert in list_alerts(database, rules, now=now)}


def states(alerts: dict[str, Alert]) -> dict[str, str]:
    return {name: alert["state"] for name, alert in alerts.items()}


def test_the_state_is_kept_between_evaluations(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 5))
    first = evaluated(database, SATISFACTION_RULES, NOW)
    assert states(first) == {"satisfaction_low": "firing", "many_negatives": "pending"}
    insert_rows(rated(100, 100, MINUTE / 61))
    second = evaluated(database, SATISFACTION_RULES, NOW + MINUTE)
    assert states(second) == {"satisfaction_low": "firing"}
    third = evaluated(database, SATISFACTION_RULES, NOW + MINUTE * 20)
    assert states(third) == {"satisfaction_low": "resolved"}
    assert third["satisfaction_low"]["since"] == first["satisfaction_low"]["since"]


def test_an_evaluation_with_other_rules_leaves_the_alerts_of_unknown_rules(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 5))
    before = evaluated(database, RULES, NOW)
    assert set(states(before).values()) == {"firing", "pending"}
    assert evaluated(database, OTHER_RULES, NOW + MINUTE) == {}
    after = evaluated(database, RULES, NOW + MINUTE * 2)
    assert {(name, alert["since"]) for name, alert in after.items()} == {
        (name, alert["since"]) for name, alert in before.items()
    }


def test_the_open_alerts_of_a_rule_that_was_not_evaluated_for_a_day_are_closed(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 5))
    evaluate(database, RULES, NOW)
    assert evaluated(database, OTHER_RULES, NOW + timedelta(days=1, minutes=1)) == {}
    rows = database.run(lambda connection: connection.execute(sa.select(database.tables.alerts)).all())
    assert [(row.rule, row.resolved_at) for row in rows] == [("satisfaction_low", NOW)]


def test_an_unchanged_state_is_written_at_most_once_a_minute(insert_rows: InsertRows) -> None:
    database = insert_rows(rated(20, 5))
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
