"""Programs that were written for V2, on a server that took V2's table over and answers as V2 did."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import urllib3
from PIL import Image

from catsdogs.database import Database, setup
from catsdogs.settings import Settings
from tests.server.client import Client
from tests.serving import Launch

V2_TABLE = """CREATE TABLE predictions_feedback (
    id SERIAL PRIMARY KEY, timestamp TIMESTAMP DEFAULT now(), created_at TIMESTAMP DEFAULT now(),
    inference_time_ms INTEGER NOT NULL, success BOOLEAN NOT NULL, prediction_result VARCHAR(10) NOT NULL,
    proba_cat DECIMAL(5,2) NOT NULL, proba_dog DECIMAL(5,2) NOT NULL, rgpd_consent BOOLEAN NOT NULL DEFAULT false,
    filename VARCHAR(255), user_feedback INTEGER, user_comment TEXT)"""
"""V2's table, as its script creates it."""
ROWS = """INSERT INTO predictions_feedback
    (inference_time_ms, success, prediction_result, proba_cat, proba_dog, rgpd_consent, filename)
    VALUES (47, true, 'cat', 97.12, 2.88, true, 'felix.jpg'), (31, false, 'error', 0, 0, false, NULL)"""


@pytest.fixture
def v2(database: Settings, environment: dict[str, str], launch: Launch) -> Iterator[Client]:
    """A client of such a server; the database had two rows of V2."""
    opened = Database(database)

    def make_v2_table(connection: sa.Connection) -> None:
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", V2_TABLE, ROWS):
            connection.execute(sa.text(statement))

    opened.run(make_v2_table)
    setup.migrate(opened)
    opened.close()
    variables = {name: value for name, value in environment.items() if name.startswith("DB_")}
    server = launch(None, wait=True, CATSDOGS_V2_COMPATIBLE="true", **variables)
    yield Client(server)
    server.stop()


def rows(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client("GET", "/api/recent-predictions").json()["predictions"]
    return found


def flat_png() -> bytes:
    """A picture of nothing."""
    stream = io.BytesIO()
    Image.new("RGB", (300, 300), (200, 30, 30)).save(stream, "PNG")
    return stream.getvalue()


def send_json(client: Client, **fields: Any) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "application/json"}
    return client("POST", "/api/update-feedback", body=json.dumps(fields).encode(), headers=headers)


def test_everything_a_program_for_v2_does(v2: Client, cat_jpeg: bytes) -> None:
    taken_over = {row["id"]: row for row in rows(v2)}
    assert taken_over.keys() == {1, 2}
    assert taken_over[1]["proba_cat"] == 97.12
    assert taken_over[1]["proba_dog"] == 2.88
    assert taken_over[1]["inference_time_ms"] == 47
    assert taken_over[1]["filename"] == "felix.jpg"
    assert (taken_over[2]["prediction_result"], taken_over[2]["proba_cat"], taken_over[2]["success"]) == (
        "error",
        0,
        False,
    )

    # feedback by V2's integers, as a form and as JSON
    form = {"feedback_id": "1", "user_feedback": "0", "user_comment": "A lynx!"}
    assert v2("POST", "/api/update-feedback", fields=form, encode_multipart=False).status == 200
    assert {row["id"]: row["user_feedback"] for row in rows(v2)} == {1: 0, 2: None}
    assert send_json(v2, feedback_id=1, user_feedback=1, user_comment=None).json()["success"] is True
    assert {row["id"]: row["user_feedback"] for row in rows(v2)} == {1: 1, 2: None}
    assert send_json(v2, feedback_id=3, user_feedback=1).status == 404
    assert send_json(v2, feedback_id=10**30, user_feedback=1).status == 404
    nested = b"[" * 60_000
    assert v2("POST", "/api/update-feedback", body=nested, headers={"Content-Type": "application/json"}).status == 400
    assert v2("POST", "/api/update-feedback", token=None, fields=form).status == 401  # V2 asked for no token

    # a new prediction
    cat = v2("POST", "/api/predict", fields={"file": ("x.jpg", cat_jpeg, "image/jpeg"), "further": "1"}).json()
    assert (cat["prediction"], cat["neither"]) == ("Cat", False)
    assert cat["confidence"] == cat["probabilities"]["cat"]
    assert isinstance(cat["inference_time_ms"], int)
    assert send_json(v2, feedback_id=cat["feedback_id"], user_feedback=1).status == 200
    assert rows(v2)[0]["id"] == cat["feedback_id"]
    assert rows(v2)[0]["proba_cat"] == pytest.approx(100 * cat["proba_cat"], abs=0.01)

    red = v2("POST", "/api/predict", fields={"file": ("x.png", flat_png(), "image/png")}).json()
    assert red["prediction"] in {"Cat", "Dog"}
    assert red["neither"] is True
    assert red["confidence"] == red["probabilities"][red["prediction"].lower()]
    assert rows(v2)[0]["prediction_result"] == red["prediction"].lower()
    assert rows(v2)[0]["neither"] is True

    statistics = v2("GET", "/api/statistics").json()
    assert statistics["total_predictions"] == 4
    assert statistics["success_rate"] == 75


def test_without_the_setting_integers_and_json_are_refused(client: Client) -> None:
    assert client("POST", "/api/update-feedback", fields={"feedback_id": "1", "user_feedback": "1"}).status == 404
    assert send_json(client, feedback_id="1", user_feedback=1).status == 400
