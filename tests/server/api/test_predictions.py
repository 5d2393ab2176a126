"""The REST contract, on the running server."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import urllib3

from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED, read_card
from tests.server.client import Client
from tests.serving import RunningServer


def predict(client: Client, photo: bytes, **fields: Any) -> urllib3.BaseHTTPResponse:
    return client("POST", "/api/predict", fields={"file": ("chelsea.jpg", photo, "image/jpeg"), **fields})


def feedback(client: Client, **fields: Any) -> urllib3.BaseHTTPResponse:
    return client("POST", "/api/update-feedback", fields=fields, encode_multipart=False)


def test_a_prediction_has_v2s_fields(client: Client, cat_jpeg: bytes) -> None:
    answer = predict(client, cat_jpeg)
    assert answer.status == 200
    body = answer.json()
    assert body["filename"] == "chelsea.jpg"
    assert body["prediction"] == "Cat"
    assert body["confidence"] == body["probabilities"]["cat"] == f"{body['proba_cat']:.2%}"
    assert body["probabilities"]["dog"] == f"{body['proba_dog']:.2%}"
    assert body["proba_cat"] + body["proba_dog"] == pytest.approx(1)
    assert body["inference_time_ms"] > 0
    assert body["model_version"]
    assert body["receipt"] is None


def test_the_row_holds_what_consent_allows(client: Client, server: RunningServer, cat_jpeg: bytes) -> None:
    refused = predict(client, cat_jpeg).json()
    agreed = predict(client, cat_jpeg, rgpd_consent="true").json()
    rows = {
        str(row["id"]): row
        for row in server.query("SELECT id, filename, rgpd_consent, prediction_result FROM predictions_feedback")
    }
    assert rows[refused["feedback_id"]]["filename"] is None
    assert rows[refused["feedback_id"]]["rgpd_consent"] is False
    assert rows[agreed["feedback_id"]]["filename"] == "chelsea.jpg"
    assert rows[agreed["feedback_id"]]["prediction_result"] == "cat"
    assert agreed["receipt"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"file": ("x.jpg", b"", "image/jpeg")}, "empty"),
        ({"file": ("x.jpg", b"no photo", "image/jpeg")}, ""),
        ({"image": ("x.jpg", b"...", "image/jpeg")}, "no field image. There are: file,"),
        ({"file": "text"}, "field file"),
        ({"file": ("x.jpg", b"...", "image/jpeg"), "rgpd_consent": "perhaps"}, "rgpd_consent"),
    ],
)
def test_a_bad_form_is_400_and_says_why(client: Client, fields: dict[str, Any], message: str) -> None:
    answer = client("POST", "/api/predict", fields=fields)
    assert answer.status == 400
    assert message in answer.json()["detail"]


def test_a_body_that_is_no_form_is_400(client: Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client("POST", "/api/predict", body=b"garbage", headers=headers).status == 400
    assert client("POST", "/api/predict", body=b"{}", headers={"Content-Type": "application/json"}).status == 400


def test_errors_are_in_the_clients_language(client: Client) -> None:
    english = predict(client, b"no photo").json()["detail"]
    french = client(
        "POST",
        "/api/predict",
        fields={"file": ("x.jpg", b"no photo", "image/jpeg")},
        headers={"Accept-Language": "fr-CA, en;q=0.5"},
    )
    assert french.json().keys() == {"detail"}
    assert french.status == 400
    assert french.json()["detail"] == Translator("fr")(english)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_photo_beyond_the_limit_is_413(client: Client, chunked: bool) -> None:
    photo = bytes(33 * 1024 * 1024)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n'
    body = head + photo + b"\r\n--b--\r\n"
    answer = client(
        "POST",
        "/api/predict",
        body=iter([body[i : i + 65536] for i in range(0, len(body), 65536)]) if chunked else body,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status == 413
    assert "32 MB" in answer.json()["detail"]


def test_a_client_is_refused_before_it_sends_the_body(server: RunningServer) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = "POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n"
        connection.sendall(head.encode())  # and nothing of the body
        assert connection.recv(100).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("length", ["abc", "-1", "1_0", "\u00b2"])
def test_a_content_length_that_is_no_number_is_400(server: RunningServer, length: str) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = f"POST /api/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_token}\r\n"
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"This request cannot be understood." in answer


def test_feedback_is_recorded(client: Client, server: RunningServer, cat_jpeg: bytes) -> None:
    made = predict(client, cat_jpeg, rgpd_consent="true").json()
    answer = feedback(
        client, feedback_id=made["feedback_id"], user_feedback="0", user_comment="A lynx!", true_label="neither"
    )
    assert answer.status == 200
    assert answer.json()["success"] is True
    assert answer.json()["message"]
    (row,) = server.query(
        "SELECT user_feedback, user_comment, true_label FROM predictions_feedback WHERE id = :id",
        id=made["feedback_id"],
    )
    assert row == {"user_feedback": 0, "user_comment": "A lynx!", "true_label": "neither"}


def test_a_comment_without_consent_is_403_and_a_rating_is_stored(
    client: Client, server: RunningServer, cat_jpeg: bytes
) -> None:
    made = predict(client, cat_jpeg).json()
    assert feedback(client, feedback_id=made["feedback_id"], user_comment="hello").status == 403
    assert feedback(client, feedback_id=made["feedback_id"], user_feedback="1").status == 200
    (row,) = server.query(
        "SELECT user_feedback, user_comment FROM predictions_feedback WHERE id = :id", id=made["feedback_id"]
    )
    assert row == {"user_feedback": 1, "user_comment": None}


def test_satisfied_with_an_answer_that_the_label_contradicts_is_400(
    client: Client, server: RunningServer, cat_jpeg: bytes
) -> None:
    made = predict(client, cat_jpeg).json()
    assert made["prediction"] == "Cat"
    refused = feedback(client, feedback_id=made["feedback_id"], user_feedback="1", true_label="dog")
    assert (refused.status, "Change one of the two" in refused.json()["detail"]) == (400, True)
    assert feedback(client, feedback_id=made["feedback_id"], user_feedback="1", true_label="both").status == 200
    assert feedback(client, feedback_id=made["feedback_id"], user_feedback="0", true_label="dog").status == 200


def test_a_comment_is_deleted_only_on_purpose(client: Client, server: RunningServer, cat_jpeg: bytes) -> None:
    """V2's clients send an empty comment with a rating."""
    made = predict(client, cat_jpeg, rgpd_consent="true").json()
    statement = "SELECT user_feedback, user_comment FROM predictions_feedback WHERE id = :id"
    for fields, kept in (
        ({"user_comment": "mine"}, {"user_feedback": None, "user_comment": "mine"}),
        ({"user_feedback": "1", "user_comment": ""}, {"user_feedback": 1, "user_comment": "mine"}),
        ({"delete_comment": "true"}, {"user_feedback": 1, "user_comment": None}),
    ):
        assert feedback(client, feedback_id=made["feedback_id"], **fields).status == 200
        assert server.query(statement, id=made["feedback_id"]) == [kept]
    both = feedback(client, feedback_id=made["feedback_id"], user_comment="mine", delete_comment="true")
    assert (both.status, "Either" in both.json()["detail"]) == (400, True)


@pytest.mark.parametrize("unknown", ["01a21a98-5569-778b-8055-a3bd654191c9", "42"])
def test_feedback_on_an_unknown_prediction_is_404(client: Client, unknown: str) -> None:
    assert feedback(client, feedback_id=unknown, user_feedback="1").status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"feedback_id": str(uuid4()), "user_feedback": "2"},
        {"feedback_id": str(uuid4()), "user_feedback": "yes"},
        {"feedback_id": str(uuid4()), "true_label": "horse"},
        {"feedback_id": str(uuid4()), "user_feedback": "1", "delete_comment": "perhaps"},
    ],
)
def test_bad_feedback_is_400(client: Client, fields: dict[str, Any]) -> None:
    assert feedback(client, **fields).status == 400


def test_statistics_of_a_window(client: Client, cat_jpeg: bytes) -> None:
    before = client("GET", "/api/statistics").json()
    predict(client, cat_jpeg)
    now = datetime.now(UTC)
    after = client("GET", "/api/statistics").json()
    assert after["total_predictions"] == before["total_predictions"] + 1
    assert 0 <= after["success_rate"] <= 100
    assert after["inference_time_ms"]["max"] > 0
    window = {"start": now.isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    assert client("GET", "/api/statistics", fields=window).json()["total_predictions"] == 0
    assert client("GET", "/api/statistics", fields={"model_version": "none"}).json()["total_predictions"] == 0


@pytest.mark.parametrize(
    "query",
    [
        {"start": "yesterday"},
        {"start": ""},
        {"start": "0001-01-01T00:00:00+10:00"},
        {"end": "2026-13-01"},
        {"start": "2026-02-01", "end": "2026-01-01"},
    ],
)
def test_an_invalid_window_is_400(client: Client, query: dict[str, str]) -> None:
    answer = client("GET", "/api/statistics", fields=query)
    assert answer.status == 400
    assert answer.json()["detail"]


def test_a_plus_sign_that_was_not_encoded_is_understood(client: Client) -> None:
    for offset in ("+01:00", "-11:30", "+17:49"):
        assert client("GET", f"/api/statistics?start=2026-01-01T00:00:00{offset}").status == 200


def test_recent_predictions_newest_first(client: Client, cat_jpeg: bytes) -> None:
    made = [predict(client, cat_jpeg).json()["feedback_id"] for _ in range(3)]
    answer = client("GET", "/api/recent-predictions?limit=2").json()
    assert [row["id"] for row in answer["predictions"]] == made[:0:-1]
    assert answer["count"] == 2


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "ten", "1e2", "", "99999999999999999999", "٣"])
def test_a_limit_out_of_range_is_400(client: Client, limit: str) -> None:
    assert client("GET", "/api/recent-predictions", fields={"limit": limit}).status == 400


def test_health(client: Client) -> None:
    assert client("GET", "/health", token=None).json() == {
        "status": "healthy",
        "degraded": [],
        "model_loaded": True,
        "database": "connected",
        "spooled": 0,
        "set_aside": 0,
    }
    assert client("GET", "/health/live", token=None).json() == {"status": "alive"}
    assert client("GET", "/health/ready", token=None).json() == {"status": "ready"}


def test_model_information(client: Client) -> None:
    info = client("GET", "/api/info", token=None).json()
    assert info["model_loaded"] is True
    assert {"cat", "dog"} <= set(info["classes"])
    assert info["parameters"] > 1_000_000
    assert {"version", "input_size", "metrics", "features"} <= info.keys()
    assert info["card"].startswith(f"# Model {info['version']}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_model_card_is_a_page_in_the_readers_language(client: Client, language: str) -> None:
    _ = Translator(language)
    page = client("GET", f"/info?lang={language}", token=None).data.decode()
    own, card = page.split("<details>")
    assert f'<html lang="{language}">' in own
    for heading in ("What it is for", "What it cannot do", "How it was trained", "How good it is"):
        assert f"<h2>{_(heading)}</h2>" in own
    assert 'lang="en"' not in own.partition("<article")[2], "all that trainings write is translated"
    assert f"<td>{_.percent(read_card(SHIPPED).metrics['val'].accuracy, 2)}" in own
    assert '<div lang="en"><h1>Model 2.' in card
    assert "<h2>Terms</h2>" in card


def test_markup_in_a_model_card_is_text() -> None:
    from catsdogs.server.pages import _markdown

    assert "<script>" not in _markdown("# Model\n\n<script>alert(1)</script> [x](javascript:alert(1))")
    assert "javascript:" not in _markdown("[x](javascript:alert(1))")


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/health/nothing", "/api/kernels", "/api/contents"])
def test_an_unknown_route_is_404_in_json(client: Client, path: str) -> None:
    answer = client("GET", path)
    assert answer.status == 404
    assert answer.json()["detail"]


def test_a_wrong_method_is_405_in_json(client: Client) -> None:
    answer = client("DELETE", "/api/predict")
    assert answer.status == 405
    assert answer.json()["detail"]
