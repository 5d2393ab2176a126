"""Reading of the stored alerts, which writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.alerting.alert import Alert, AlertState, Measure
from catsdogs.alerting.listing import alerts_as_of, list_alerts
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from catsdogs.errors import DatabaseError
from catsdogs.monitoring import listings
from tests.rows import NOW, InsertRows, make_row

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RULE = Rule.model_validate({"name": "errors", "measure": "errors", "above": 0.5, "last": 4, "clear": "PT0S"})


@pytest.fixture
def broken(insert_rows: InsertRows) -> Database:
    """A database in which the rule is broken, and was not evaluated yet."""
    return insert_rows([make_row(NOW - MINUTE * n, prediction_result="error") for n in range(1, 5)])


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
    insert_rows([make_row(NOW + MINUTE * n) for n in range(1, 5)])
    evaluate(broken, [RULE], NOW + HOUR)
    [alert] = list_alerts(broken, [RULE], now=NOW + timedelta(days=1))
    assert (alert["state"], alert["resolved_at"]) == ("resolved", (NOW + HOUR).isoformat())
    assert list_alerts(broken, [RULE], now=NOW + timedelta(days=2)) == []
    assert list_alerts(broken, [RULE], now=NOW + timedelta(days=2), since=NOW) == [alert]


def make_alert(rule: str, since: int, fired: int | None, resolved: int | None) -> Alert:
    def time(hours: int | None) -> str | None:
        return None if hours is None else (NOW + HOUR * hours).isoformat()

    return Alert(
        rule=rule,
        measure=Measure.ERRORS,
        state=AlertState.FIRING,
        since=(NOW + HOUR * since).isoformat(),
        fired_at=time(fired),
        resolved_at=time(resolved),
        value=0.5,
        n=50,
        limit=0.05,
    )


def test_alerts_are_given_in_the_state_that_they_had_at_a_time() -> None:
    alerts = [
        make_alert("began_later", 1, 2, None),
        make_alert("began_and_ended_later", 1, 2, 3),
        make_alert("ended_before", -5, -4, -3),
        make_alert("fired_later", -1, 1, 2),
        make_alert("fires_still", -9, -8, None),
        make_alert("ended_later", -2, -1, 3),
    ]
    assert [(alert["rule"], alert["state"].value) for alert in alerts_as_of(alerts, NOW)] == [
        ("fires_still", "firing"),
        ("ended_later", "firing"),
        ("fired_later", "pending"),
        ("ended_before", "resolved"),
    ]
    assert alerts_as_of(alerts, datetime.fromisoformat("2020-01-01T00:00Z")) == []
