"""What each packaged rule measures, by hand, and on both sides of its limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate, evaluate_with
from catsdogs.database import Database
from catsdogs.database.demo_ids import demo_id
from catsdogs.model.card import SHIPPED
from catsdogs.monitoring.model_health import cards
from tests.rows import NOW, InsertRows, Row, make_row

RULES = load_rules()
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def rated(n: int, satisfied: int) -> list[Row]:
    return [make_row(NOW - SECOND * (index + 1), user_feedback=int(index < satisfied)) for index in range(n)]


def times(*milliseconds: float, before: float = 4.0) -> list[Row]:
    """Recent inference times, and earlier ones."""
    recent = [make_row(NOW - SECOND * index, inference_time_ms=ms) for index, ms in enumerate(milliseconds, 1)]
    return recent + [make_row(NOW - DAY - SECOND * n, inference_time_ms=before) for n in range(150)]


def answers(n: int, **values: Any) -> list[Row]:
    return [make_row(NOW - SECOND * (index + 1), **values) for index in range(n)]


def weekly(n: int) -> list[Row]:
    """As many photos in the same hours of the four weeks before, after a first one."""
    weeks = range(1, 5)
    earlier = [make_row(NOW - DAY * 7 * week - SECOND * (index + 1)) for week in weeks for index in range(n)]
    return [*earlier, make_row(NOW - DAY * 30)]


CAT_OR_DOG = {"model_version": SHIPPED.name, "proba_cat": 1.0, "proba_dog": 0.0}
CASES = {
    "satisfaction_low": (rated(400, 250), rated(400, 270), 0.625, 400),
    "many_negatives": (rated(200, 80), rated(200, 98), 0.4, 200),
    "slow": (times(*[6.0, 7.0] * 25), times(*[2.0, 12.0] * 12), 6.5 / 4, 50),
    "mean_time_high": (times(*[250.0, 270.0] * 40), times(*[245.0, 265.0] * 4), 260.0, 80),
    "p95_time_high": (times(*[4.0] * 170, *[800.0] * 30), times(*[4.0] * 185, *[800.0] * 15), 800.0, 200),
    "errors": (
        answers(450) + answers(50, prediction_result="error"),
        answers(470) + answers(30, prediction_result="error"),
        0.1,
        500,
    ),
    "unsure": (
        answers(450, proba_cat=0.6, proba_dog=0.4) + answers(50),
        answers(410, proba_cat=0.6, proba_dog=0.4) + answers(90),
        0.9,
        500,
    ),
    "one_answer": (
        answers(450) + answers(50, prediction_result="dog", proba_cat=0.1, proba_dog=0.9),
        answers(410) + answers(90, prediction_result="neither"),
        0.9,
        500,
    ),
    "accuracy_low": (rated(400, 330), rated(400, 355), 0.825, 400),
    "no_traffic": (weekly(100) + answers(5), weekly(100) + answers(20), 0.05, 405),
}


def alerts(database: Database) -> dict[str, Alert]:
    evaluate(database, RULES, NOW)
    return {alert["rule"]: alert for alert in list_alerts(database, RULES, now=NOW)}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_fires_where_its_interval_is_beyond_the_limit(insert_rows: InsertRows, name: str) -> None:
    beyond, _, value, n = CASES[name]
    alert = alerts(insert_rows(beyond))[name]
    assert alert["state"] == "firing"
    assert alert["value"] == pytest.approx(value)
    assert alert["n"] == n


@pytest.mark.parametrize("name", CASES)
def test_no_rule_fires_where_the_value_alone_is_beyond_the_limit(insert_rows: InsertRows, name: str) -> None:
    _, doubtful, _, _ = CASES[name]
    found = alerts(insert_rows(doubtful))
    if name == "many_negatives":  # it is as soon sure as another is pending
        assert name not in found
    else:
        assert found[name]["state"] == "pending"


def test_photos_that_are_darker_are_a_drift_and_such_as_the_references_are_none(insert_rows: InsertRows) -> None:
    dark = [row | {"brightness": 0.05} for row in answers(60, **CAT_OR_DOG)]
    of_an_earlier_version = [make_row(NOW - SECOND * (100 + n), brightness=0.5) for n in range(60)]
    found = alerts(insert_rows(dark + of_an_earlier_version))["darker_or_brighter"]
    assert (found["state"], found["n"]) == ("firing", 60)
    assert found["value"] > 1


def test_what_is_usual_in_a_chosen_period_is_no_drift(insert_rows: InsertRows) -> None:
    others = {"prediction_result": "neither", "proba_cat": 0.5, "proba_dog": 0.5, "model_version": SHIPPED.name}
    database = insert_rows([make_row(NOW - timedelta(minutes=30 * n), **others) for n in range(500)])
    rules, week = [rule for rule in RULES if rule.name == "other_things"], (NOW - DAY * 9, NOW - DAY * 2)
    known = cards(database.settings)
    database.run(lambda connection: evaluate_with(connection, database.tables, rules, known, NOW, week))
    assert list_alerts(database, rules, now=NOW) == []
    assert alerts(database)["other_things"]["state"] == "firing"


def test_no_rule_is_broken_by_too_few_predictions(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    assert alerts(database) == {}
    insert_rows(answers(5, prediction_result="error") + rated(3, 0))
    assert alerts(database) == {}


def test_a_rule_of_traffic_needs_a_week_of_history(insert_rows: InsertRows) -> None:
    assert "no_traffic" not in alerts(insert_rows([make_row(NOW - DAY * 5 - SECOND * n) for n in range(300)]))


def test_one_bad_day_does_not_move_the_baseline(insert_rows: InsertRows) -> None:
    bad_day = [make_row(NOW - DAY * 3 - SECOND * n, inference_time_ms=4000.0) for n in range(500)]
    steady = [make_row(NOW - DAY * day - SECOND * n) for day in (1, 2, 4, 5) for n in range(50)]
    slow = answers(50, inference_time_ms=13.0)
    assert alerts(insert_rows([*bad_day, *steady, *slow]))["slow"]["baseline"] == 4.0


def test_demonstration_data_is_left_out_beside_predictions_of_people(insert_rows: InsertRows) -> None:
    slow = times(*[500.0] * 50, before=4.0) + rated(40, 5) + weekly(50)
    demonstration = [row | {"id": demo_id(number)} for number, row in enumerate(slow)]
    database = insert_rows(demonstration)
    alone = alerts(database)
    assert {"slow", "satisfaction_low"} <= alone.keys()
    database.run(lambda connection: connection.execute(sa.delete(database.tables.alerts)))
    photos = [make_row(NOW - SECOND * n * 3600, number=n, inference_time_ms=4.0) for n in range(1, 200)]
    ratings = [row | {"user_feedback": 1, "feedback_at": NOW} for row in photos[:20]]
    database = insert_rows(photos[20:] + ratings)
    assert alerts(database).keys() <= {"one_answer"}, "they are all of cats"


def test_a_true_label_overrides_the_rating(insert_rows: InsertRows) -> None:
    wrong = [row | {"true_label": "dog", "user_feedback": None} for row in rated(60, 60)]
    right = [row | {"true_label": "both", "user_feedback": 0, "id": None} for row in rated(60, 0)]
    for number, row in enumerate(right):
        row["id"] = make_row(NOW, number=number)["id"]
    assert alerts(insert_rows(wrong + right))["accuracy_low"]["value"] == pytest.approx(0.5)
