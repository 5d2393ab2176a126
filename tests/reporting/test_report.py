"""What the report says, and the page it stands on; running the notebook is tested in `tests/notebooks`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from catsdogs.alerting.alert import Alert, AlertState, Measure
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from catsdogs.errors import InvalidInput
from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED
from catsdogs.monitoring import kpis
from catsdogs.monitoring.figures import ModelHealth, Statistics
from catsdogs.monitoring.model_health import cards, model_health
from catsdogs.reporting import build, report
from catsdogs.reporting import period as period_module
from catsdogs.reporting.build import FIGURE, page
from catsdogs.reporting.period import DEFAULT_LENGTH, period
from catsdogs.reporting.report import ALERTS, Report
from tests.rows import NOW, Keep, Row, make_row, random_rows


class Figures:
    """What a report asks a service for, at the tests' moment."""

    def __init__(self, database: Database) -> None:
        self.database, self.table = database, database.tables.predictions

    def statistics(self, **window: Any) -> Statistics:
        return self.database.run(lambda connection: kpis.statistics(connection, self.table, **window))

    def model_health(self, **window: Any) -> ModelHealth:
        known = cards(self.database.settings)
        return self.database.run(lambda connection: model_health(connection, self.table, known, **window))

    def alerts(self, *, since: datetime | None = None) -> list[Alert]:
        return list_alerts(self.database, load_rules(), since=since, now=NOW)


@pytest.fixture
def report_of(keep: Keep) -> Any:
    def report_of(rows: list[Row], language: str = "en") -> Report:
        database, start = keep(rows), NOW - timedelta(days=20)
        evaluate(database, load_rules(), NOW)
        service = Figures(database)
        since = {"start": start, "end": NOW}
        return Report(
            service.statistics(**since), service.model_health(**since), service.alerts(), start, NOW, language
        )

    return report_of


def test_it_says_the_figures_in_words(report_of: Any) -> None:
    hour = timedelta(hours=1)
    rows = [make_row(NOW - hour * n, inference_time_ms=time) for n, time in enumerate((2.0, 4.0, 9.0), 1)]
    rows[0]["user_feedback"], rows[1]["user_feedback"] = 1, 0
    for row in rows[:2]:
        row["feedback_at"] = NOW
    rows.append(make_row(NOW - hour * 4, prediction_result="error"))
    assert report_of(rows).sentences() == [
        "4 photos were sent. 1 of them could not be read (25.0%).",
        "An answer took 5.0 ms on average, from 2.0 ms to 9.0 ms.",
        "50.0% of those who said whether the answer was right were satisfied: 1 of 2 (95% interval: 9.5% to 90.5%).",
        "0.0% came with consent to keep file name and comment.",
    ]


def test_it_says_so_where_there_is_nothing_to_say(report_of: Any) -> None:
    assert report_of([]).sentences() == ["Nobody sent a photo in this period."]
    [sent, *rest] = report_of([make_row(NOW - timedelta(hours=1), prediction_result="error")]).sentences()
    assert sent == "1 photo was sent. 1 of them could not be read (100.0%)."
    assert "Nobody said whether an answer was right." in rest
    assert not any("ms" in sentence for sentence in rest)


def test_it_counts_the_answers(report_of: Any) -> None:
    rows = [
        make_row(NOW - timedelta(hours=n), prediction_result=answer)
        for n, answer in enumerate(("cat", "cat", "dog", "error"), 1)
    ]
    table = report_of(rows).answers().data
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table)]
    assert cells[1:] == [
        ["Cat", "2", "50.0%"],
        ["Dog", "1", "25.0%"],
        ["Neither", "0", "0.0%"],
        ["Error", "1", "25.0%"],
    ]


def test_it_says_what_must_be_done_to_people_and_to_programs(report_of: Any) -> None:
    assert "<p>No alert.</p>" in report_of([]).alerts().html
    unread = [make_row(NOW - timedelta(hours=n), prediction_result="error") for n in range(1, 31)]
    shown = report_of(unread).alerts()
    assert shown.firing == ["errors"]
    assert shown._repr_mimebundle_()[ALERTS] == {"firing": ["errors"]}
    assert '<li class="firing"><strong>Alert: Many photos cannot be read</strong>' in shown.html
    assert "100.0% of 30 photos could not be read" in shown.html
    assert "Look in the server" in shown.html


def test_it_tells_alerts_as_they_stood_at_the_end_of_a_period_that_is_over(report_of: Any) -> None:
    def alert(rule: str, since: int, fired: int | None, resolved: int | None) -> Alert:
        moments = [None if hours is None else (NOW + timedelta(hours=hours)).isoformat() for hours in (fired, resolved)]
        state = (
            AlertState.RESOLVED if resolved is not None else AlertState.PENDING if fired is None else AlertState.FIRING
        )
        return Alert(
            rule=rule, measure=Measure.ERRORS, state=state, since=(NOW + timedelta(hours=since)).isoformat(),
            fired_at=moments[0], resolved_at=moments[1], value=0.5, n=50, limit=0.05,
        )  # fmt: skip

    seen = [
        alert("began_later", 1, 2, None),
        alert("began_and_ended_later", 1, 2, 3),
        alert("ended_before", -5, -4, -3),
        alert("fired_later", -1, 1, 2),
        alert("fires_still", -9, -8, None),
        alert("ended_later", -2, -1, 3),
    ]
    empty = report_of([])
    made = Report(empty.statistics, empty.health, seen, NOW - timedelta(days=1), NOW, "en")
    assert [(told["rule"], told["state"].value) for told in made._alerts] == [
        ("fires_still", "firing"),
        ("ended_later", "firing"),
        ("fired_later", "pending"),
        ("ended_before", "resolved"),
    ]
    shown = made.alerts()
    assert shown.firing == ["fires_still", "ended_later"]
    assert re.match(r"<h2>Alerts, as of Mar 18, 2026,\s", shown.html)
    assert shown.html.count("Look in the server") == 1  # what is over by now needs nobody


def test_it_tells_the_alerts_of_now_where_the_period_reaches_to_now(report_of: Any) -> None:
    empty, now = report_of([]), datetime.now(UTC)
    assert (
        "No alert: nothing needs you now."
        in Report(empty.statistics, empty.health, [], now - timedelta(days=1), now, "en").alerts().html
    )
    seen: Any = {"rule": "errors", "measure": "errors", "state": "firing", "value": 0.5, "n": 50, "limit": 0.05}
    seen |= {"since": (now + timedelta(seconds=9)).isoformat(), "fired_at": now.isoformat(), "resolved_at": None}
    made = Report(empty.statistics, empty.health, [seen], now - timedelta(days=1), now, "en")
    assert made.alerts().firing == ["errors"]  # it was checked some seconds after the end


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in Paris, where clocks were set back on 26 October 2025."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Paris")
        for module in (period_module, report):
            patch.setattr(module, "LOCAL", ZoneInfo("Europe/Paris"))
        time.tzset()
        yield
    time.tzset()


def test_a_period_across_the_end_of_summer_time_is_that_of_the_clock_on_the_wall(paris: None, keep: Keep) -> None:
    made = Report.of(Figures(keep([make_row(datetime(2025, 10, 25, 12, tzinfo=UTC))])), "2025-10-24", "2025-11-01")
    assert (made.start.utcoffset(), made.end.utcoffset()) == (timedelta(hours=2), timedelta(hours=1))
    assert made.title() == "From October 24, 2025 to October 31, 2025"
    bars = made.charts()[1].data[0]
    assert bars.x[0] == "2025-10-24T00:00:00"
    assert "Times are those of CEST, CET." in made.answers().data


def test_a_week_is_one_by_the_clock_on_the_wall(paris: None) -> None:
    start, end = period(end="2025-11-01")
    assert (start.isoformat(), end.isoformat()) == ("2025-10-25T00:00:00+02:00", "2025-11-01T00:00:00+01:00")
    twice = period("2025-10-26T02:50+02:00", "2025-10-26T02:10+01:00")  # twenty minutes, in which the clock is set back
    assert [moment.hour for moment in twice] == [2, 2]
    with pytest.raises(InvalidInput):
        period("2025-10-26T02:10+01:00", "2025-10-26T02:50+02:00")


@pytest.mark.parametrize(
    ("moment", "stamp"),
    [
        ("2026-03-18", "2026-03-18"),
        ("2026-03-18T10:00", "2026-03-18T1000"),
        ("2026-03-18T10:00:30", "2026-03-18T100030"),
        ("2026-03-18T10:00:30.5", "2026-03-18T100030.500000"),
    ],
)
def test_moments_of_two_reports_give_two_names(moment: str, stamp: str) -> None:
    assert build._stamp(datetime.fromisoformat(moment)) == stamp


def test_it_says_whether_the_model_is_still_good(report_of: Any) -> None:
    nothing = report_of([])
    assert "Nobody said yet what a photo shows." in nothing.model().data
    assert nothing.model_charts() == []
    rows = [
        make_row(NOW - timedelta(minutes=n), user_feedback=int(n % 10 > 0), brightness=0.05, model_version=SHIPPED.name)
        for n in range(1, 201)
    ]
    made = report_of(rows)
    said = made.model().data.replace("\u202f", " ")
    assert "90.0% of the answers that people judged were right (n = 200, 95% interval 85.1% to 93.4%)" in said
    assert "90.0% are expected to be right (CBPE" in said
    assert "Drift: confidence, cats and dogs, brightness, compared with the 1,000 photos of val" in said
    assert len(made.model_charts()) == 3


def test_nothing_in_it_is_personal(report_of: Any) -> None:
    rows = random_rows(8)
    made = report_of(rows)
    comments = [row["user_comment"] for row in rows if row["user_comment"]]
    drawn = [fig.to_json() for fig in [*made.charts(), *made.model_charts()]]
    shown = "".join([made.headline().data, made.answers().data, made.alerts().html, made.model().data, *drawn])
    assert comments
    assert not [word for word in ("comment 1", "mine.jpg", *comments) if word in shown]


def test_a_period_is_the_last_seven_days_unless_something_else_is_said() -> None:
    now = datetime(2026, 3, 18, 12, 30, 12, tzinfo=UTC)
    start, end = period(now=now)
    assert (start, end) == (datetime(2026, 3, 11, 12, 31, tzinfo=UTC), datetime(2026, 3, 18, 12, 31, tzinfo=UTC))
    start, end = period("2026-03-01T00:00+01:00", "2026-03-08T00:00+01:00", now=now)
    assert (start, end) == (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 7, 23, tzinfo=UTC))
    start, end = period(end="2026-03-08T00:00Z", now=now)
    assert end - start == DEFAULT_LENGTH


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
def test_a_period_that_is_none_is_refused(start: str, end: str) -> None:
    with pytest.raises(InvalidInput):
        period(start, end, now=NOW)


def test_the_page_holds_what_the_notebook_shows_and_fetches_nothing() -> None:
    figure = {"data": [{"type": "bar", "y": [1, 2, 3]}], "layout": {}}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# For the author"),
            new_code_cell(
                "secret = 'source code'",
                outputs=[
                    new_output("display_data", {"text/html": "<h1>Shown</h1>"}),
                    new_output("display_data", {FIGURE: figure}),
                    new_output("display_data", {FIGURE: figure}),
                    new_output("stream", name="stderr", text="a warning"),
                    new_output("display_data", {"text/html": "<p>The end</p>"}),
                ],
            ),
        ]
    )
    nbformat.validate(notebook)
    made = page(notebook, "<A & B>", Translator("fr"))
    assert '<html lang="fr">' in made
    assert "<title>&lt;A &amp; B&gt;</title>" in made
    assert made.index("<h1>Shown</h1>") < made.index("Plotly.newPlot(") < made.index("<p>The end</p>")
    assert made.count('<div class="figure">') == 2
    assert made.count('<div class="figures">') == 1
    assert made.count("plotly.js v") == 1
    assert not [word for word in ("source code", "a warning", "For the author") if word in made]
    markup = re.sub(r"<script.*?</script>", "", made, flags=re.DOTALL)
    assert not re.search(r"(src|href)\s*=", markup)
    assert not re.search(r"<script[^>]+src", made)
    assert "default-src 'none'" in markup
