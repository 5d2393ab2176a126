"""Data subjects' rights over REST: who may use a receipt code, how often, and the purge of old records."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from catsdogs.domain import Consent, new_receipt
from catsdogs.settings import Settings
from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer, copy_empty_database
from tests.storage import Storage
from tests.waiting import until

WRONG = "0000-0000-0000-0000-0000-0000-0000"
RIGHTS = [f"/api/privacy/{right}" for right in ("export", "withdraw", "erase")]


@pytest.fixture(scope="module")
def photo(cat_jpeg: bytes) -> dict[str, Any]:
    return {"file": ("mine.jpg", cat_jpeg, "image/jpeg"), "rgpd_consent": "true", "photo_consent": "true"}


def channel_of(server: RunningServer, outcome: dict[str, Any]) -> str:
    statement = "SELECT how FROM consents JOIN predictions_feedback p ON p.consent_id = consents.id WHERE p.id = :id"
    return str(server.query(statement, id=outcome["feedback_id"])[0]["how"])


def test_a_decision_keeps_its_channel(
    server: RunningServer, client: Client, open_page: Callable[..., OpenPage], photo: dict[str, Any]
) -> None:
    assert channel_of(server, client("POST", "/api/predict", fields=photo).json()) == "rest"
    assert channel_of(server, client("POST", "/api/predict", token=open_page().token, fields=photo).json()) == "app"


def test_a_prediction_session_may_use_receipts_and_a_monitoring_session_may_not(
    client: Client, open_page: Callable[..., OpenPage], operator: dict[str, str], photo: dict[str, Any]
) -> None:
    token = open_page().token
    receipt = client("POST", "/api/predict", token=token, fields=photo).json()["receipt"]
    assert client("POST", RIGHTS[0], token=open_page("/monitoring", headers=operator).token).status == 403
    held = client("POST", RIGHTS[0], token=token, fields={"receipt": receipt}).json()
    assert held["predictions"][0]["filename"] == "mine.jpg"
    assert client("POST", RIGHTS[1], token=token, fields={"receipt": receipt, "purpose": "all"}).status == 400
    assert client("POST", RIGHTS[1], token=token, fields={"receipt": receipt, "purpose": "photo"}).json()["photos"] == 1
    assert len(client("POST", RIGHTS[2], token=token, fields={"receipt": receipt}).json()["predictions"]) == 1


@pytest.mark.parametrize("path", RIGHTS)
def test_the_receipt_belongs_in_the_form(client: Client, open_page: Callable[..., OpenPage], path: str) -> None:
    token = open_page().token
    assert client("POST", f"{path}?receipt={WRONG}", token=token).status == 400
    assert client("GET", f"{path}?receipt={WRONG}", token=token).status == 405
    assert client("POST", path, token=token, fields={"receipt": WRONG}).status == 404


def test_tries_are_limited(client: Client, open_page: Callable[..., OpenPage]) -> None:
    token, other = open_page().token, open_page().token
    answers = [client("POST", RIGHTS[n % 3], token=token, fields={"receipt": WRONG}) for n in range(12)]
    assert [answer.status for answer in answers] == [404] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len({answer.json()["detail"] for answer in answers[:10]}) == 1
    assert client("POST", RIGHTS[0], token=other, fields={"receipt": WRONG}).status == 404


def test_valid_codes_are_not_counted(client: Client, open_page: Callable[..., OpenPage], photo: dict[str, Any]) -> None:
    """A person with the codes of twenty photos uses all of them; only then are wrong ones counted, and all refused."""
    token = open_page().token
    made = [client("POST", "/api/predict", token=token, fields=photo).json() for _ in range(12)]
    codes = [outcome["receipt"] for outcome in made]
    for path in (RIGHTS[0], RIGHTS[1]):
        assert {client("POST", path, token=token, fields={"receipt": code}).status for code in codes} == {200}
    for outcome in made:
        fields = {"feedback_id": outcome["feedback_id"], "rgpd_consent": "true", "receipt": outcome["receipt"]}
        assert client("POST", "/api/consent", token=token, fields=fields).status == 200
    erased = [client("POST", RIGHTS[2], token=token, fields={"receipt": code}).status for code in codes[:-1]]
    assert erased == [200] * 11
    fields = {"feedback_id": made[-1]["feedback_id"], "rgpd_consent": "true", "receipt": WRONG}
    wrong = [client("POST", "/api/consent", token=token, fields=fields) for _ in range(10)]
    assert [answer.status for answer in wrong] == [404] * 10
    blocked = {
        (answer.status, answer.json()["detail"])
        for code in (WRONG, codes[-1])
        for answer in (
            client("POST", RIGHTS[2], token=token, fields={"receipt": code}),
            client("POST", "/api/consent", token=token, fields={**fields, "receipt": code}),
        )
    }
    assert len(blocked) == 1, "valid and wrong codes cannot be told apart"
    assert next(iter(blocked))[0] == 429
    anonymous = client("POST", "/api/predict", token=token, fields={"file": photo["file"]}).json()["feedback_id"]
    first = {"feedback_id": anonymous, "rgpd_consent": "true"}
    assert client("POST", "/api/consent", token=token, fields=first).status == 200, "no code was tried"


@pytest.mark.parametrize("channel", ["rest", "app"])
def test_a_changed_consent_keeps_its_channel_and_language(
    server: RunningServer, client: Client, open_page: Callable[..., OpenPage], photo: dict[str, Any], channel: str
) -> None:
    token = client.server.api_token if channel == "rest" else open_page().token
    made = client("POST", "/api/predict", token=token, fields={"file": photo["file"]}).json()
    fields = {"feedback_id": made["feedback_id"], "photo_consent": "true", "consent_language": "fr"}
    answer = client("POST", "/api/consent", token=token, fields=fields | {"file": photo["file"]})
    assert (answer.status, answer.json()["stored"]) == (200, True)
    statement = """SELECT how, language, rgpd_consent, filename FROM consents
        JOIN predictions_feedback p ON p.consent_id = consents.id WHERE p.id = :id"""
    [row] = server.query(statement, id=made["feedback_id"])
    assert row == {"how": channel, "language": "fr", "rgpd_consent": False, "filename": None}
    assert (
        len(client("POST", RIGHTS[0], token=token, fields={"receipt": answer.json()["receipt"]}).json()["photos"]) == 1
    )


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({}, 400, "feedback_id"),
        ({"feedback_id": "42", "rgpd_consent": "true"}, 404, "no prediction"),
        ({"feedback_id": str(uuid4()), "rgpd_consent": "true"}, 404, "no such prediction"),
        ({"feedback_id": str(uuid4())}, 400, "Send rgpd_consent"),
        ({"feedback_id": str(uuid4()), "rgpd_consent": "perhaps"}, 400, "true or false"),
        ({"feedback_id": str(uuid4()), "photo_consent": "true", "file": ("x.jpg", b"no photo")}, 400, "picture"),
        ({"feedback_id": str(uuid4()), "photo_consent": "true", "file": ("x.jpg", bytes(33 * 2**20))}, 413, "32 MB"),
    ],
)
def test_a_bad_decision_is_refused_and_says_why(
    client: Client, fields: dict[str, Any], status: int, message: str
) -> None:
    answer = client("POST", "/api/consent", fields=fields)
    assert (answer.status, message in answer.json()["detail"]) == (status, True), answer.data


def test_a_client_chooses_the_receipt_code_and_says_what_it_knows(client: Client, photo: dict[str, Any]) -> None:
    code = new_receipt()
    made = [client("POST", "/api/predict", fields=photo | {"new_receipt": code}).json() for _ in range(2)]
    assert made[0]["feedback_id"] == made[1]["feedback_id"]
    assert [one["receipt"] for one in made] == [code, code]
    change = {"feedback_id": made[0]["feedback_id"], "rgpd_consent": "true", "receipt": code}
    stale = client("POST", "/api/consent", fields=change | {"known_rgpd_consent": "true"})
    assert (stale.status, "changed elsewhere" in stale.json()["detail"]) == (409, True)
    both = {"known_rgpd_consent": "true", "known_photo_consent": "true"}
    assert client("POST", "/api/consent", fields=change | both).json() == {"receipt": code, "stored": True}
    assert client("POST", "/api/consent", fields=change | {"known_photo_consent": "perhaps"}).status == 400
    for path, fields in (("/api/predict", photo), ("/api/consent", change)):
        answer = client("POST", path, fields=fields | {"new_receipt": "mine"})
        assert (answer.status, "28 random digits" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("path", ["/api/predict", "/api/consent"])
def test_a_chosen_code_of_somebody_else_counts_as_a_wrong_one(
    client: Client, open_page: Callable[..., OpenPage], photo: dict[str, Any], path: str
) -> None:
    token, other = open_page().token, open_page().token
    theirs = client("POST", "/api/predict", token=other, fields=photo).json()
    consent = {"feedback_id": theirs["feedback_id"], "rgpd_consent": "true"}
    mine, code = (
        (photo | {"photo_consent": "false"}, theirs["receipt"]) if "predict" in path else (consent, new_receipt())
    )
    answers = [client("POST", path, token=token, fields=mine | {"new_receipt": code}) for _ in range(12)]
    assert [answer.status for answer in answers] == [400] * 10 + [429] * 2
    assert all("feedback_id" not in answer.json() for answer in answers)
    assert client("POST", RIGHTS[0], token=token, fields={"receipt": WRONG}).status == 429
    assert client("POST", RIGHTS[0], token=other, fields={"receipt": theirs["receipt"]}).status == 200


def test_the_log_holds_no_receipt(
    server: RunningServer, client: Client, open_page: Callable[..., OpenPage], photo: dict[str, Any]
) -> None:
    token = open_page().token
    receipt = client("POST", "/api/predict", token=token, fields=photo).json()["receipt"]
    for path in RIGHTS:
        client("POST", path, token=token, fields={"receipt": receipt})
    assert receipt not in server.log.read_text()
    assert "mine.jpg" not in server.log.read_text()


def test_the_server_purges_old_records(launch: Launch, make_record: Callable[..., tuple[Any, str]]) -> None:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        copy_empty_database(Path(folder) / "data")
        settings = Settings(_env_file=None, CATSDOGS_DATA_DIR=f"{folder}/data")
        record, _ = make_record(Consent(True, True))
        old = datetime.now(UTC) - timedelta(days=3)
        storage = Storage.open(settings)
        storage.writer.store_prediction(
            record.model_copy(update={"decision": record.decision.model_copy(update={"decided_at": old})})
        )
        storage.close()

        server = launch(Path(folder), CATSDOGS_RETENTION_DAYS="2")
        until(
            lambda: not server.query("SELECT 1 FROM photos UNION SELECT 1 FROM consents"),
            "the old records are not purged",
            interval=0.1,
        )
        [row] = server.query("SELECT filename, proba_cat FROM predictions_feedback")
        assert row == {"filename": None, "proba_cat": 0.9}
        server.stop()
