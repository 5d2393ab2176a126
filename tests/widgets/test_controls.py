"""The controls of the dashboard: choices, address and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest

from catsdogs.database.demo_ids import demo_id
from tests.widgets.helpers import NOT_UNDERSTOOD, OpenApp, Predict, Send, chart, tiles


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


def test_demonstration_data_is_named_where_the_window_holds_some(
    busy: None, predict: Predict, open_app: OpenApp, send: Send
) -> None:
    predict(timedelta(days=45), id=demo_id(1))
    app = open_app()
    assert app.controls.demonstration == ""
    assert send(app.controls, {"action": "window", "value": "all"}) == ""
    assert app.controls.demonstration.startswith("Demonstration data: these figures contain made-up predictions.")


def test_every_time_that_can_be_entered_is_accepted(open_app: OpenApp, send: Send) -> None:
    app = open_app()
    for hours in (-12, 14):  # the time zones that are farthest from UTC
        zone = timezone(timedelta(hours=hours))
        period = [datetime.fromisoformat(text).replace(tzinfo=zone).isoformat() for text in app.controls.limits]
        assert send(app.controls, {"action": "period", "value": period}) == ""


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
    assert refused == "from must be between the years 1970 and 2999."
    refused = send(app.controls, {"action": "period", "value": ["yesterday", ""]})
    assert refused == "from must be a date, or a date and time, in ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z."
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
