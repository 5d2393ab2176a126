"""The service in this process: recorded failures, outages, threads, and a normal end."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg2
import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage, NotFound
from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.registry import ModelVersions
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.waiting import until


@pytest.fixture
def local(database: Settings) -> Iterator[Local]:
    with Local.open(database) as service:
        yield service


@pytest.fixture
def stranded(database: Settings) -> Iterator[Local]:
    """A service whose database cannot be reached."""
    with Local.open(database.model_copy(update={"db_host": "/nonexistent"})) as service:
        yield service


@contextmanager
def soon() -> Iterator[None]:
    """Fail where something takes much longer than two seconds; without a limit, it would take a minute."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 12


def rows(settings: Settings) -> dict[UUID, sa.RowMapping]:
    database = Database(settings)
    query = sa.select(database.tables.predictions)
    found = database.run(lambda connection: connection.execute(query).mappings().all())
    database.close()
    return {row["id"]: row for row in found}


def test_a_prediction_is_recorded_with_its_figures(database: Settings, local: Local, cat_jpeg: bytes) -> None:
    outcome = local.predict(cat_jpeg, filename="chelsea.jpg")
    row = rows(database)[outcome.feedback_id]
    assert row["prediction_result"] == outcome.prediction.answer == Answer.CAT
    assert row["proba_cat"] == outcome.prediction.proba_cat
    assert row["neither_score"] == outcome.prediction.neither_score
    assert row["inference_time_ms"] == outcome.prediction.inference_time_ms
    assert row["model_version"] == local.model_info()["version"]
    assert (row["width"], row["height"]) == (451, 300)
    assert 0 < row["brightness"] < 1


@pytest.mark.parametrize("photo", [b"", b"not a picture", b"\xff\xd8\xff\xe0 truncated"])
def test_a_photo_that_cannot_be_read_is_recorded_anonymously(database: Settings, local: Local, photo: bytes) -> None:
    with pytest.raises(InvalidImage):
        local.predict(photo, filename="mine.jpg", consent=Consent(True, True))
    [row] = rows(database).values()
    assert (row["success"], row["prediction_result"], row["error_type"]) == (False, "error", "InvalidImage")
    assert (row["filename"], row["consent_id"], row["rgpd_consent"]) == (None, None, False)
    assert local.statistics()["answers"]["error"] == 1


def test_a_promoted_version_that_cannot_be_loaded_is_reported(
    local: Local, database: Settings, cat_jpeg: bytes
) -> None:
    assert local.health()["degraded"] == []
    damaged = database.data_dir / "models" / "9.0"
    damaged.mkdir(parents=True)
    card = json.loads((SHIPPED / CARD_FILE).read_text()) | {"version": "9.0"}
    (damaged / CARD_FILE).write_text(json.dumps(card))
    (damaged / "model.onnx").write_bytes(b"no model")
    versions = ModelVersions(database.data_dir)
    versions.promote("9.0")
    health = local.health()
    assert (health["status"], health["degraded"]) == ("degraded", ["model"])
    assert local.predict(cat_jpeg).prediction.model_version == SHIPPED.name
    versions.rollback()
    assert local.health()["status"] == "healthy"


def test_a_nearly_full_spool_is_reported(database: Settings, cat_jpeg: bytes) -> None:
    unreachable = database.model_copy(update={"db_host": "/nonexistent", "spool_megabytes": 1})
    with Local.open(unreachable) as service:
        while service.health()["degraded"] == ["database"]:
            assert service.predict(cat_jpeg, consent=Consent(True, True)).stored is False
        assert service.health()["degraded"] == ["database", "spool"]


@pytest.mark.parametrize(
    ("part", "named"),
    [("_look_at_disk", "disk"), ("_replayer.ping_database", "database"), ("_model.current", "model")],
)
def test_what_cannot_be_checked_is_not_healthy(
    local: Local, monkeypatch: pytest.MonkeyPatch, part: str, named: str
) -> None:
    check = local._health_check
    *owner, name = part.split(".")
    monkeypatch.setattr(getattr(check, owner[0]) if owner else check, name, lambda: 1 / 0)
    assert local.health()["degraded"] == [named]


def test_health_does_not_wait_for_a_model_that_is_loaded(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()
    monkeypatch.setattr(local._model, "current", lambda: loaded.wait(60))
    try:
        with soon():
            assert local.health()["status"] == "healthy"
    finally:
        loaded.set()


def test_a_look_up_of_the_servers_name_that_hangs_delays_nobody(
    local: Local, monkeypatch: pytest.MonkeyPatch, cat_jpeg: bytes
) -> None:
    """As where no name server answers: nothing limits its time, and there is no connection yet that could be closed."""
    answered, connect = threading.Event(), psycopg2.connect
    made: list[Future[Any]] = []

    def hang(*arguments: Any, **options: Any) -> Any:
        future: Future[Any] = Future()
        made.append(future)
        answered.wait(60)
        future.set_result(connect(*arguments, **options))
        return future.result()

    assert local.predict(cat_jpeg).stored
    with monkeypatch.context() as patched:
        patched.setattr(psycopg2, "connect", hang)
        local._database.close()
        for _ in range(2):
            with soon():
                assert not local.predict(cat_jpeg).stored
            with soon():
                assert local.health()["degraded"] == ["database"]
        answered.set()
        first = made[0].result(10)
        until(lambda: first.closed, "a connection that nobody waits for stays open")
    until(lambda: local.health()["status"] == "healthy" and local.statistics()["total_predictions"] == 3)


def test_what_was_set_aside_is_reported(local: Local, cat_jpeg: bytes) -> None:
    spool = local._spool
    spool.put_feedback(FeedbackRecord.create(local.predict(cat_jpeg).feedback_id, 1, None, None))
    spool.set_aside(spool.feedback_files()[0], "is only a test")
    health = local.health()
    assert (health["degraded"], health["set_aside"]) == (["set_aside"], 1)


def test_without_a_database_predictions_go_on(database: Settings, stranded: Local, cat_jpeg: bytes) -> None:
    assert stranded.health() == {
        "status": "degraded",
        "degraded": ["database"],
        "model_loaded": True,
        "database": "unavailable",
        "spooled": 0,
        "set_aside": 0,
    }
    outcome = stranded.predict(cat_jpeg, filename="chelsea.jpg", consent=Consent(True, True))
    assert outcome.prediction.answer is Answer.CAT
    assert outcome.stored is False
    assert outcome.receipt
    assert stranded.give_feedback(outcome.feedback_id, user_feedback=1, user_comment="Chelsea") is False
    with pytest.raises(InvalidImage):
        stranded.predict(b"not a picture")
    assert stranded.health()["spooled"] == 3

    with Local.open(database) as back:  # finds the records that wait in the same data folder
        until(lambda: back.health()["spooled"] == 0)
        assert back.health()["status"] == "healthy"
        held = back.export(outcome.receipt)
        assert held["predictions"][0]["user_comment"] == "Chelsea"
        assert len(held["photos"]) == 1
        assert back.statistics()["total_predictions"] == 2
        back.erase(outcome.receipt)
        with pytest.raises(NotFound):
            back.give_feedback(outcome.feedback_id, user_feedback=1)


def test_threads_may_share_a_service(database: Settings, local: Local, cat_jpeg: bytes) -> None:
    def visit(number: int) -> UUID:
        outcome = local.predict(cat_jpeg, filename=f"{number}.jpg", consent=Consent(filename_and_comment=True))
        local.give_feedback(outcome.feedback_id, user_feedback=number % 2, user_comment=str(number))
        return outcome.feedback_id

    with ThreadPoolExecutor(16) as threads:
        identifiers = list(threads.map(visit, range(64)))
    found = rows(database)
    assert {found[identifier]["filename"]: found[identifier]["user_comment"] for identifier in identifiers} == {
        f"{number}.jpg": str(number) for number in range(64)
    }


def test_nothing_personal_reaches_the_log(local: Local, cat_jpeg: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = local.predict(cat_jpeg, filename="holiday.jpg", consent=Consent(True, True))
    local.give_feedback(outcome.feedback_id, user_comment="my comment")
    with pytest.raises(InvalidImage):
        local.predict(b"nothing", filename="holiday.jpg")
    assert not [word for word in ("holiday", "my comment", str(outcome.receipt)) if word in caplog.text]
