"""Reading of the stored alerts, which writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.alerting.alert import Measure, Severity
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from catsdogs.errors import DatabaseError
from catsdogs.monitoring import listings
from tests.rows import NOW, InsertRows, make_row

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RULE = Rule.model_validate(
    {"name": "errors", "measure": "errors", "above": 0.5, "fast": "PT30M", "slow": "PT40M", "at_least": 4}
)


@pytest.fixture
def broken(insert_rows: InsertRows) -> Database:
    """A database in which the rule is broken, and was not evaluated yet."""
    return insert_rows([make_row(NOW - MINUTE * n, prediction_result="error") for n in range(1, 9)])


def stored_rows(database: Database) -> list[Any]:
    return database.run(lambda connection: list(connection.execute(sa.select(database.tables.alerts))))


def test_rules_that_were_not_evaluated_are_not_listed(broken: Database) -> None:
    assert list_alerts(broken, [RULE], now=NOW) == []
    assert stored_rows(broken) == []


def test_listing_leaves_state_and_change_token_as_they_were(broken: Database) -> None:
    evaluate(broken, [RULE], NOW)
    rows, token = stored_rows(broken), broken.run(listings.change_token)
    for minute in (0, 5, 3000):  # an evaluation at these times would store something
        assert [alert["state"] for alert in list_alerts(broken, [RULE], now=NOW + MINUTE * minute)] == ["firing"]
    assert list_alerts(broken, [], now=NOW + timedelta(days=3)) == []
    assert (stored_rows(broken), broken.run(listings.change_token)) == (rows, token)


def test_listing_needs_no_right_to_write(broken: Database) -> None:
    evaluate(broken, [RULE], NOW)

    @sa.event.listens_for(broken.engine, "begin")
    def read_only(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    with pytest.raises(DatabaseError):
        evaluate(broken, [RULE], NOW + MINUTE * 5)
    assert [alert["state"] for alert in list_alerts(broken, [RULE], now=NOW)] == ["firing"]


def test_a_resolved_alert_is_listed_for_a_day_or_since_a_given_time(broken: Database, insert_rows: InsertRows) -> None:
    evaluate(broken, [RULE], NOW)
    insert_rows([make_row(NOW + HOUR - MINUTE * n) for n in range(1, 15)])
    evaluate(broken, [RULE], NOW + HOUR)
    [alert] = list_alerts(broken, [RULE], now=NOW + timedelta(days=1))
    assert (alert["state"], alert["resolved_at"]) == ("resolved", (NOW + HOUR).isoformat())
    assert list_alerts(broken, [RULE], now=NOW + timedelta(days=2)) == []
    assert list_alerts(broken, [RULE], now=NOW + timedelta(days=2), since=NOW) == [alert]


def test_an_alert_of_the_past_is_as_it_was_then(broken: Database, insert_rows: InsertRows) -> None:
    evaluate(broken, [RULE], NOW)
    insert_rows([make_row(NOW + MINUTE * 5, prediction_result="error"), make_row(NOW + MINUTE * 6)])
    evaluate(broken, [RULE], NOW + MINUTE * 10)
    insert_rows([make_row(NOW + HOUR - MINUTE * n) for n in range(1, 15)])
    evaluate(broken, [RULE], NOW + HOUR)

    def as_at(moment: datetime) -> list[tuple[str, float, float, str | None]]:
        found = list_alerts(broken, [RULE], since=NOW - HOUR, until=moment, now=NOW + timedelta(days=5))
        return [(alert["state"].value, alert["value"], alert["worst"], alert["resolved_at"]) for alert in found]

    assert as_at(NOW - MINUTE) == []
    assert as_at(NOW + MINUTE) == [("firing", 1.0, 1.0, None)]
    assert as_at(NOW + MINUTE * 20) == [("firing", 0.9, 1.0, None)]
    assert as_at(NOW + HOUR) == [("resolved", 0.0, 1.0, (NOW + HOUR).isoformat())]
    later = list_alerts(broken, [RULE], since=NOW + HOUR * 2, until=NOW + HOUR * 3, now=NOW + timedelta(days=5))
    assert later == []


def test_the_worst_value_of_a_rule_with_a_lower_limit_is_the_smallest(insert_rows: InsertRows) -> None:
    rule = RULE.model_copy(update={"name": "low", "measure": Measure.SATISFACTION, "above": None, "below": 0.7})
    database = insert_rows([make_row(NOW - MINUTE * n, user_feedback=int(n > 8)) for n in range(1, 11)])
    evaluate(database, [rule], NOW)
    insert_rows([make_row(NOW + MINUTE, user_feedback=1)])
    evaluate(database, [rule], NOW + MINUTE * 2)
    [alert] = list_alerts(database, [rule], now=NOW + MINUTE * 2)
    assert (alert["value"], alert["worst"]) == (3 / 11, 0.2)


def test_the_past_does_not_change_with_the_rules(broken: Database, insert_rows: InsertRows) -> None:
    evaluate(broken, [RULE], NOW)
    higher = RULE.model_copy(update={"above": 0.97, "severity": Severity.CRITICAL})
    insert_rows([make_row(NOW + MINUTE * 5)])
    evaluate(broken, [higher], NOW + MINUTE * 10)
    evaluate(broken, [], NOW + timedelta(days=2))  # the rule was removed

    def as_at(moment: datetime) -> list[tuple[str, float, float]]:
        found = list_alerts(broken, [], since=NOW - HOUR, until=moment, now=NOW + timedelta(days=5))
        return [(alert["state"].value, alert["worst"], alert["limit"]) for alert in found]

    assert as_at(NOW + MINUTE) == [("firing", 1.0, 0.5)]
    assert as_at(NOW + HOUR) == [("resolved", 1.0, 0.5)]


def test_a_rule_that_measures_something_else_begins_anew(broken: Database) -> None:
    evaluate(broken, [RULE], NOW)
    other = RULE.model_copy(update={"measure": Measure.MEAN_TIME, "above": 250.0})
    evaluate(broken, [other], NOW + MINUTE)
    [alert] = list_alerts(broken, [other], now=NOW + MINUTE)
    assert (alert["state"], alert["measure"], alert["limit"]) == ("resolved", "errors", 0.5)
