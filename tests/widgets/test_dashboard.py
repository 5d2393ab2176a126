"""The kernel side of the monitoring app, on the real service and a real database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from catsdogs.domain import Answer
from catsdogs.errors import NotAuthorised
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.dashboard import STALE, Dashboard
from tests.storage import Storage
from tests.waiting import until
from tests.widgets.helpers import NOT_UNDERSTOOD, OpenApp, Predict, Received, Send, chart, details, tiles


def test_the_caption_of_a_picture_names_the_filter(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app(query="from=2026-03-01T08:00Z&to=2026-03-02T08:00Z&model=a/b<i>&answer=neither")
    assert send(app.controls, {"action": "zone", "value": "Asia/Tokyo"}) == ""
    period = "Mar 1, 2026, 5:00:00 PM to Mar 2, 2026, 5:00:00 PM (Asia/Tokyo)"
    caption = app.charts.caption.replace("<br>", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert caption == f"{period} · Model a/b&lt;i&gt; · Neither"
    assert app.charts.suffix == "_2026-03-01-1700_2026-03-02-1700_a-b-i-_neither"
    assert "All answers" in app.alerts_and_health.charts.caption
    assert send(app.controls, {"action": "period", "value": ["", ""]}) == ""
    assert (app.charts.caption.partition(" ")[0], app.charts.suffix[:7]) == ("Up", "_until_")
    assert app.charts.config["locale"] == "en"


def test_the_figures_are_read_again_only_after_a_change(
    busy: None, predict: Predict, open_app: OpenApp, send: Send, service: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app()
    read: list[object] = []
    statistics = service.statistics

    def record(prediction_filter: PredictionFilter) -> Statistics:
        read.append(prediction_filter)
        return statistics(prediction_filter)

    monkeypatch.setattr(service, "statistics", record)

    def times_read(action: str) -> int:
        read.clear()
        assert send(app.controls, {"action": action}) == ""
        return len(read)

    assert 0 in (times_read("poll") for _ in range(5))  # another writer of the server may write in between
    predict()
    assert times_read("poll") == 1
    assert app._read
    app._read = replace(app._read, now=app._read.now - timedelta(minutes=2))  # the window has moved on
    assert times_read("poll") == 1
    assert times_read("refresh") == 1


def test_files_hold_the_figures_shown(
    busy: None, open_app: OpenApp, send: Send, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(query="list=disputed")
    assert send(app.charts, {"action": "csv", "chart": "inference_time"}) == ""
    assert send(app.charts, {"action": "csv", "chart": "feedback"}) == ""
    assert send(app.predictions_table, {"action": "csv"}) == ""
    found = {content["file"]: content["text"].splitlines() for content, _ in received}
    assert [name.partition("_")[0] for name in found] == ["catsdogs-timeline", "catsdogs-feedback", "catsdogs-disputed"]
    assert [len(lines) for lines in found.values()][1:] == [1 + 2, 1 + 1]
    monkeypatch.setattr("catsdogs.widgets.predictions_table.MAX_LISTED", 1)
    assert send(app.predictions_table, {"action": "csv"}) == ""
    assert received[-1][0]["file"].startswith("catsdogs-disputed-1_")  # of how many?
    assert app.predictions_table.texts["save"] == "Save as CSV, at most 1,000 predictions"
    assert send(app.charts, {"action": "csv", "chart": "nothing"}) == NOT_UNDERSTOOD
    assert send(app.charts, {"action": "png", "chart": "feedback"}) == NOT_UNDERSTOOD


def test_new_predictions_are_shown(busy: None, predict: Predict, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    predict(prediction_result=Answer.DOG, proba_cat=0.0625, proba_dog=0.9375)
    assert tiles(app)["total"] == "4"
    assert send(app.controls, {"action": "poll"}) == ""
    assert tiles(app)["total"] == "5"
    assert app.predictions_table.rows[0]["cells"][1:4] == ["Dog", "91.9%", "3.5 ms"]


def test_without_a_change_nothing_is_drawn_again(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    sent: list[object] = []
    app.charts.observe(sent.append, "figures")
    app.predictions_table.observe(sent.append, "rows")
    app.tiles.observe(sent.append, "tiles")
    assert send(app.controls, {"action": "window", "value": "all"}) == ""
    sent.clear()
    assert send(app.controls, {"action": "poll"}) == ""
    assert sent == []


def test_times_are_in_the_readers_time_zone(predict: Predict, open_app: OpenApp, send: Send, service: Local) -> None:
    record = predict()
    service.give_feedback(record.id, user_feedback=1)
    app = open_app()
    assert send(app.controls, {"action": "zone", "value": "Asia/Kathmandu"}) == ""
    there = record.timestamp.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{there:%-I:%M:%S}" in app.predictions_table.rows[0]["cells"][0]
    [[drawn]] = [trace["x"] for trace in chart(app, "feedback")["data"] if trace["x"]]
    assert drawn.startswith(f"{there:%Y-%m-%dT%H:%M:%S}")


def test_with_an_empty_database_texts_are_shown_instead_of_figures(open_app: OpenApp) -> None:
    app = open_app()
    assert tiles(app)["total"] == "0"
    assert details(app)["latency"] == "No successful prediction in this window."
    assert details(app)["satisfaction"] == "No feedback in this window."
    assert app.predictions_table.rows == []
    for figure in app.charts.figures:
        [note] = figure["layout"]["annotations"]
        assert note["text"].endswith("in this window.")


def test_without_a_database_the_last_figures_stay_with_an_error(
    busy: None, open_app: OpenApp, send: Send, storage: Storage
) -> None:
    app = open_app()
    before = tiles(app), app.charts.figures, app.predictions_table.rows, app.controls.updated

    def rename(old: str, new: str) -> None:
        storage.database.run(lambda connection: connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")))

    rename("predictions_feedback", "elsewhere")
    assert send(app.controls, {"action": "poll"}) == ""
    assert "Run `catsdogs db migrate`. The figures below are of " in app.controls.problem
    assert STALE in app._dom_classes
    assert send(app.controls, {"action": "window", "value": "30d"}) == ""
    assert app.controls.problem.endswith(" · All models · All answers."), "the figures are not of the window chosen now"
    assert (tiles(app), app.charts.figures, app.predictions_table.rows, app.controls.updated) == before
    rename("elsewhere", "predictions_feedback")
    assert send(app.controls, {"action": "poll"}) == ""
    assert app.controls.problem == ""
    assert STALE not in app._dom_classes


def test_while_the_database_is_away_the_dashboard_says_so_and_not_that_there_is_nothing(
    busy: None, open_app: OpenApp, send: Send, service: Local, database: Settings, administration: sa.Connection
) -> None:
    away = (
        "The database cannot be reached or written, or is slow: new records wait on disk. Check PostgreSQL and its log."
    )
    app = open_app()
    assert (app.alerts_and_health.alerts.degraded, app.predictions_table.known) == ([], True)
    name = database.db_name
    administration.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    administration.exec_driver_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert send(app.controls, {"action": "poll"}) == ""
    assert app.alerts_and_health.alerts.degraded == [away]
    assert STALE in app._dom_classes
    fresh = open_app()
    assert fresh.controls.problem.endswith("No figures were read yet.")
    assert STALE not in fresh._dom_classes, "there is nothing that could be old"
    assert fresh.alerts_and_health.alerts.degraded == [away]
    assert (fresh.alerts_and_health.alerts.known, fresh.predictions_table.known, fresh.tiles.tiles) == (
        False,
        False,
        [],
    )
    administration.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert send(fresh.controls, {"action": "refresh"}) == ""
    assert (fresh.controls.problem, fresh.predictions_table.known) == ("", True)
    assert fresh.alerts_and_health.alerts.degraded == [away]  # records wait until the service tries again
    service._replayer.start()

    def is_whole() -> bool:
        send(fresh.controls, {"action": "poll"})
        return fresh.alerts_and_health.alerts.degraded == []

    until(is_whole, "the dashboard still shows the database as away")


def test_a_service_that_cannot_be_opened_shows_its_error_and_is_opened_again(service: Local, send: Send) -> None:
    answers: Iterator[Local | NotAuthorised] = iter(
        [NotAuthorised("This token is wrong, or its session has ended."), service]
    )

    def connect() -> Local:
        answer = next(answers)
        if isinstance(answer, NotAuthorised):
            raise answer
        return answer

    app = Dashboard(connect, "en")
    assert app.controls.problem == "This token is wrong, or its session has ended. No figures were read yet."
    assert app.tiles.tiles == []
    assert send(app.controls, {"action": "poll"}) == ""
    assert (app.controls.problem, tiles(app)["total"]) == ("", "0")


def test_a_kernel_of_the_dashboard_imports_no_heavy_package() -> None:
    """The code is that of `notebooks/apps/monitoring.ipynb`, with a server that cannot be reached."""
    heavy = "numpy pandas pydantic PIL onnxruntime sqlalchemy psycopg2 alembic nbformat jsonschema plotly.basewidget"
    script = f"""
import sys
from catsdogs import connect
from catsdogs.widgets.dashboard import Dashboard
app = Dashboard(connect, "en")
problem = app.controls.problem
assert problem == "The server cannot be reached. Try again in a moment. No figures were read yet.", problem
print(*(name for name in "{heavy}".split() if name in sys.modules))
"""
    environment = {"CATSDOGS_SERVICE_URL": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
