"""The parts of the report; running its notebook is tested in `tests/notebooks/test_jobs.py`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database
from catsdogs.database.demo_ids import demo_id
from catsdogs.model.card import SHIPPED
from catsdogs.monitoring import kpis
from catsdogs.monitoring.figures import ModelHealth, Statistics
from catsdogs.monitoring.model_health import cards, model_health
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.reporting.report import FACTS_TYPE, Report
from tests.rows import NOW, InsertRows, Row, make_row, random_rows


class ServiceOfRows:
    """The methods of a service that a report calls, on rows of a test and at its time."""

    def __init__(self, database: Database) -> None:
        self.database, self.table = database, database.tables.predictions

    def statistics(self, prediction_filter: PredictionFilter) -> Statistics:
        return self.database.run(lambda connection: kpis.statistics(connection, self.table, prediction_filter))

    def model_health(self, prediction_filter: PredictionFilter) -> ModelHealth:
        known = cards(self.database.settings)
        return self.database.run(lambda connection: model_health(connection, self.table, known, prediction_filter))

    def alerts(self, *, since: datetime | None = None, until: datetime | None = None) -> list[Alert]:
        return list_alerts(self.database, load_rules(), since=since, until=until, now=NOW)


@pytest.fixture
def report_of(insert_rows: InsertRows) -> Any:
    def report_of(rows: list[Row], language: str = "en") -> Report:
        database, start = insert_rows(rows), NOW - timedelta(days=20)
        evaluate(database, load_rules(), NOW)
        service = ServiceOfRows(database)
        of_period = PredictionFilter(start, NOW)
        figures = service.statistics(of_period), service.model_health(of_period)
        return Report(*figures, service.alerts(), start, NOW, language)

    return report_of


def test_the_answers_are_counted(report_of: Any) -> None:
    rows = [
        make_row(NOW - timedelta(hours=n), prediction_result=answer)
        for n, answer in enumerate(("cat", "cat", "dog", "error"), 1)
    ]
    table = report_of(rows).answers().data
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", table)]
    assert cells[1:] == [
        ["Cat", "2", "50.0%"],
        ["Dog", "1", "25.0%"],
        ["Neither", "0", "0%"],
        ["Error", "1", "25.0%"],
    ]


def test_demonstration_data_is_named(report_of: Any) -> None:
    row = make_row(NOW - timedelta(hours=1))
    assert "demonstration" not in report_of([row]).headline().html
    marked = report_of([make_row(NOW - timedelta(hours=2), id=demo_id(1))], "fr").headline().html
    assert '<p class="demonstration">Données de démonstration\N{NO-BREAK SPACE}: ces chiffres' in marked


def test_firing_alerts_are_shown_to_people_and_listed_for_programs(report_of: Any) -> None:
    assert "<p>No alert.</p>" in report_of([]).alerts().html
    unread = [make_row(NOW - timedelta(minutes=30 * n), prediction_result="error") for n in range(1, 31)]
    shown = report_of(unread).alerts()
    assert shown.facts["firing"] == ["errors"]
    assert shown._repr_mimebundle_()[FACTS_TYPE] == {"firing": ["errors"]}
    assert '<li class="firing"><strong>Alert: Many photos cannot be read</strong>' in shown.html
    assert "Of 30 photos, 100% could not be read" in shown.html
    assert "Look in the server" in shown.html


def test_alerts_of_a_period_that_is_over_are_as_they_were_at_its_end(insert_rows: InsertRows) -> None:
    rules, day = load_rules(), timedelta(days=1)
    database = insert_rows([make_row(NOW - day - timedelta(minutes=n), prediction_result="error") for n in range(30)])
    evaluate(database, rules, NOW - day)
    insert_rows([make_row(NOW - timedelta(minutes=n), prediction_result=("cat", "error")[n % 2]) for n in range(60)])
    evaluate(database, rules, NOW)
    service = ServiceOfRows(database)
    start, end = ((NOW - age).isoformat() for age in (3 * day, day - timedelta(hours=1)))
    shown = Report.of(service, start, end).alerts()
    assert shown.facts["firing"] == ["errors"]
    assert re.match(r"<h2>Alerts, as of Mar 17, 2026,\s", shown.html)
    assert "Of 30 photos, 100% could not be read" in shown.html
    assert "50.0%" not in shown.html  # what came later
    before = Report.of(service, (NOW - 5 * day).isoformat(), (NOW - 3 * day).isoformat())
    assert before.alerts().facts["firing"] == []
    assert "<p>No alert.</p>" in before.alerts().html


def test_an_empty_period_up_to_now_does_not_say_that_there_is_nothing_to_do(report_of: Any) -> None:
    empty, now = report_of([]), datetime.now(UTC)
    html = Report(empty.statistics, empty.health, [], now - timedelta(days=1), now, "en").alerts().html
    assert "nothing was checked" in html
    figures = report_of([make_row(NOW - timedelta(hours=1))])
    html = Report(figures.statistics, figures.health, [], now - timedelta(days=1), now, "en").alerts().html
    assert "<p>No alert.</p>" in html


def test_a_period_across_the_end_of_summer_time_is_in_local_time(paris: None, insert_rows: InsertRows) -> None:
    made = Report.of(
        ServiceOfRows(insert_rows([make_row(datetime(2025, 10, 24, 12, tzinfo=UTC))])), "2020-10-24", "2025-11-01"
    )
    assert (made.start.utcoffset(), made.end.utcoffset()) == (timedelta(hours=2), timedelta(hours=1))
    assert "From October 24, 2025 to October 31, 2025" in made.headline().html
    bars = made.charts()[1].data[1]
    assert bars.x[0][:11] == "2025-10-24T"
    assert "Times are those of CEST, CET." in made.answers().data


def test_the_health_of_the_model_is_in_sentences_tables_and_charts(report_of: Any) -> None:
    nothing = report_of([])
    assert "Nobody said yet what a photo shows." in nothing.model().data
    assert nothing.model_charts() == []
    rows = [
        make_row(NOW - timedelta(minutes=n), user_feedback=int(n % 10 > 0), brightness=0.05, model_version=SHIPPED.name)
        for n in range(1, 201)
    ]
    made = report_of(rows)
    text = made.model().data.replace("\u202f", " ")
    assert "Of the answers that people judged, 90.0% were right (n = 200, 95% interval 85.1% to 93.4%)" in text
    assert "90.0% are expected to be right (CBPE" in text
    assert "Drift: confidence, cats and dogs, brightness, compared with the 1,000 photos of val" in text
    assert len(made.model_charts()) == 3


def test_the_report_has_no_personal_data(report_of: Any) -> None:
    rows = random_rows(8)
    made = report_of(rows)
    comments = [row["user_comment"] for row in rows if row["user_comment"]]
    drawn = [fig.to_json() for fig in [*made.charts(), *made.model_charts()]]
    shown = "".join(
        [
            made.headline().html,
            made.key_figures().data,
            made.answers().data,
            made.alerts().html,
            made.model().data,
            *drawn,
        ]
    )
    assert comments
    assert not [word for word in ("comment 1", "mine.jpg", *comments) if word in shown]
