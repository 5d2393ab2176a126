"""Alerts and model health on the dashboard, on the real service and a real database."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catsdogs.errors import InvalidImage
from catsdogs.feedback import FeedbackRecord
from catsdogs.monitoring.rules import PACKAGED
from catsdogs.predictions import PredictionRecord
from catsdogs.recorder import Recorder
from catsdogs.served_model import ServedModel
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets import judgement
from catsdogs.widgets.dashboard import Dashboard


@pytest.fixture
def service(recorder: Recorder, database: Settings) -> Local:
    return Local(ServedModel(database), recorder, database)


@pytest.fixture
def open_app(service: Local, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Dashboard]:
    monkeypatch.setattr(judgement, "FRESH_SECONDS", 0.0)
    return lambda language="en": Dashboard(lambda: service, language, "")


@pytest.fixture
def rated(recorder: Recorder, make_record: Any) -> Callable[[int, int], None]:
    """Record answers of the shipped model, so many satisfied and so many not."""

    def rated(satisfied: int, unsatisfied: int) -> None:
        for place in range(satisfied + unsatisfied):
            record = make_record()[0].model_copy(
                update={"model_version": "1.0", "timestamp": datetime.now(UTC) - timedelta(seconds=place + 1)}
            )
            recorder.store(record)
            recorder.give(FeedbackRecord.of(record.id, int(place < satisfied), None, None))

    return rated


def test_before_anything_happens_nothing_needs_anybody(open_app: Callable[..., Dashboard]) -> None:
    parts = open_app().judgement
    assert (parts.alerts.known, parts.alerts.alerts) == (True, [])
    assert parts.words.sentences == ["Nobody said yet what a photo shows."]
    assert parts.words.tables == []
    assert [figure["name"] for figure in parts.charts.figures] == ["accuracy", "reliability", "drift"]
    assert not any(figure["data"] for figure in parts.charts.figures)


def test_what_does_not_work_as_it_should_is_said(recorder: Recorder, database: Settings, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    settings = database.model_copy(update={"alert_rules": rules})

    def degraded() -> list[str]:
        alerts = Dashboard(lambda: Local(ServedModel(settings), recorder, settings), "en", "").judgement.alerts
        assert (alerts.known, alerts.problem) == (True, "")
        return alerts.degraded

    rules.write_bytes(PACKAGED.read_bytes())
    assert degraded() == []
    rules.write_text("[[rule")
    assert degraded() == ["The file of alert rules has a mistake: the rules of before hold. The log says which."]
    rules.write_bytes(PACKAGED.read_bytes())
    assert degraded() == []


def test_an_alert_says_what_happened_since_when_and_what_to_do(
    open_app: Callable[..., Dashboard], recorder: Recorder
) -> None:
    for _ in range(20):
        recorder.store(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    app = open_app()
    [alert] = app.judgement.alerts.alerts
    assert (alert["rule"], alert["state"], alert["badge"]) == ("errors", "firing", "Alert")
    assert alert["happened"] == "100.0% of 20 photos could not be read; the limit is 5.0%."
    assert alert["when"].startswith("Since ")
    assert alert["to_do"].startswith("Look in the server's log")


def test_that_the_rules_cannot_be_read_is_said_where_the_alerts_are(
    recorder: Recorder, database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "FRESH_SECONDS", 0.0)
    rules = tmp_path / "rules.toml"
    rules.write_text("[[rule")
    broken = Local(ServedModel(database), recorder, database.model_copy(update={"alert_rules": rules}))
    app = Dashboard(lambda: broken, "en", "")
    assert app.judgement.alerts.problem.startswith(f"The alert rules {rules} are not TOML")
    assert app.judgement.words.sentences == ["Nobody said yet what a photo shows."]
    rules.write_text('[[rule]]\nname = "a"\nmeasure = "errors"\nabove = 0.5\nlast = 50\n')
    app.refresh()
    assert (app.judgement.alerts.problem, app.judgement.alerts.known) == ("", True)


def test_it_says_how_good_the_model_is(open_app: Callable[..., Dashboard], rated: Callable[[int, int], None]) -> None:
    rated(90, 10)
    parts = open_app().judgement
    judged, estimated, drift = parts.words.sentences
    assert judged.startswith("90.0% of the answers that people judged were right (n = 100")
    assert "90.0% are expected to be right (CBPE" in estimated
    assert drift.startswith("Drift: ")  # a hundred times the same photo
    signals, versions = parts.words.tables
    assert {row["kind"] for row in signals["rows"]} <= {"none", "moderate", "strong"}
    assert [row["cells"][:2] for row in versions["rows"]] == [["1.0", "100.0%"]]


def test_the_figures_behind_a_chart_are_saved_as_csv(
    open_app: Callable[..., Dashboard], rated: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rated(3, 1)
    charts = open_app().judgement.charts
    sent: list[Any] = []
    monkeypatch.setattr(charts, "send", lambda content, *_: sent.append(content))
    for name in ("accuracy", "reliability", "drift", "passwords"):
        charts._answer({"id": name, "asks": "csv", "value": name}, [])
    files = {
        message["file"]: list(csv.DictReader(io.StringIO(message["text"]))) for message in sent if "file" in message
    }
    assert set(files) == {"catsdogs-accuracy.csv", "catsdogs-reliability.csv", "catsdogs-drift.csv"}
    assert [(row["rate"], row["n"]) for row in files["catsdogs-reliability.csv"]] == [("0.75", "4")]
    assert len(files["catsdogs-drift.csv"]) == 6
    assert "not understood" in next(message["problem"] for message in sent if message.get("reply") == "passwords")


def test_what_does_not_change_is_not_read_again_at_every_turn(
    service: Local, rated: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = service.model_health
    monkeypatch.setattr(service, "model_health", lambda **window: asked.append("again") or ask(**window))
    app = Dashboard(lambda: service, "en", "")
    app.refresh()
    assert asked == ["again"]
    app.controls.receive({"asks": "window", "value": "30d"}, [])
    assert asked == ["again"] * 2
