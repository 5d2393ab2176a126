"""Each series of each chart has the values of its name, and texts of users stay text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.i18n import Translator
from catsdogs.monitoring import chart_style, charts, csv_export, kpis
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.time_axis import TimeAxis
from catsdogs.palette import BAD, CAT, DOG, GOOD, NEITHER
from catsdogs.stats import wilson_interval
from tests.monitoring import queries
from tests.rows import NOW, InsertRows, Row, make_row, random_rows

EN, FR = Translator("en"), Translator("fr")
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def statistics_of(insert_rows: InsertRows) -> Callable[..., Statistics]:
    def statistics_of(rows: list[Row], **window: Any) -> Statistics:
        return queries.statistics(insert_rows(rows), **window)

    return statistics_of


@pytest.fixture
def busy(statistics_of: Callable[..., Statistics]) -> Statistics:
    """Weeks with a gap."""
    statistics: Statistics = statistics_of(random_rows(1), end=NOW)
    return statistics


def traces(fig: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in fig.data if trace.name}  # the spans of the buckets have no name


def spans(fig: go.Figure) -> list[str]:
    [found] = [trace.customdata for trace in fig.data if not trace.name]
    return [text.replace("\u202f", " ") for text in found]


def column(statistics: Statistics, name: str) -> tuple[Any, ...]:
    return tuple(bucket[name] for bucket in statistics["timeline"])  # type: ignore[literal-required]


def test_inference_time_shows_the_mean_with_its_gaps_and_a_band_that_does_not_bridge_them(busy: Statistics) -> None:
    fig = charts.inference_time(busy, EN)
    found = traces(fig)
    for name, key in (("Mean", "mean"), ("Median", "p50"), ("p95", "p95")):
        assert found[name].y == column(busy, key)
        assert not found[name].connectgaps
    assert None in found["Mean"].y
    band = found["Median to p95"]
    outline = [(x, y) for x, y in zip(band.x, band.y, strict=True) if x is not None]
    known = [bucket for bucket in busy["timeline"] if bucket["p50"] is not None]
    half = timedelta(seconds=busy["bucket_seconds"]) / 2
    middles = [(datetime.fromisoformat(b["start"]) + half).replace(tzinfo=None).isoformat() for b in known]
    corners = {(x, b[key]) for x, b in zip(middles, known, strict=True) for key in ("p50", "p95")}
    assert set(outline) == corners
    runs = len(re.findall("x+", "".join("." if y is None else "x" for y in found["Mean"].y)))
    assert band.y.count(None) == runs > 1


def test_answers_are_stacked_by_answer_in_the_colours_of_the_prediction_app(busy: Statistics) -> None:
    fig = charts.answers(busy, EN)
    assert fig.layout.barmode == "stack"
    wanted = {"Cat": ("cat", CAT), "Dog": ("dog", DOG), "Neither": ("neither", NEITHER), "Error": ("errors", BAD)}
    assert {name: (trace.y, trace.marker.color) for name, trace in traces(fig).items()} == {
        name: (column(busy, key), colour) for name, (key, colour) in wanted.items()
    }
    assert sum(sum(trace.y) for trace in traces(fig).values()) == busy["total_predictions"]


def test_the_split_shows_both_counts_and_the_rate(busy: Statistics) -> None:
    fig = charts.satisfaction_split(busy, EN)
    [pie] = fig.data
    satisfaction = busy["satisfaction"]
    assert list(zip(pie.labels, pie.values, pie.marker.colors, strict=True)) == [
        ("Satisfied", satisfaction["satisfied"], GOOD),
        ("Unsatisfied", satisfaction["unsatisfied"], BAD),
    ]
    assert satisfaction["rate"]
    assert [note.text for note in fig.layout.annotations] == [EN.percent(satisfaction["rate"])]


def test_the_satisfaction_curve_pools_buckets_and_keeps_their_interval(busy: Statistics) -> None:
    found = traces(charts.satisfaction_rate(busy, EN))
    curve, band = found["Satisfied"], found["95% interval"]
    assert 10 <= len(curve.y) <= charts.MAX_SHARE_POINTS
    opinions = [int(n.replace(",", "")) for _rate, n in curve.customdata]
    assert sum(opinions) == busy["satisfaction"]["n"]
    satisfied = [round((rate or 0) * n) for rate, n in zip(curve.y, opinions, strict=True)]
    assert sum(satisfied) == busy["satisfaction"]["satisfied"]
    intervals = [wilson_interval(good, n) for good, n in zip(satisfied, opinions, strict=True) if n]
    assert {y for y in band.y if y is not None} == {end for ends in intervals if ends for end in ends}


def test_the_error_curve_pools_buckets_and_shows_where_it_matters(busy: Statistics) -> None:
    fig = charts.error_rate(busy, EN)
    curve = traces(fig)["Errors"]
    predictions = [int(n.replace(",", "")) for _share, n in curve.customdata]
    assert sum(predictions) == busy["total_predictions"]
    errors = [round((share or 0) * n) for share, n in zip(curve.y, predictions, strict=True)]
    assert sum(errors) == busy["answers"]["error"]
    low, high = fig.layout.yaxis.range
    assert (low, max(share for share in curve.y if share is not None) < high <= 1.03) == (0, True)


@pytest.mark.parametrize(
    ("n", "errors", "ticks"),
    [
        (20, 0, ["0\xa0%", "5\xa0%", "10\xa0%", "15\xa0%"]),
        (20, 20, ["0\xa0%", "20\xa0%", "40\xa0%", "60\xa0%", "80\xa0%", "100\xa0%"]),
        (1000, 1, ["0\xa0%", "0,2\xa0%", "0,4\xa0%", "0,6\xa0%"]),
    ],
)
def test_the_axis_of_errors_is_written_as_all_percentages_are(
    statistics_of: Any, n: int, errors: int, ticks: list[str]
) -> None:
    rows = [make_row(NOW + timedelta(milliseconds=index), prediction_result="error") for index in range(errors)]
    rows += [make_row(NOW + timedelta(milliseconds=index)) for index in range(errors, n)]
    axis = charts.error_rate(statistics_of(rows), FR).layout.yaxis
    assert [tick.replace("\u202f", "\xa0") for tick in axis.ticktext] == ticks
    assert len(axis.tickvals) == len(ticks)
    assert axis.tickvals[-1] <= axis.range[1]


def test_the_scatter_has_every_feedback_by_opinion(busy: Statistics) -> None:
    fig = charts.feedback(busy, EN)
    found = traces(fig)
    for rating, name, colour in ((1, "Satisfied", GOOD), (0, "Unsatisfied", BAD)):
        points = [point for point in busy["feedback"] if point["user_feedback"] == rating]
        assert found[name].y == tuple(point["confidence"] for point in points)
        assert found[name].x == tuple(point["timestamp"].removesuffix("+00:00") for point in points)
        assert found[name].marker.color == colour
        for text, point in zip(found[name].text, points, strict=True):
            assert text.split("<br>")[1].startswith(charts.answer_name(point["prediction_result"], EN))
            assert (point["user_comment"] or "") in text
    assert found["Satisfied"].marker.symbol != found["Unsatisfied"].marker.symbol  # not by colour alone


def test_of_many_feedbacks_the_scatter_says_that_it_shows_the_latest(
    statistics_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "MAX_FEEDBACK_POINTS", 3)
    found = statistics_of([make_row(NOW + timedelta(seconds=n), user_feedback=1) for n in range(1234)])
    fig = charts.feedback(found, EN)
    assert len(traces(fig)["Satisfied"].x) == 3
    assert fig.layout.title.text == "Feedback: the latest 3 of 1,234"
    assert csv_export.file_name("feedback", found) == "catsdogs-feedback-latest-3-of-1234.csv"


def test_of_a_few_feedbacks_the_scatter_shows_all(busy: Statistics) -> None:
    assert charts.feedback(busy, EN).layout.title.text == "Feedback"
    assert csv_export.file_name("feedback", busy) == "catsdogs-feedback.csv"
    assert csv_export.file_name("timeline", busy) == "catsdogs-timeline.csv"


def test_times_are_those_of_the_readers_wall_clock(statistics_of: Any) -> None:
    """Midsummer noon in UTC is two in the afternoon in Paris."""
    noon = datetime(2026, 6, 21, 12, tzinfo=UTC)
    found = statistics_of([make_row(noon, user_feedback=1)], start=noon, end=noon + timedelta(hours=1))
    for chart in (charts.inference_time, charts.answers, charts.satisfaction_rate, charts.feedback):
        fig = chart(found, EN, PARIS)
        moments = [x for trace in fig.data for x in trace.x if x is not None]
        assert {moment[:13] for moment in moments} == {"2026-06-21T14"}
        first, last = fig.layout.xaxis.range
        assert first < min(moments) <= max(moments) < last


def test_the_time_axis_shows_the_whole_window_even_where_nothing_happened(statistics_of: Any) -> None:
    start = NOW - timedelta(days=30)
    found = statistics_of([make_row(NOW - timedelta(hours=1), user_feedback=1)], start=start, end=NOW)
    for chart in (charts.inference_time, charts.answers, charts.satisfaction_rate, charts.feedback):
        first, last = (datetime.fromisoformat(end).replace(tzinfo=UTC) for end in chart(found, EN).layout.xaxis.range)
        assert first <= start
        assert last >= NOW - timedelta(seconds=found["bucket_seconds"])


@pytest.mark.parametrize(
    ("day", "hours", "texts"),
    [
        ("2025-10-26", ["00", "01", "02", "03", "04", "05"], ["1:00 AM – 2:00 AM CEST", "2:00 AM CEST – 2:00 AM CET"]),
        ("2026-03-29", ["00", "01", "02", "03", "04", "05"], ["1:00 AM CET – 3:00 AM CEST", "3:00 AM – 4:00 AM CEST"]),
    ],
)
def test_no_hour_is_lost_or_drawn_twice_where_the_clock_changes(
    statistics_of: Any, day: str, hours: list[str], texts: list[str]
) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=PARIS).astimezone(UTC)
    rows = [make_row(start + timedelta(hours=n), inference_time_ms=float(n + 1), user_feedback=1) for n in range(6)]
    found = statistics_of(rows, start=start, end=start + timedelta(hours=100))
    assert found["bucket_seconds"] == 3600
    fig = charts.inference_time(found, EN, PARIS)
    mean = traces(fig)["Mean"]
    assert [x[11:13] for x, y in zip(mean.x, mean.y, strict=True) if y] == hours
    assert [text.partition("2025, ")[2] or text.partition("2026, ")[2] for text in spans(fig)[1:3]] == texts
    ticks = dict(zip(fig.layout.xaxis.ticktext, fig.layout.xaxis.tickvals, strict=True))
    assert 3 <= len(ticks) <= 6
    assert [value[11:13] for value in ticks.values()] != ["00"] * len(ticks)  # midnights after the change


@pytest.mark.parametrize(
    ("days", "texts"),
    [
        (2, ["12:00 AM CET<br>Mar 29", "12:00 PM CEST", "12:00 AM CEST<br>Mar 30", "12:00 PM CEST"]),
        (20, ["Mar 29", "Apr 5", "Apr 12"]),
        (150, ["Apr 2026", "May 2026", "Jun 2026", "Jul 2026", "Aug 2026"]),
        (700, ["Jul 2026", "Jan 2027", "Jul 2027", "Jan 2028"]),
        (9000, ["Apr 2026", "Jun 2030", "Aug 2034", "Oct 2038", "Dec 2042", "Feb 2047"]),
    ],
)
def test_where_the_clock_changes_the_marks_are_full_hours_days_or_months(days: int, texts: list[str]) -> None:
    start = datetime(2026, 3, 28, 15, 30, tzinfo=PARIS)
    width = timedelta(days=days) / 10
    fig = TimeAxis([start + width * number for number in range(10)], width, PARIS, EN).draw(go.Figure())
    assert [text.replace("\u202f", " ") for text in fig.layout.xaxis.ticktext] == texts
    places = [datetime.fromisoformat(place) for place in fig.layout.xaxis.tickvals]
    begin = datetime.fromisoformat("2026-03-28T15:30")
    shown = [(start.astimezone(UTC) + (place - begin)).astimezone(PARIS) for place in places]
    assert {moment.hour for moment in shown} <= {0, 12}, "by the clock on the wall, though summer's is an hour later"


@pytest.mark.parametrize(
    ("translator", "texts"),
    [
        (EN, ["Mar 18, 2026, 12:00 PM – 1:00 PM", "Mar 18, 2026", "Mar 18, 2026, 6:00 PM – Mar 19, 2026, 6:00 AM"]),
        (FR, ["18 mars 2026, 12:00 – 13:00", "18 mars 2026", "18 mars 2026, 18:00 – 19 mars 2026, 06:00"]),
    ],
)
def test_a_point_says_its_whole_span(translator: Translator, texts: list[str]) -> None:
    day, found = datetime(2026, 3, 18, tzinfo=UTC), []
    for first, hours in ((12, 1), (0, 24), (18, 12)):
        width, start = timedelta(hours=hours), day + timedelta(hours=first)
        found.append(TimeAxis([start], width, UTC, translator).span(start, start + width).replace("\u202f", " "))
    assert found == texts


def test_among_the_answers_of_one_kind_there_is_no_error_rate(statistics_of: Any) -> None:
    found = statistics_of([make_row(NOW, prediction_result="cat")], start=NOW - timedelta(days=1), answer="cat")
    assert (found["error_rate"], found["answers"]["error"]) == (None, 0)
    [note] = charts.error_rate(found, EN).layout.annotations
    assert note.text == "Only of all answers together"


def test_nobody_is_not_written_on_the_ring(statistics_of: Any) -> None:
    found = statistics_of([make_row(NOW, user_feedback=1)], start=NOW - timedelta(days=1))
    assert charts.satisfaction_split(found, EN).data[0].text == ("1", "")


@pytest.mark.parametrize("chart", charts.CHARTS.values())
def test_a_chart_without_data_shows_a_sentence(statistics_of: Any, chart: Any) -> None:
    for window in ({}, {"start": NOW - timedelta(days=1), "end": NOW}):
        fig = chart(statistics_of([], **window), EN, UTC)
        [note] = fig.layout.annotations
        assert note.text.endswith("in this window.")
        assert not fig.data
        assert (fig.layout.xaxis.visible, fig.layout.yaxis.visible) == (False, False)


def test_only_errors_are_drawn_as_errors_and_take_no_time(statistics_of: Any) -> None:
    found = statistics_of([make_row(NOW, prediction_result="error")], end=NOW + timedelta(minutes=1))
    assert sum(traces(charts.answers(found, EN))["Error"].y) == 1
    assert not charts.inference_time(found, EN).data


def test_a_single_row_is_drawn(statistics_of: Any) -> None:
    """A line needs two points: one alone is a marker, and its band an upright stroke."""
    found = statistics_of([make_row(NOW, user_feedback=1)], end=NOW + timedelta(minutes=1))
    for fig in (charts.inference_time(found, EN), charts.satisfaction_rate(found, EN)):
        _, band, *curves = fig.data
        assert any("markers" in curve.mode for curve in curves)
        assert band.line.width > 0


@given(st.text(max_size=1200))
def test_a_comment_in_a_chart_is_text_only(comment: str) -> None:
    shown = chart_style.plain(comment)
    assert re.sub("<br>", "", shown).count("<") == 0
    assert "$" not in shown  # where TeX would begin
    parts = html.unescape(shown.replace("<br>", " ")).split()
    if len(comment) <= 240:
        assert "".join(parts) == "".join(comment.split())
    assert all(len(html.unescape(line)) <= 48 for line in shown.split("<br>"))


def test_a_comment_with_markup_is_shown_as_text(statistics_of: Any) -> None:
    comment = '<a href="javascript:alert(1)">$x$ &amp; %{y}</a>'
    row = make_row(NOW, rgpd_consent=True, user_feedback=1, user_comment=comment)
    satisfied = traces(charts.feedback(statistics_of([row], end=NOW + timedelta(minutes=1)), EN))["Satisfied"]
    [text] = satisfied.text
    assert text.replace("\u202f", " ").split("<br>")[:2] == ["Mar 18, 2026, 12:30:00 PM", "Cat (85.5%)"], (
        "as people were told it"
    )
    assert html.unescape(text.split("<br>", 2)[2].replace("<br>", " ")) == comment
    assert satisfied.hovertemplate == "%{text}<extra></extra>"  # a value, never a template


def test_numbers_and_dates_are_in_the_readers_language(busy: Statistics) -> None:
    fig = charts.satisfaction_split(busy, FR)
    assert re.fullmatch(r"\d+,\d\s%", fig.layout.annotations[0].text)
    assert fig.layout.separators[0] == ","
    assert chart_style.config(FR)["locales"]["fr"]["format"]["shortMonths"][7] == "août"


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("dark", "page"), [(False, "#ffffff"), (True, "#1e2128")])
def test_colours_have_enough_contrast_on_light_and_dark_pages(dark: bool, page: str) -> None:
    def contrast(colour: str) -> float:
        low, high = sorted((luminance(colour), luminance(page)))
        return (high + 0.05) / (low + 0.05)

    assert contrast(chart_style.template(dark=dark)["layout"]["font"]["color"]) >= 7
    for colour in (CAT, DOG, NEITHER, GOOD, BAD, chart_style.LATENCY):
        assert contrast(colour) >= 2  # WCAG asks 3 of what has no text beside it: all of these have


def test_a_few_predictions_are_counted_in_whole_numbers(statistics_of: Any) -> None:
    assert charts.answers(statistics_of([make_row()]), EN).layout.yaxis.dtick == 1
    many = [make_row(NOW + timedelta(seconds=second)) for second in range(1, 9)]
    assert charts.answers(statistics_of(many), EN).layout.yaxis.dtick is None
