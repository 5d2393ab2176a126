"""The measure of each packaged rule, on both sides of its limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from tests.rows import NOW, InsertRows, Row, make_row

RULES = load_rules()
MINUTE = timedelta(minutes=1)


def rated(n: int, satisfied: int, interval: timedelta = MINUTE) -> list[Row]:
    return [make_row(NOW - interval * (index + 1), user_feedback=int(index < satisfied)) for index in range(n)]


def times(*milliseconds: float) -> list[Row]:
    return [make_row(NOW - MINUTE * index, inference_time_ms=ms) for index, ms in enumerate(milliseconds, 1)]


def answers(n: int, **values: Any) -> list[Row]:
    return [make_row(NOW - MINUTE / 2 * (index + 1), **values) for index in range(n)]


def broken_rules(database: Database) -> dict[str, Alert]:
    evaluate(database, RULES, NOW)
    return {alert["rule"]: alert for alert in list_alerts(database, RULES, now=NOW)}


CASES = {
    "satisfaction_low": (rated(100, 69, timedelta(hours=2)), rated(100, 70, timedelta(hours=2)), 0.69, 100),
    "many_negatives": (rated(20, 9), rated(20, 10), 0.45, 20),
    "slow": (times(*[6.1] * 50, *[4.0] * 100), times(*[5.9] * 50, *[4.0] * 100), 6.1 / 4, 50),
    "errors": (
        answers(94) + answers(6, prediction_result="error"),
        answers(95) + answers(5, prediction_result="error"),
        0.06,
        100,
    ),
    "unsure": (
        answers(85, proba_cat=0.6, proba_dog=0.4) + answers(15),
        answers(80, proba_cat=0.6, proba_dog=0.4) + answers(20),
        0.85,
        100,
    ),
    "one_answer": (
        answers(81) + answers(19, prediction_result="dog", proba_cat=0.1, proba_dog=0.9),
        answers(80) + answers(20, prediction_result="neither"),
        0.81,
        100,
    ),
    "accuracy_low": (rated(100, 89, timedelta(hours=7)), rated(100, 90, timedelta(hours=7)), 0.89, 100),
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_is_broken_just_beyond_its_limit(insert_rows: InsertRows, name: str) -> None:
    beyond, _, value, n = CASES[name]
    alert = broken_rules(insert_rows(beyond))[name]
    assert alert["value"] == pytest.approx(value)
    assert alert["n"] == n


@pytest.mark.parametrize("name", CASES)
def test_no_rule_is_broken_at_its_limit(insert_rows: InsertRows, name: str) -> None:
    _, within, _, _ = CASES[name]
    assert name not in broken_rules(insert_rows(within))


def test_no_rule_is_broken_by_too_few_predictions(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    assert broken_rules(database) == {}
    insert_rows(answers(5, prediction_result="error") + rated(5, 0))
    assert broken_rules(database) == {}


def test_a_true_label_overrides_the_rating(insert_rows: InsertRows) -> None:
    wrong = [row | {"true_label": "dog", "user_feedback": None} for row in rated(60, 60)]
    right = [row | {"true_label": "both", "user_feedback": 0} for row in rated(60, 0, MINUTE / 7)]
    assert broken_rules(insert_rows(wrong + right))["accuracy_low"]["value"] == pytest.approx(0.5)
