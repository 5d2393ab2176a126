"""A trend is described in words, but only if it is significant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catsdogs.i18n import Translator
from catsdogs.monitoring import kpis
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.trends import Trend, TrendTone, trends
from tests.rows import NOW, InsertRows, Row, make_row

EN = Translator("en")
WEEK = timedelta(days=7)


@pytest.fixture
def trends_of(insert_rows: InsertRows) -> Any:
    """Compare two weeks."""

    def trends_of(now: list[Row], before: list[Row]) -> dict[str, Trend]:
        database = insert_rows(
            [row | {"timestamp": NOW - timedelta(minutes=index + 1)} for index, row in enumerate(now)]
            + [row | {"timestamp": NOW - WEEK - timedelta(minutes=index + 1)} for index, row in enumerate(before)]
        )
        found: Statistics = database.run(
            lambda c: kpis.statistics(c, database.tables.predictions, PredictionFilter(NOW - WEEK, NOW))
        )
        return trends(found, EN)

    return trends_of


def rows(n: int, **values: Any) -> list[Row]:
    return [make_row(width=index + 1, **values) for index in range(n)]


def unique(found: list[Row], week: int) -> list[Row]:
    return [make_row(**{**row, "width": None, "height": week * 10_000 + index}) for index, row in enumerate(found, 1)]


def test_clear_changes_for_the_worse(trends_of: Any) -> None:
    before = [*rows(90, user_feedback=1), *rows(10, user_feedback=0)]
    now = [*rows(120, user_feedback=0, inference_time_ms=8.0), *rows(30, prediction_result="error")]
    found = trends_of(unique(now, 1), unique(before, 2))
    assert found == {
        "total": Trend("↑", "150", "50% more than the 100 before"),
        "latency": Trend("↑", "8.0 ms", "Slower than before: 4.0 ms", TrendTone.BAD),
        "satisfaction": Trend("↓", "0%", "Lower than before: 90.0%", TrendTone.BAD),
        "errors": Trend("↑", "20.0%", "Higher than before: 0%", TrendTone.BAD),
        "consent": Trend("=", "0%", "No clear change: 0% before"),
    }


def test_a_difference_below_half_a_percent_is_no_change(trends_of: Any) -> None:
    found = trends_of(unique(rows(301), 1), unique(rows(300, inference_time_ms=5.0), 2))
    assert found["total"] == Trend("=", "301", "About as many as the 300 before")


def test_clear_changes_for_the_better(trends_of: Any) -> None:
    before = [*rows(100, user_feedback=0, inference_time_ms=8.0), *rows(50, prediction_result="error")]
    found = trends_of(unique(rows(100, user_feedback=1, rgpd_consent=True), 1), unique(before, 2))
    assert found == {
        "total": Trend("↓", "100", "33% fewer than the 150 before"),
        "latency": Trend("↓", "4.0 ms", "Faster than before: 8.0 ms", TrendTone.GOOD),
        "satisfaction": Trend("↑", "100%", "Higher than before: 0%", TrendTone.GOOD),
        "errors": Trend("↓", "0%", "Lower than before: 33.3%", TrendTone.GOOD),
        "consent": Trend("↑", "100%", "Higher than before: 0%"),
    }


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        (4535, 2, Trend("↑", "4,535", "2 in the period before")),
        (3, 29, Trend("↓", "3", "29 in the period before")),
        (29, 29, Trend("=", "29", "As many as in the period before")),
        (45, 30, Trend("=", "45", "No clear change: 30 before")),
        (48, 30, Trend("↑", "48", "60% more than the 30 before")),
        (188, 184, Trend("=", "188", "No clear change: 184 before")),
        (600_899, 900, Trend("↑", "600,899", "900 in the period before")),
    ],
)
def test_changes_of_small_counts_and_by_chance_are_not_given_in_percent(now: int, before: int, trend: Trend) -> None:
    no_ratings = {"n": 0, "satisfied": 0}
    found: Any = {
        "total_predictions": now,
        "successful_predictions": now,
        "error_rate": 0.0,
        "rgpd_consents": 0,
        "satisfaction": no_ratings,
        "answers": {"error": 0},
        "inference_time_ms": {"mean": None},
        "previous": {
            "total_predictions": before, "errors": 0, "rgpd_consents": 0, "mean_ms": None, "satisfaction": no_ratings
        },
    }  # fmt: skip
    assert trends(found, EN)["total"] == trend


def test_small_counts_have_no_clear_change(trends_of: Any) -> None:
    now = [*rows(2, user_feedback=0, inference_time_ms=40.0), *rows(1, prediction_result="error")]
    found = trends_of(unique(now, 1), unique(rows(3, user_feedback=1), 2))
    assert {trend.tone for trend in found.values()} == {TrendTone.PLAIN}
    assert {trend.arrow for trend in found.values()} == {"="}
    assert found["latency"].words == "Too few before to compare with: 3"
    many = trends_of(unique(rows(2, inference_time_ms=40.0), 1), unique(rows(40), 2))
    assert many["latency"].words == "Too few now to compare with 4.0 ms before"


def test_without_a_period_before_there_is_no_trend(trends_of: Any, insert_rows: InsertRows) -> None:
    assert trends_of([], []) == {}
    assert trends_of(rows(3), []) == {"total": Trend("↑", "3", "None in the period before")}
    database = insert_rows([])
    assert trends(database.run(lambda c: kpis.statistics(c, database.tables.predictions)), EN) == {}


def test_where_only_one_period_was_rated_nothing_is_compared(trends_of: Any) -> None:
    assert "satisfaction" not in trends_of(unique(rows(3, user_feedback=1), 1), unique(rows(3), 2))
