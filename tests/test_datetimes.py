"""Timestamps in texts: one parser, one format."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.datetimes import iso, parse_timestamp, utc
from catsdogs.errors import InvalidInput

EIGHT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_a_formatted_timestamp_is_parsed_back(moment: datetime) -> None:
    assert parse_timestamp(iso(moment)) == moment.astimezone(UTC)


def test_a_timestamp_is_formatted_in_utc() -> None:
    assert iso(EIGHT.astimezone(timezone(timedelta(hours=2)))) == "2026-03-01T08:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T08:00", "2026-03-01 08:00", "2026-03-01T08:00Z", "2026-03-01T09:00+01:00", "2026-03-01T09:00 01:00"],
)
def test_a_text_without_a_zone_is_in_utc_and_one_with_is_the_same_moment(text: str) -> None:
    assert parse_timestamp(text) == EIGHT


def test_another_zone_may_be_assumed() -> None:
    assert parse_timestamp("2026-03-01T09:00", zone=ZoneInfo("Europe/Paris")) == EIGHT
    assert parse_timestamp("2026-03-01T08:00Z", zone=ZoneInfo("Europe/Paris")) == EIGHT


def test_a_time_without_a_zone_is_formatted_as_utc_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as tokyo:
            tokyo.setenv("TZ", "Asia/Tokyo")
            time.tzset()
            assert iso(datetime(2026, 3, 1, 8)) == iso(EIGHT)  # noqa: DTZ001
    finally:
        time.tzset()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "08:00"])
def test_a_text_that_is_no_timestamp_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(
        InvalidInput,
        match="end must be a date, or a date and time, in ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z",
    ):
        parse_timestamp(text, "end")


def test_years_are_bounded() -> None:
    assert utc(datetime(1970, 1, 1)) == datetime(1970, 1, 1, tzinfo=UTC)  # noqa: DTZ001
    with pytest.raises(InvalidInput, match="between the years 1970 and 2999"):
        utc(datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    with pytest.raises(InvalidInput, match="between the years 1970 and 2999"):
        utc(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))))
    with pytest.raises(InvalidInput, match="between the years 1970 and 2999"):
        parse_timestamp("0001-01-01T00:00:00+10:00")
