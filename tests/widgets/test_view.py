"""The view of the dashboard, and its address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catsdogs.domain import Answer
from catsdogs.i18n import Translator
from catsdogs.monitoring.prediction_filter import Listing
from catsdogs.widgets.view import CUSTOM, WINDOWS, View, ViewSnapshot

NOW = datetime(2026, 3, 18, 12, 30, tzinfo=UTC)
seconds = st.datetimes(datetime(1971, 1, 1), datetime(2998, 12, 31)).map(  # noqa: DTZ001 (Hypothesis adds the zone)
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
names = st.text(st.characters(categories=["L", "N", "P"]), max_size=20)
rest = {"model_version": names, "answer": st.sampled_from(["", *Answer]), "listing": st.sampled_from(Listing)}
spans = (
    st.tuples(seconds, seconds).map(sorted).filter(lambda moments: moments[0] < moments[1])
    | st.tuples(seconds, st.none())
    | st.tuples(st.none(), seconds | st.none())
)
views = st.builds(View, window=st.sampled_from(list(WINDOWS)), **rest) | st.builds(
    lambda span, **rest: View(**rest).between(*span), spans, **rest
)


ON_A_BUSY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ON_A_BUSY_MACHINE
@given(views)
def test_an_address_restores_its_view(view: View) -> None:
    query = urlencode({name: value for name, value in view.address().items() if value})
    assert View.of_address(query) == (view, [])


@ON_A_BUSY_MACHINE
@given(
    st.dictionaries(
        st.sampled_from(["window", "from", "to", "model", "answer", "list", "lang"]),
        st.text() | st.sampled_from(["all", "9d", CUSTOM, "cat", "latest", "2026-01-01", "9999-12-31T23:59-14:00"]),
    )
)
def test_every_address_gives_a_view(given: dict[str, str]) -> None:
    view, wrong = View.of_address(urlencode(given))
    assert set(wrong) <= set(given)
    start, end = view.bounds(NOW)
    assert start is None or end is None or start < end
    assert View.of_address(urlencode(view.address()))[1] == []


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("window=9d", ["window"]),
        ("window=custom", ["window"]),
        ("from=yesterday&to=2026-01-01", ["from"]),
        ("from=0001-01-01", ["from"]),
        ("from=2026-02-01&to=2026-01-01", ["from", "to"]),
        ("answer=cow&list=all", ["answer", "list"]),
        ("model=a%00b", ["model"]),
        (f"model={'x' * 101}", ["model"]),
        ("answer=cat&answer=cow", ["answer"]),
        ("lang=fr&theme=dark&=&%ff=%ff", []),
    ],
)
def test_wrong_parameters_are_named_and_replaced_by_defaults(query: str, wrong: list[str]) -> None:
    view, found = View.of_address(query)
    assert found == wrong
    assert (view.window, view.answer, view.model_version, view.listing) == (
        "custom" if wrong == ["from"] and "to=" in query else "7d",
        "",
        "",
        "latest",
    )


def test_a_moment_without_a_time_zone_is_in_utc() -> None:
    for text in ("2026-03-01T08:00", "2026-03-01T09:00+01:00", "2026-03-01T08:00Z"):
        for query in (f"from={text}", urlencode({"from": text})):  # also with a + that is not percent-encoded
            assert View.of_address(query)[0].bounds(NOW) == (datetime(2026, 3, 1, 8, tzinfo=UTC), None)


def test_a_custom_window_without_bounds_is_all_the_time() -> None:
    view = View(window=CUSTOM, start=NOW).between(None, None)
    assert (view.bounds(NOW), view.address()["window"]) == ((None, None), "all")


def test_the_bounds_of_a_window_end_now() -> None:
    assert View(window="24h").bounds(NOW) == (NOW - timedelta(hours=24), None)
    assert View(window="all").bounds(NOW) == (None, None)


@pytest.mark.parametrize(
    ("versions", "name"), [(["2.0"], "Model 2.0"), (["1.2", "2.0"], "All models"), ([], "All models")]
)
def test_a_caption_names_the_model_that_alone_answered(versions: list[str], name: str) -> None:
    snapshot = ViewSnapshot(View(), datetime(2026, 3, 18, tzinfo=UTC), UTC)
    assert snapshot.caption(versions, Translator("en")).split(" · ")[1] == name
