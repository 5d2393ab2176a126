"""The sentences about alerts."""

from __future__ import annotations

import gettext
import socket
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from catsdogs.alerting import texts
from catsdogs.alerting.alert import Alert, AlertState, Measure, Severity
from catsdogs.i18n import Translator

SINCE = datetime(2026, 3, 18, 12, 30, tzinfo=UTC)


def make_alert(**values: Any) -> Alert:
    usual: Any = {
        "rule": "test",
        "measure": Measure.ERRORS,
        "severity": Severity.CRITICAL,
        "state": AlertState.PENDING,
        "since": SINCE.isoformat(),
        "fired_at": None,
        "resolved_at": None,
        "value": 0.9,
        "n": 10,
        "worst": 0.95,
        "worst_n": 20,
        "worst_at": SINCE.isoformat(),
        "limit": 0.5,
        "baseline": 9.0,
    }
    alert: Alert = usual | values
    return alert


def test_a_message_says_what_happened_since_when_and_what_to_do() -> None:
    alert = make_alert(measure=Measure.SATISFACTION, state=AlertState.FIRING, value=0.25, n=20, limit=0.7)
    title, body = texts.message(alert, Translator("en"), UTC)
    assert title == "catsdogs: Alert: People are dissatisfied"
    happened, since, worst, to_do, severity, address = body.replace("\u202f", " ").split("\n")
    assert happened == "Of 20 people, 25.0% were satisfied; the limit is 70.0%."
    assert since == "Since Mar 18, 2026, 12:30:00 PM UTC."
    assert worst == "Worst so far: 95.0%, Mar 18, 2026, 12:30:00 PM UTC."
    assert "catsdogs model rollback" in to_do
    assert severity == f"Severity: Critical. Host: {socket.gethostname()}."
    assert address == "/monitoring?from=2026-03-18T11:30:00Z"


def test_the_message_of_a_resolved_alert_says_when_it_ended_and_asks_for_nothing() -> None:
    ended = SINCE.replace(hour=13)
    moments = {"fired_at": SINCE.isoformat(), "resolved_at": ended.isoformat()}
    alert = make_alert(state=AlertState.RESOLVED, value=0.2, **moments)
    _, body = texts.message(alert, Translator("en"), UTC, site="https://pets.example")
    assert body.replace("\u202f", " ").split("\n") == [
        "Of 20 photos, 95.0% could not be read; the limit is 50.0%.",
        "From Mar 18, 2026, 12:30:00 PM UTC to Mar 18, 2026, 1:30:00 PM UTC.",
        "That was the worst; at the end it was 20.0%.",
        f"Severity: Critical. Host: {socket.gethostname()}.",
        "https://pets.example/monitoring?from=2026-03-18T11:30:00Z&to=2026-03-18T13:30:00Z",
    ]


@pytest.mark.parametrize(
    ("language", "value", "words"),
    [
        ("en", 29.226, "took 29.2 times the mean time before, 9.0 ms; the limit is 1.50 times."),
        ("en", 1.52, "took 1.52 times the mean time before, 9.0 ms; the limit is 1.50 times."),
        ("fr", 29.226, "ont pris 29,2 fois le temps moyen d’avant, 9,0 ms ; la limite est de 1,50 fois."),
    ],
)
def test_a_multiple_of_the_usual_time_is_no_percentage(language: str, value: float, words: str) -> None:
    alert = make_alert(measure=Measure.INFERENCE_TIME, state=AlertState.FIRING, value=value, n=20, limit=1.5)
    assert texts.description(alert, Translator(language)).replace("\u00a0", " ").endswith(words)


def test_more_photos_than_usual_at_the_end_of_a_gap_are_no_percentage() -> None:
    over = make_alert(measure=Measure.TRAFFIC, state=AlertState.RESOLVED, value=4.8, worst=0.02, limit=0.25)
    assert texts.course(over, Translator("en"), UTC) == "That was the worst; at the end it was 4.80 times."


def test_where_the_limit_was_changed_the_end_is_explained() -> None:
    over = make_alert(measure=Measure.MEAN_TIME, state=AlertState.RESOLVED, value=300.0, worst=400.0, limit=250)
    said = texts.course(over, Translator("en"), UTC)
    assert said == "That was the worst; at the end it was 300.0 ms, within the limit that was set since."
    low = make_alert(measure=Measure.ACCURACY, state=AlertState.RESOLVED, value=0.95, worst=0.2, limit=0.9)
    assert texts.course(low, Translator("en"), UTC) == "That was the worst; at the end it was 95.0%."


def test_long_times_are_written_in_seconds() -> None:
    alert = make_alert(measure=Measure.MEAN_TIME, state=AlertState.FIRING, value=262_145.0, limit=250)
    assert "took 262.1 s on average; the limit is 250.0 ms." in texts.description(alert, Translator("en"))


class _NoBreakSpaceBeforeColons(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return message.replace(":", "\u00a0:")


def test_a_language_may_write_its_colons_with_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    _ = Translator("fr")
    monkeypatch.setattr(_, "_catalogue", _NoBreakSpaceBeforeColons())
    alert = make_alert()
    title, _body = texts.message(alert, _)
    assert title == "catsdogs\u00a0: Watch\u00a0: Many photos cannot be read"
    assert texts.headline(alert, _) == "Watch\u00a0: Many photos cannot be read"


def test_a_message_names_its_time_zone_which_by_default_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    _ = Translator("en")
    try:
        with monkeypatch.context() as tokyo:
            tokyo.setenv("TZ", "Asia/Tokyo")
            time.tzset()
            _title, by_default = texts.message(make_alert(), _)
    finally:
        time.tzset()
    assert "Since Mar 18, 2026, 9:30:00 PM JST." in by_default.replace("\u202f", " ")
    _title, in_paris = texts.message(make_alert(), _, ZoneInfo("Europe/Paris"))
    assert "Since Mar 18, 2026, 1:30:00 PM CET." in in_paris.replace("\u202f", " ")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("measure", Measure)
def test_every_measure_has_a_message(language: str, measure: Measure) -> None:
    title, body = texts.message(make_alert(measure=measure), Translator(language))
    assert title.count(":") == 2
    assert len(body.split("\n")) == 6
    assert "{" not in title + body


def test_where_nothing_was_predicted_no_alert_does_not_mean_that_all_is_well() -> None:
    _ = Translator("en")
    assert texts.no_alert(5, _) == "No alert."
    assert texts.no_alert(0, _) == "No alert, but no prediction in this window either: nothing was checked."
