"""The period of a report, as people and schedulers give it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.reporting.period import DEFAULT_LENGTH, is_over, parse_period
from tests.rows import NOW


def test_the_default_period_is_the_last_seven_days() -> None:
    now = datetime(2026, 3, 18, 12, 30, 12, tzinfo=UTC)
    start, end = parse_period(now=now)
    assert (start, end) == (datetime(2026, 3, 11, 12, 31, tzinfo=UTC), datetime(2026, 3, 18, 12, 31, tzinfo=UTC))
    start, end = parse_period("2026-03-01T00:00+01:00", "2026-03-08T00:00+01:00", now=now)
    assert (start, end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 7, 23, tzinfo=UTC))
    start, end = parse_period(end="2026-03-08T00:00Z", now=now)
    assert end - start == DEFAULT_LENGTH


def test_a_week_has_seven_days_in_local_time(paris: None) -> None:
    start, end = parse_period(end="2025-11-01")
    assert (start.isoformat(), end.isoformat()) == ("2025-10-25T00:00:00+02:00", "2025-11-01T00:00:00+01:00")
    twice = parse_period(
        "2025-10-26T02:50+02:00", "2025-10-26T02:10+01:00"
    )  # 20 minutes, in which the clock is set back
    assert [moment.hour for moment in twice] == [2, 2]
    with pytest.raises(InvalidInput):
        parse_period("2025-10-26T02:10+01:00", "2025-10-26T02:50+02:00")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("yesterday", ""),
        ("2026-02-30", ""),
        ("", "2026-13-01"),
        ("2026-03-08", "2026-03-08"),
        ("2026-03-08", "2026-03-01"),
        ("2999-01-01", ""),
        ("2027-01-01", "2027-02-01"),
        ("0001-01-01", "2026-01-01"),
        ("9999-12-31T23:59-12:00", ""),
    ],
)
def test_an_invalid_period_is_refused(start: str, end: str) -> None:
    with pytest.raises(InvalidInput):
        parse_period(start, end, now=NOW)


def test_a_start_in_the_future_is_told_as_such_also_where_no_end_is_given() -> None:
    with pytest.raises(InvalidInput, match="the period is in the future"):
        parse_period("2999-01-01", now=NOW)


def test_a_period_that_ended_some_seconds_ago_is_not_over() -> None:
    now = datetime.now(UTC)
    assert not is_over(now + timedelta(minutes=1))
    assert not is_over(now - timedelta(seconds=30))
    assert is_over(now - timedelta(hours=1))
