"""The kernel side of the monitoring app, on the real service and a real database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage, NotAuthorised
from catsdogs.model.serving import ServedModel
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.interface import NO_CONSENT
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.dashboard import Dashboard
from catsdogs.widgets.predictions_table import SHOWN
from tests.storage import Storage
from tests.widgets.messages import NOT_UNDERSTOOD, Received, Send

NAME = "<img src=x onerror=alert(1)>.jpg"
AGREES = Consent(filename_and_comment=True)

Predict = Callable[..., PredictionRecord]
OpenApp = Callable[..., Dashboard]


@pytest.fixture
def service(storage: Storage, database: Settings) -> Iterator[Local]:
    """The service in this process; its model is not used here."""
    with Local(ServedModel(database), database) as service:
        yield service


@pytest.fixture
def predict(storage: Storage, make_record: Any) -> Predict:
    """Store a prediction of some age."""

    def predict(age: timedelta = timedelta(), consent: Consent = NO_CONSENT, **values: Any) -> PredictionRecord:
        record: PredictionRecord = make_record(consent, NAME)[0]
        record = record.model_copy(update={"timestamp": datetime.now(UTC) - age, **values})
        assert storage.writer.store_prediction(record)
        return record

    return predict


@pytest.fixture
def open_app(service: Local, send: Send) -> OpenApp:
    def open_app(language: str = "en", query: str = "") -> Dashboard:
        return Dashboard(lambda: service, language, query)

    return open_app


def tiles(app: Dashboard) -> dict[str, str]:
    """Return the figures of the tiles by name."""
    return {tile["name"]: tile["figure"] for tile in app.tiles.tiles}


def details(app: Dashboard) -> dict[str, str]:
    """Return the details of the tiles by name."""
    return {tile["name"]: tile["detail"].replace("\N{NO-BREAK SPACE}", " ") for tile in app.tiles.tiles}


def chart(app: Dashboard, name: str) -> dict[str, Any]:
    """Return title, data and layout of a chart."""
    return next(figure for figure in app.charts.figures if figure["name"] == name)


@pytest.fixture
def busy(predict: Predict, service: Local) -> None:
    """Store a cat, a slow dog of another model version, a photo of neither, and an unreadable one, within a week."""
    cat = predict(timedelta(minutes=10), AGREES, inference_time_ms=2.0)
    dog = predict(
        timedelta(hours=3),
        prediction_result=Answer.DOG,
        proba_cat=0.2,
        proba_dog=0.8,
        inference_time_ms=6.0,
        model_version="test-2",
    )
    predict(timedelta(days=5), prediction_result=Answer.NEITHER, neither_score=0.7, inference_time_ms=1234.5)
    service.give_feedback(cat.id, user_feedback=1, user_comment="<b>mine</b>")
    service.give_feedback(dog.id, user_feedback=0)
    failure = PredictionRecord.of_failure(InvalidImage("no"), "test-1")
    service._writer.store_prediction(failure.model_copy(update={"timestamp": datetime.now(UTC) - timedelta(days=6)}))


def test_the_tiles_show_the_figures_of_the_window(busy: None, open_app: OpenApp) -> None:
    app = open_app()
    assert tiles(app) == {
        "total": "4",
        "latency": "414.2\N{NO-BREAK SPACE}ms",
        "satisfaction": "50.0%",
        "errors": "25.0%",
        "consent": "25.0%",
    }
    assert details(app)["total"] == "1 cat · 1 dog · 1 neither"
    assert details(app)["latency"].startswith("min 2.0 ms · max 1,234.5 ms · p95 ")
    assert details(app)["satisfaction"] == "95% interval 9.5% to 90.5%, n = 2"  # Wilson's, of 1 in 2
    assert details(app)["errors"] == "1 photo could not be read"


def test_figures_are_formatted_in_the_language(busy: None, open_app: OpenApp) -> None:
    app = open_app("fr")
    assert tiles(app)["latency"] == "414,2\N{NO-BREAK SPACE}ms"
    assert "1\N{NARROW NO-BREAK SPACE}234,5" in details(app)["latency"]


@pytest.mark.parametrize(("window", "predictions"), [("1h", 1), ("24h", 2), ("7d", 4), ("30d", 4), ("all", 5)])
def test_a_window_is_chosen(
    busy: None, predict: Predict, open_app: OpenApp, send: Send, window: str, predictions: int
) -> None:
    predict(timedelta(days=45))
    app = open_app()
    assert send(app.controls, {"action": "window", "value": window}) == ""
    assert app.controls.window == window
    assert tiles(app)["total"] == str(predictions)
    drawn = chart(app, "answers")["data"]
    assert sum(sum(bars["y"]) for bars in drawn) == predictions


def test_a_model_version_is_chosen_and_stays_while_others_come(
    busy: None, predict: Predict, open_app: OpenApp, send: Send
) -> None:
    app = open_app()
    assert app.controls.model_versions == ["test-1", "test-2"]
    assert send(app.controls, {"action": "model", "value": "test-2"}) == ""
    assert tiles(app)["total"] == "1"
    assert send(app.controls, {"action": "window", "value": "1h"}) == ""  # where it answered nothing
    assert (app.controls.model_version, app.controls.model_versions) == ("test-2", ["test-1", "test-2"])
    assert tiles(app) == {"total": "0", "latency": "–", "satisfaction": "–", "errors": "–", "consent": "–"}
    assert send(app.controls, {"action": "model", "value": ""}) == ""
    assert tiles(app)["total"] == "1"


def test_an_answer_is_chosen(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    assert send(app.controls, {"action": "answer", "value": "neither"}) == ""
    assert (tiles(app)["total"], tiles(app)["latency"]) == ("1", "1,234.5\N{NO-BREAK SPACE}ms")
    assert [row["answer"] for row in app.predictions_table.rows] == ["neither"]
    assert send(app.controls, {"action": "answer", "value": ""}) == ""
    assert tiles(app)["total"] == "4"


def test_two_moments_are_chosen(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    assert send(app.controls, {"action": "window", "value": "24h"}) == ""
    assert send(app.controls, {"action": "window", "value": "custom"}) == ""
    assert tiles(app)["total"] == "2"  # the moments are those of the window before
    start, end = (datetime.now(UTC) - timedelta(days=days) for days in (5.5, 1))
    assert send(app.controls, {"action": "period", "value": [start.isoformat(), end.isoformat()]}) == ""
    assert tiles(app)["total"] == "1"
    assert send(app.controls, {"action": "period", "value": [end.isoformat(), start.isoformat()]}) == (
        "The start of the window must be before its end."
    )
    assert send(app.controls, {"action": "period", "value": [end.isoformat(), ""]}) == ""
    assert tiles(app)["total"] == "2"
    refused = send(app.controls, {"action": "period", "value": ["0001-01-01T00:00:00.000Z", ""]})
    assert refused == "The date must be between the years 1970 and 2999."
    refused = send(app.controls, {"action": "period", "value": ["yesterday", ""]})
    assert refused == "from must be a date and time in ISO 8601, like 2026-01-31T12:00:00Z."
    assert (tiles(app)["total"], app.controls.window) == ("2", "custom")
    assert send(app.controls, {"action": "period", "value": ["", ""]}) == ""
    assert (tiles(app)["total"], app.controls.window, app.controls.address["window"]) == ("4", "all", "all")


def test_a_custom_window_keeps_its_seconds(predict: Predict, open_app: OpenApp, send: Send) -> None:
    moment = datetime.now(UTC).replace(second=10, microsecond=0) - timedelta(minutes=5)
    for second in (5, 15, 45, 55):
        predict(datetime.now(UTC) - moment.replace(second=second))
    period = {"from": f"{moment:%Y-%m-%dT%H:%M:10Z}", "to": f"{moment:%Y-%m-%dT%H:%M:50Z}"}
    app = open_app(query=urlencode(period))
    assert tiles(app)["total"] == "2"
    assert app.controls.address | period == app.controls.address
    assert open_app(query=urlencode(app.controls.address)).controls.notice == ""


def test_going_back_restores_an_earlier_filter(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app(query="window=1h")
    assert send(app.controls, {"action": "window", "value": "all"}) == ""
    assert send(app.controls, {"action": "answer", "value": "dog"}) == ""
    assert send(app.controls, {"action": "address", "value": "?window=24h&live=off"}) == ""
    assert (app.controls.window, app.controls.answer, tiles(app)["total"]) == ("24h", "", "2")
    assert send(app.controls, {"action": "address", "value": ""}) == ""
    assert (app.controls.window, tiles(app)["total"]) == ("7d", "4")


def test_the_caption_of_a_picture_names_the_filter(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app(query="from=2026-03-01T08:00Z&to=2026-03-02T08:00Z&model=a/b<i>&answer=neither")
    assert send(app.controls, {"action": "zone", "value": "Asia/Tokyo"}) == ""
    period = "Mar 1, 2026, 5:00:00 PM to Mar 2, 2026, 5:00:00 PM (Asia/Tokyo)"
    said = app.charts.caption.replace("<br>", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert said == f"{period} · Model a/b&lt;i&gt; · Neither"
    assert app.charts.suffix == "_2026-03-01-1700_2026-03-02-1700_a-b-i-_neither"
    assert "All answers" in app.health_panel.charts.caption
    assert send(app.controls, {"action": "period", "value": ["", ""]}) == ""
    assert (app.charts.caption.partition(" ")[0], app.charts.suffix[:7]) == ("Up", "_until_")
    assert app.charts.config["locale"] == "en"


def test_the_filter_is_read_from_the_address_and_written_to_it(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app(query="window=30d&model=test-2&answer=dog&list=disputed&lang=en")
    assert (tiles(app)["total"], len(app.predictions_table.rows), app.controls.notice) == ("1", 1, "")
    chosen = {"window": "30d", "from": "", "to": "", "model": "test-2", "answer": "dog", "list": "disputed"}
    assert app.controls.address == chosen
    assert send(app.predictions_table, {"action": "list", "value": "latest"}) == ""
    assert send(app.controls, {"action": "window", "value": "7d"}) == ""
    assert app.controls.address == chosen | {"window": "", "list": ""}


def test_a_notice_names_wrong_parameters_until_something_is_chosen(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app(query="window=9d&answer=cow")
    assert "not understood: window, answer" in app.controls.notice
    assert tiles(app)["total"] == "4"
    assert send(app.controls, {"action": "window", "value": "1h"}) == ""
    assert app.controls.notice == ""


def test_the_least_sure_and_the_disputed_are_listed(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    assert send(app.predictions_table, {"action": "list", "value": "least_sure"}) == ""
    assert [row["answer"] for row in app.predictions_table.rows] == ["neither", "dog", "cat"]
    assert send(app.predictions_table, {"action": "list", "value": "disputed"}) == ""
    assert [row["answer"] for row in app.predictions_table.rows] == ["dog"]
    assert send(app.predictions_table, {"action": "list", "value": "the best"}) == NOT_UNDERSTOOD
    assert app.predictions_table.listing == "disputed"


def test_a_tile_shows_its_trend(busy: None, predict: Predict, open_app: OpenApp) -> None:
    for _ in range(8):
        predict(timedelta(days=10))
    app = open_app()
    assert [(tile["name"], tile["arrow"], tile["tone"]) for tile in app.tiles.tiles] == [
        ("total", "↓", "plain"),
        ("latency", "=", "plain"),
        ("satisfaction", "", ""),
        ("errors", "=", "plain"),
        ("consent", "=", "plain"),
    ]
    assert app.tiles.tiles[0]["trend"] == "8 in the period before"


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

    assert 0 in (times_read("poll") for _ in range(5))  # another writer of the server may come between
    predict()
    assert times_read("poll") == 1
    app._read_at -= timedelta(minutes=2)  # the window has moved on
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
    assert app.predictions_table.rows[0]["cells"][1:4] == ["Dog", "93.8%", "3.5 ms"]


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


def test_the_table_holds_the_last_predictions(busy: None, predict: Predict, open_app: OpenApp) -> None:
    app = open_app()
    assert [row["answer"] for row in app.predictions_table.rows] == ["cat", "dog", "neither", "error"]
    cells = [dict(zip(app.predictions_table.columns, row["cells"], strict=True)) for row in app.predictions_table.rows]
    assert (cells[0]["File"], cells[0]["Comment"], cells[0]["Right?"]) == (NAME, "<b>mine</b>", "Yes")
    assert (cells[1]["File"], cells[1]["Comment"], cells[1]["Right?"]) == ("", "", "No")
    assert (cells[2]["Answer"], cells[2]["Confidence"], cells[2]["Time"]) == ("Neither", "70.0%", "1,234.5 ms")
    assert (cells[3]["Confidence"], cells[3]["Time"], cells[3]["Model"]) == ("", "", "test-1")
    for _ in range(SHOWN):
        predict()
    app.refresh()
    assert len(app.predictions_table.rows) == SHOWN


def test_times_are_in_the_readers_time_zone(predict: Predict, open_app: OpenApp, send: Send, service: Local) -> None:
    record = predict()
    service.give_feedback(record.id, user_feedback=1)
    app = open_app()
    assert send(app.controls, {"action": "zone", "value": "Asia/Kathmandu"}) == ""
    there = record.timestamp.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{there:%-I:%M:%S}" in app.predictions_table.rows[0]["cells"][0]
    [[drawn]] = [trace["x"] for trace in chart(app, "feedback")["data"] if trace["x"]]
    assert drawn.startswith(f"{there:%Y-%m-%dT%H:%M:%S}")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"action": "window", "value": "8d"},
        {"action": "window", "value": ["all"]},
        {"action": "model", "value": "never served"},
        {"action": "zone", "value": "../../etc/passwd"},
        {"action": "zone", "value": "Nowhere/Atall"},
        {"action": "zone", "value": "a\0b"},
        {"action": "zone", "value": ""},
        {"action": "the moon"},
        {"action": "answer", "value": "cow"},
        {"action": "period", "value": ["2026-01-01"]},
        {"action": "period", "value": "2026-01-01"},
    ],
)
def test_invalid_messages_are_refused(open_app: OpenApp, send: Send, content: dict[str, Any]) -> None:
    app = open_app()
    assert send(app.controls, content) == NOT_UNDERSTOOD
    assert (app.controls.window, app.controls.model_version, app.controls.zone) == ("7d", "", None)


def test_with_an_empty_database_texts_take_the_place_of_figures(open_app: OpenApp) -> None:
    app = open_app()
    assert tiles(app)["total"] == "0"
    assert details(app)["satisfaction"] == "No feedback yet"
    assert app.predictions_table.rows == []
    for figure in app.charts.figures:
        [note] = figure["layout"]["annotations"]
        assert note["text"].endswith("in this window.")


def test_without_a_database_the_last_figures_stay_with_an_error(
    busy: None, open_app: OpenApp, send: Send, storage: Storage
) -> None:
    app = open_app()
    seen = tiles(app), app.charts.figures, app.predictions_table.rows, app.controls.updated

    def rename(old: str, new: str) -> None:
        storage.database.run(lambda connection: connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")))

    rename("predictions_feedback", "elsewhere")
    assert send(app.controls, {"action": "poll"}) == ""
    assert app.controls.problem.endswith("Run `catsdogs db migrate`.")
    assert (tiles(app), app.charts.figures, app.predictions_table.rows, app.controls.updated) == seen
    rename("elsewhere", "predictions_feedback")
    assert send(app.controls, {"action": "poll"}) == ""
    assert app.controls.problem == ""


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
    assert app.controls.problem == "This token is wrong, or its session has ended."
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
assert app.controls.problem == "The server cannot be reached. Try again in a moment.", app.controls.problem
print(*(name for name in "{heavy}".split() if name in sys.modules))
"""
    environment = {"CATSDOGS_SERVICE_URL": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr
