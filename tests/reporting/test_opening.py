"""The opening of a report: the verdict, what changed, the worst days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from catsdogs.alerting.alert import Measure
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Statistics
from catsdogs.reporting.opening import changes, report_verdict, worst_days
from catsdogs.reporting.period import cut_to_data, parse_period
from tests.monitoring import queries
from tests.rows import NOW, InsertRows, Row, make_row

EN = Translator("en")
GOOD_HEALTH: Any = {"judged": {"rate": 0.99, "high": 1.0, "n": 90}, "calibration": None, "drift": []}


def week(insert_rows: InsertRows, rows: list[Row]) -> Statistics:
    return queries.statistics(insert_rows(rows), start=NOW - timedelta(days=7), end=NOW)


def rows(first_day: int, *, slow_day: int = -1) -> list[Row]:
    """Fifty photos a day for a week; on the slow day, three times slower."""
    return [
        make_row(NOW - timedelta(days=first_day + day, minutes=n), inference_time_ms=12.0 if day == slow_day else 4.0)
        for day in range(7)
        for n in range(50)
    ]


def test_a_good_week_is_called_good(insert_rows: InsertRows) -> None:
    found = week(insert_rows, [*rows(0), *rows(7)])
    assert report_verdict(found, GOOD_HEALTH, [], EN).line(EN) == (
        "Good. No alert fired, and no figure became clearly worse."
    )
    assert changes(found, EN) == ["No figure changed clearly against the period of the same length before."]


def test_a_worse_week_is_to_be_watched_and_names_the_day(insert_rows: InsertRows) -> None:
    found = week(insert_rows, [*rows(0, slow_day=2), *rows(7)])
    assert report_verdict(found, GOOD_HEALTH, [], EN).line(EN) == (
        "To be watched. Mean inference time: 5.1 ms · Slower than before: 4.0 ms."
    )
    assert changes(found, EN) == ["Mean inference time: 5.1 ms · Slower than before: 4.0 ms"]
    assert worst_days(found, EN) == ["Slowest day: March 16, 2026, with 12.0 ms on average."]


def test_the_verdict_names_alerts_and_the_model(insert_rows: InsertRows) -> None:
    found = week(insert_rows, rows(0))
    assert changes(found, EN) == [
        "There is nothing to compare with: no photo was sent in the period of the same length before."
    ]
    resolved: Any = {"measure": Measure.ERRORS, "state": "resolved"}
    firing: Any = {"measure": Measure.SATISFACTION, "state": "firing"}
    bad = GOOD_HEALTH | {"judged": {"rate": 0.6, "high": 0.7, "n": 100}}
    assert report_verdict(found, GOOD_HEALTH, [resolved, resolved], EN).line(EN) == (
        "To be watched. Resolved: Many photos cannot be read."
    )
    assert report_verdict(found, bad, [resolved, firing, firing], EN).line(EN) == (
        "Bad. Alert: People are dissatisfied. People judged 60.0% of 100 answers as right; at least 90% should be."
    )
    nobody = queries.statistics(insert_rows([]), start=NOW - timedelta(days=900), end=NOW - timedelta(days=800))
    assert report_verdict(nobody, GOOD_HEALTH, [], EN).line(EN) == (
        "Cannot be told yet. Nobody sent a photo in this period."
    )


@pytest.mark.parametrize(
    ("first", "start", "end"),
    [
        ("2025-10-24T13:00:00+00:00", "2025-10-24T00:00:00+02:00", "2025-10-26T12:00:00+01:00"),
        ("2020-01-01T00:00:00+00:00", "2025-10-01T00:00:00+02:00", "2025-10-26T12:00:00+01:00"),
        (None, "2025-10-01T00:00:00+02:00", "2025-10-26T12:00:00+01:00"),
    ],
)
def test_a_period_is_cut_to_the_data(paris: None, first: str | None, start: str, end: str) -> None:
    asked = datetime.fromisoformat("2025-10-01T00:00:00+02:00"), datetime.fromisoformat("2025-12-01T00:00:00+01:00")
    now = datetime.fromisoformat("2025-10-26T11:59:57+01:00")
    assert [moment.isoformat() for moment in cut_to_data(*asked, first, now)] == [start, end]


def test_a_period_that_ends_now_is_not_cut_some_seconds_later() -> None:
    """The name of the file is made of the one, and the title of the other."""
    now = datetime.fromisoformat("2025-10-26T11:59:57+01:00")
    asked = parse_period(now=now)
    assert cut_to_data(*asked, None, now) == cut_to_data(*asked, None, now + timedelta(seconds=9)) == asked
