"""Alerts and model health on the dashboard, on the real service and a real database."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from catsdogs.alerting.rules import PACKAGED_RULES
from catsdogs.errors import InvalidImage
from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED
from catsdogs.model.serving import ServedModel
from catsdogs.monitoring.figures import ModelHealth
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets import health_panel
from catsdogs.widgets.dashboard import Dashboard
from tests.storage import Storage


@pytest.fixture
def service(storage: Storage, database: Settings) -> Iterator[Local]:
    with Local(ServedModel(database), database) as service:
        yield service


@pytest.fixture
def open_app(service: Local) -> Callable[..., Dashboard]:
    return lambda language="en", query="": Dashboard(lambda: service, language, query)


@pytest.fixture
def rated(storage: Storage, make_record: Any) -> Callable[[int, int], None]:
    """Record answers of the shipped model, so many satisfied and so many not."""

    def rated(satisfied: int, unsatisfied: int) -> None:
        for place in range(satisfied + unsatisfied):
            record = make_record()[0].model_copy(
                update={"model_version": SHIPPED.name, "timestamp": datetime.now(UTC) - timedelta(seconds=place + 1)}
            )
            storage.writer.store_prediction(record)
            storage.writer.store_feedback(FeedbackRecord.create(record.id, int(place < satisfied), None, None))

    return rated


def test_before_anything_happens_nothing_needs_anybody(open_app: Callable[..., Dashboard]) -> None:
    parts = open_app().health_panel
    assert (parts.alerts.known, parts.alerts.alerts) == (True, [])
    assert parts.summary.sentences == ["Nobody said yet what a photo shows."]
    assert parts.summary.tables == []
    assert [figure["name"] for figure in parts.charts.figures] == ["accuracy", "reliability", "drift"]
    assert not any(figure["data"] for figure in parts.charts.figures)


def test_what_does_not_work_as_it_should_is_said(storage: Storage, database: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    settings = database.model_copy(update={"alert_rules": rules})

    def degraded() -> list[str]:
        alerts = Dashboard(lambda: Local(ServedModel(settings), settings), "en", "").health_panel.alerts
        assert (alerts.known, alerts.problem) == (True, "")
        return alerts.degraded

    rules.write_bytes(PACKAGED_RULES.read_bytes())
    assert degraded() == []
    rules.write_text("[[rule")
    assert degraded() == [
        "The file of alert rules has a mistake: its last valid rules stay in force. The log names the mistake."
    ]
    rules.write_bytes(PACKAGED_RULES.read_bytes())
    assert degraded() == []


def test_an_alert_says_what_happened_since_when_and_what_to_do(
    open_app: Callable[..., Dashboard], service: Local, storage: Storage
) -> None:
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    service.evaluate_alerts()
    app = open_app()
    [alert] = app.health_panel.alerts.alerts
    assert (alert["rule"], alert["state"], alert["badge"]) == ("errors", "firing", "Alert")
    assert alert["happened"] == "100.0% of 20 photos could not be read; the limit is 5.0%."
    assert alert["when"].startswith("Since ")
    assert alert["to_do"].startswith("Look in the server's log")


def test_that_the_rules_cannot_be_read_is_said_where_the_alerts_are(
    storage: Storage, database: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[rule")
    broken = Local(ServedModel(database), database.model_copy(update={"alert_rules": rules}))
    app = Dashboard(lambda: broken, "en", "")
    assert app.health_panel.alerts.problem.startswith(f"The alert rules {rules} are not TOML")
    assert app.health_panel.summary.sentences == ["Nobody said yet what a photo shows."]
    rules.write_text('[[rule]]\nname = "a"\nmeasure = "errors"\nabove = 0.5\nlast = 50\n')
    app.refresh()
    assert (app.health_panel.alerts.problem, app.health_panel.alerts.known) == ("", True)


def test_it_says_how_good_the_model_is(open_app: Callable[..., Dashboard], rated: Callable[[int, int], None]) -> None:
    rated(90, 10)
    parts = open_app().health_panel
    judged, estimated, drift = parts.summary.sentences
    assert judged.startswith("90.0% of the answers that people judged were right (n = 100")
    assert "90.0% are expected to be right (CBPE" in estimated
    assert drift.startswith("Drift: ")  # a hundred times the same photo
    signals, versions = cast("list[dict[str, Any]]", parts.summary.tables)
    assert signals["rows"]
    assert {row["kind"] for row in signals["rows"]} <= {"none", "moderate", "strong"}
    assert [row["cells"][:2] for row in versions["rows"]] == [[SHIPPED.name, "100.0%"]]


def test_the_figures_behind_a_chart_are_saved_as_csv(
    open_app: Callable[..., Dashboard], rated: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rated(3, 1)
    charts = open_app().health_panel.charts
    sent: list[Any] = []
    monkeypatch.setattr(charts, "send", lambda content, *_: sent.append(content))
    for name in ("accuracy", "reliability", "drift", "passwords"):
        charts._reply({"id": name, "action": "csv", "chart": name}, [])
    files = {
        message["file"]: list(csv.DictReader(io.StringIO(message["text"]))) for message in sent if "file" in message
    }
    tables = {name.partition("_")[0]: rows for name, rows in files.items()}
    assert list(tables) == ["catsdogs-accuracy", "catsdogs-reliability", "catsdogs-drift"]
    assert [(row["rate"], row["n"]) for row in tables["catsdogs-reliability"]] == [("0.75", "4")]
    assert len(tables["catsdogs-drift"]) == 6
    assert "not understood" in next(message["problem"] for message in sent if message.get("reply") == "passwords")


def test_the_models_health_is_read_again_only_where_it_is_time(
    service: Local, rated: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rated(2, 1)
    monkeypatch.setattr(health_panel, "FRESH_SECONDS", 3600.0)  # however busy the machine is
    asked: list[str] = []
    ask = service.model_health

    def counted(wanted: PredictionFilter) -> ModelHealth:
        asked.append("again")
        return ask(wanted)

    monkeypatch.setattr(service, "model_health", counted)
    app = Dashboard(lambda: service, "en", "")
    rated(1, 0)
    app.refresh_if_changed()
    assert (len(asked), judged(app)) == (1, "66.7%")
    app.controls.handle_message({"action": "refresh"}, [])  # a person wants to know
    assert (len(asked), judged(app)) == (2, "75.0%")
    app.controls.handle_message({"action": "window", "value": "30d"}, [])
    assert len(asked) == 3
    app.controls.handle_message({"action": "answer", "value": "cat"}, [])  # it is of all answers
    app.controls.handle_message({"action": "zone", "value": "Asia/Tokyo"}, [])
    assert len(asked) == 3
    rated(0, 1)
    app.refresh_if_changed()
    assert (len(asked), judged(app)) == (3, "75.0%")
    monkeypatch.setattr(health_panel, "FRESH_SECONDS", 0.0)
    app.refresh_if_changed()  # nothing is new, but what came too soon was not read yet
    assert (len(asked), judged(app)) == (4, "60.0%")


def test_what_had_nothing_to_say_is_read_again_with_the_first_change(
    open_app: Callable[..., Dashboard], rated: Callable[[int, int], None]
) -> None:
    app = open_app()
    rated(1, 0)
    app.refresh_if_changed()
    assert judged(app) == "100.0%"


def test_a_new_alert_is_shown_after_its_evaluation(
    open_app: Callable[..., Dashboard], service: Local, storage: Storage
) -> None:
    app = open_app()
    assert (app.health_panel.alerts.known, app.health_panel.alerts.alerts) == (True, [])
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    app.refresh_if_changed()
    assert app.health_panel.alerts.alerts == []  # reading evaluates no rule
    service.evaluate_alerts()
    app.refresh_if_changed()
    assert [alert["rule"] for alert in app.health_panel.alerts.alerts] == ["errors"]


def test_times_are_those_of_the_readers_clock(
    open_app: Callable[..., Dashboard], service: Local, storage: Storage, rated: Callable[[int, int], None]
) -> None:
    rated(1, 0)
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    service.evaluate_alerts()
    app = open_app(query="window=1h")
    zone = ZoneInfo("Asia/Kathmandu")  # no machine of ours is there: a quarter of an hour off all others
    app.controls.handle_message({"action": "zone", "value": str(zone)}, [])
    [alert] = app.service.alerts()
    since = Translator("en").datetime(datetime.fromisoformat(alert["since"]).astimezone(zone))
    assert [shown["when"] for shown in app.health_panel.alerts.alerts] == [f"Since {since}."]
    charts: dict[Any, Any] = {figure["name"]: figure for figure in app.health_panel.charts.figures}
    last = datetime.fromisoformat(charts["accuracy"]["data"][1]["x"][-1]).replace(tzinfo=zone)
    assert datetime.now(UTC) - last < timedelta(hours=2)


def test_that_the_models_health_is_of_all_answers_is_said_where_one_is_chosen(
    open_app: Callable[..., Dashboard], rated: Callable[[int, int], None]
) -> None:
    rated(1, 1)
    of_all = "These figures cover all answers, whatever answer is chosen above."
    app = open_app(query="answer=neither")
    assert (judged(app), app.health_panel.summary.sentences[-1]) == ("50.0%", of_all)
    app.controls.handle_message({"action": "answer", "value": ""}, [])
    assert of_all not in app.health_panel.summary.sentences


def judged(app: Dashboard) -> str:
    """What share of the answers people judged right, in words."""
    return app.health_panel.summary.sentences[0].partition(" ")[0]
