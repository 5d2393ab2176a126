"""Alerts and model health on the dashboard, on the real service and a real database."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
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
from catsdogs.widgets import alerts_and_health
from catsdogs.widgets.dashboard import Dashboard
from tests.storage import Storage
from tests.widgets.helpers import NOT_UNDERSTOOD, OpenApp, Received, Send

Rate = Callable[[int, int], None]


@pytest.fixture
def rated(storage: Storage, make_record: Any) -> Rate:
    """Store rated answers of the shipped model: so many satisfied and so many not."""

    def rated(satisfied: int, unsatisfied: int) -> None:
        for number in range(satisfied + unsatisfied):
            record = make_record()[0].model_copy(
                update={"model_version": SHIPPED.name, "timestamp": datetime.now(UTC) - timedelta(seconds=number + 1)}
            )
            storage.writer.store_prediction(record)
            storage.writer.store_feedback(FeedbackRecord.create(record.id, int(number < satisfied), None, None))

    return rated


def test_without_predictions_there_is_neither_an_alert_nor_a_figure(open_app: OpenApp) -> None:
    panel = open_app().alerts_and_health
    assert (panel.alerts.known, panel.alerts.alerts) == (True, [])
    assert "nothing was checked" in panel.alerts.none
    assert panel.summary.sentences == ["Nobody said yet what a photo shows."]
    assert panel.summary.tables == []
    assert [figure["name"] for figure in panel.charts.figures] == ["accuracy", "reliability", "drift"]
    assert not any(figure["data"] for figure in panel.charts.figures)


def test_a_degraded_service_is_reported(storage: Storage, database: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    settings = database.model_copy(update={"alert_rules": rules})

    def degraded() -> list[str]:
        alerts = Dashboard(lambda: Local(ServedModel(settings), settings), "en", "").alerts_and_health.alerts
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


def test_an_alert_shows_what_happened_since_when_and_what_to_do(
    open_app: OpenApp, service: Local, storage: Storage
) -> None:
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    service.evaluate_alerts()
    app = open_app()
    [alert] = app.alerts_and_health.alerts.alerts
    assert (alert["rule"], alert["state"], alert["badge"]) == ("errors", "firing", "Alert")
    assert alert["happened"].startswith("Of 20 photos, 100% could not be read; the limit is 5.0%. Worst so far: 100%, ")
    assert alert["when"].startswith("Since ")
    assert alert["to_do"].startswith("Look in the server's log")


def test_unreadable_rules_show_an_error_in_the_list_of_alerts(
    storage: Storage, database: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[rule")
    broken = Local(ServedModel(database), database.model_copy(update={"alert_rules": rules}))
    app = Dashboard(lambda: broken, "en", "")
    assert app.alerts_and_health.alerts.problem.startswith(f"The alert rules {rules} are not TOML")
    assert app.alerts_and_health.summary.sentences == ["Nobody said yet what a photo shows."]
    rules.write_text('[[rule]]\nname = "a"\nmeasure = "errors"\nabove = 0.5\nfast = "PT1H"\nslow = "P1D"\n')
    app.refresh()
    assert (app.alerts_and_health.alerts.problem, app.alerts_and_health.alerts.known) == ("", True)


def test_the_summary_shows_accuracy_estimate_drift_and_versions(open_app: OpenApp, rated: Rate) -> None:
    rated(90, 10)
    panel = open_app().alerts_and_health
    judged, estimated, drift = panel.summary.sentences
    assert judged.startswith("Of the answers that people judged, 90.0% were right (n = 100")
    assert "90.0% are expected to be right (CBPE" in estimated
    assert drift.startswith("Drift: ")  # from a hundred records of the same photo
    signals, versions = panel.summary.tables
    assert signals["rows"]
    assert {row["kind"] for row in signals["rows"]} <= {"none", "moderate", "strong"}
    assert [row["cells"][:2] for row in versions["rows"]] == [[SHIPPED.name, "100%"]]


def test_the_figures_behind_a_chart_are_saved_as_csv(
    open_app: OpenApp, rated: Rate, send: Send, received: Received
) -> None:
    rated(3, 1)
    charts = open_app().alerts_and_health.charts
    for name in ("accuracy", "reliability", "drift"):
        assert send(charts, {"action": "csv", "chart": name}) == ""
    files = {message["file"]: list(csv.DictReader(io.StringIO(message["text"]))) for message, _ in received}
    tables = {name.partition("_")[0]: rows for name, rows in files.items()}
    assert list(tables) == ["catsdogs-accuracy", "catsdogs-reliability", "catsdogs-drift"]
    assert [(row["rate"], row["n"]) for row in tables["catsdogs-reliability"]] == [("0.75", "4")]
    assert len(tables["catsdogs-drift"]) == 6
    assert send(charts, {"action": "csv", "chart": "passwords"}) == NOT_UNDERSTOOD


def test_the_models_health_is_read_again_after_some_time_or_on_request(
    service: Local, rated: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rated(2, 1)
    monkeypatch.setattr(alerts_and_health, "FRESH_SECONDS", 3600.0)  # longer than the test takes
    reads: list[object] = []
    model_health = service.model_health

    def record(prediction_filter: PredictionFilter) -> ModelHealth:
        reads.append(prediction_filter)
        return model_health(prediction_filter)

    monkeypatch.setattr(service, "model_health", record)
    app = Dashboard(lambda: service, "en", "")
    rated(1, 0)
    app.refresh_if_changed()
    assert (len(reads), judged(app)) == (1, "66.7%")
    app.controls.handle_message({"action": "refresh"}, [])  # on request
    assert (len(reads), judged(app)) == (2, "75.0%")
    app.controls.handle_message({"action": "window", "value": "30d"}, [])
    assert len(reads) == 3
    app.controls.handle_message({"action": "answer", "value": "cat"}, [])  # the health covers all answers
    app.controls.handle_message({"action": "zone", "value": "Asia/Tokyo"}, [])
    assert len(reads) == 3
    rated(0, 1)
    app.refresh_if_changed()
    assert (len(reads), judged(app)) == (3, "75.0%")
    monkeypatch.setattr(alerts_and_health, "FRESH_SECONDS", 0.0)
    app.refresh_if_changed()  # nothing changed, but the last change was not read yet
    assert (len(reads), judged(app)) == (4, "60.0%")


def test_an_empty_health_is_read_again_after_the_first_change(open_app: OpenApp, rated: Rate) -> None:
    app = open_app()
    rated(1, 0)
    app.refresh_if_changed()
    assert judged(app) == "100%"


def test_a_new_alert_is_shown_after_its_evaluation(open_app: OpenApp, service: Local, storage: Storage) -> None:
    app = open_app()
    assert (app.alerts_and_health.alerts.known, app.alerts_and_health.alerts.alerts) == (True, [])
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    app.refresh_if_changed()
    assert app.alerts_and_health.alerts.alerts == []  # reading evaluates no rule
    service.evaluate_alerts()
    app.refresh_if_changed()
    assert [alert["rule"] for alert in app.alerts_and_health.alerts.alerts] == ["errors"]


def test_times_are_in_the_readers_time_zone(open_app: OpenApp, service: Local, storage: Storage, rated: Rate) -> None:
    rated(1, 0)
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    service.evaluate_alerts()
    app = open_app(query="window=1h")
    zone = ZoneInfo("Asia/Kathmandu")  # its offset from UTC is not a whole number of hours
    app.controls.handle_message({"action": "zone", "value": str(zone)}, [])
    [alert] = app.service.alerts()
    since = Translator("en").datetime(datetime.fromisoformat(alert["since"]).astimezone(zone))
    assert [shown["when"] for shown in app.alerts_and_health.alerts.alerts] == [f"Since {since}."]
    charts: dict[str, Any] = {str(figure["name"]): figure for figure in app.alerts_and_health.charts.figures}
    last = datetime.fromisoformat(charts["accuracy"]["data"][1]["x"][-1]).replace(tzinfo=zone)
    assert datetime.now(UTC) - last < timedelta(hours=2)


def test_a_sentence_says_that_the_health_covers_all_answers_where_one_is_chosen(open_app: OpenApp, rated: Rate) -> None:
    rated(1, 1)
    of_all = "These figures cover all answers, whatever answer is chosen above."
    app = open_app(query="answer=neither")
    assert (judged(app), app.alerts_and_health.summary.sentences[-1]) == ("50.0%", of_all)
    app.controls.handle_message({"action": "answer", "value": ""}, [])
    assert of_all not in app.alerts_and_health.summary.sentences


def judged(app: Dashboard) -> str:
    """Return the share of answers that people judged right, as text."""
    return app.alerts_and_health.summary.sentences[0].partition(", ")[2].partition(" ")[0]
