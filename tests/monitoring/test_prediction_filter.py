"""A filter is checked when it is built, and a REST query gives back the filter it was written from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.prediction_filter import (
    HealthQuery,
    Listing,
    PredictionFilter,
    StatisticsQuery,
    check_limit,
    parse_limit,
)
from tests.rows import NOW


def is_window(bounds: tuple[datetime | None, datetime | None]) -> bool:
    start, end = bounds
    return start is None or end is None or start < end


moments = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
filters = (
    st.tuples(moments, moments)
    .filter(is_window)
    .flatmap(
        lambda window: st.builds(
            PredictionFilter,
            st.just(window[0]),
            st.just(window[1]),
            st.none() | st.text(st.characters(exclude_characters="\0"), min_size=1),
            st.none() | st.sampled_from(Answer),
            st.sampled_from(Listing),
        )
    )
)


@given(filters)
def test_a_filter_is_read_from_its_query(prediction_filter: PredictionFilter) -> None:
    assert PredictionFilter.from_query(prediction_filter.to_query()) == prediction_filter


def test_a_query_names_only_the_parameters_of_its_route() -> None:
    wanted = PredictionFilter(NOW, None, "1.1", Answer.CAT, Listing.DISPUTED)
    assert wanted.to_query(StatisticsQuery) == {
        "start": "2026-03-18T12:30:00+00:00",
        "model_version": "1.1",
        "answer": "cat",
        "zone": "UTC",
    }
    assert wanted.to_query(HealthQuery).keys() == {"start", "model_version"}
    assert PredictionFilter().to_query() == {"list": "latest"}


def test_bounds_are_in_utc() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    for moment in (NOW.replace(tzinfo=None), tokyo):
        assert PredictionFilter(start=moment) == PredictionFilter(start=NOW)
        assert PredictionFilter(end=moment).end is not None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"zone": "Paris"}, "time zone must be a name like Europe/Paris"),
        ({"zone": "../etc/passwd"}, "time zone must be a name like Europe/Paris"),
        ({"start": NOW, "end": NOW}, "start of the window must be before its end"),
        ({"start": NOW, "end": NOW - timedelta(days=1)}, "start of the window must be before its end"),
        ({"start": datetime(1969, 12, 31)}, "between the years 1970 and 2999"),  # noqa: DTZ001
        ({"end": datetime(9999, 12, 31, tzinfo=timezone(timedelta(hours=-12)))}, "between the years"),
        ({"model_version": "1.0\0"}, "not a model version"),
        ({"answer": "cow"}, "cat, dog, neither or error"),
        ({"listing": "first"}, "latest, least_sure or disputed"),
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        PredictionFilter(**wrong)


@pytest.mark.parametrize(
    "query",
    [{"start": "yesterday"}, {"end": ""}, {"answer": ""}, {"list": "first"}, {"start": "0001-01-01T00:00:00+10:00"}],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        PredictionFilter.from_query(query)


def test_a_limit_is_a_whole_number_from_1_to_1000() -> None:
    assert [parse_limit(text) for text in ("1", "0010", "1000")] == [1, 10, 1000]
    for text in ("0", "1001", "-1", "ten", "1e2", "", "9" * 5000, "٣"):
        with pytest.raises(InvalidInput, match="limit must be a whole number from 1 to 1000"):
            parse_limit(text)
    for limit in (0, -1, 1001):
        with pytest.raises(InvalidInput):
            check_limit(limit)
