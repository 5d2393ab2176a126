"""A database that is locked, frozen, or behind a network that drops packets: nothing waits for it for long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import sqlalchemy as sa

from catsdogs.database import Database, postgres, setup
from catsdogs.database.embedded import USER, EmbeddedServer
from catsdogs.database.engine import BRIEF, PATIENT
from catsdogs.domain import Consent, new_receipt
from catsdogs.errors import DatabaseUnavailable, SpoolError
from catsdogs.records import set_aside
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.serving import own_postgresql
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]

SOON = 8.0
"""Seconds; the limits are 2 and 1, and a machine may be busy. Without limits, a call would wait for ever."""


class Line:
    """A network between this machine and PostgreSQL, which may begin to drop every packet."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._path = str(server.socket_dir / f".s.PGSQL.{postgres.PORT}")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.drops = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._path)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=[one, other], daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.drops:
                    target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    database = Database(settings)
    with database.engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE predictions_feedback"))
        yield
    database.close()


@contextmanager
def frozen(server: EmbeddedServer) -> Iterator[None]:
    processes = [process for process in psutil.process_iter() if postgres.is_server_process(process, server.pgdata)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # its client had given up
                process.resume()


@contextmanager
def dropping(line: Line) -> Iterator[None]:
    line.drops = True
    try:
        yield
    finally:
        line.drops = False


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_postgresql() as server:
        yield server


@pytest.fixture(params=["locked", "frozen", "dropping"])
def silent(
    request: pytest.FixtureRequest, server: EmbeddedServer, tmp_path: Path
) -> Iterator[tuple[Settings, Callable[[], object]]]:
    """Settings of a new database, and what makes it silent for a time."""
    line = Line(server)
    unix = {"db_host": str(server.socket_dir), "db_user": USER, "db_name": f"test_{uuid4().hex}"}
    unix |= {"CATSDOGS_DATA_DIR": str(tmp_path / "data")}
    tcp = unix | {"db_host": "127.0.0.1", "db_port": str(line.port), "CATSDOGS_DB_SSLMODE": "disable"}
    settings = Settings(_env_file=None, **(tcp if request.param == "dropping" else unix))  # type: ignore[arg-type]
    ways: dict[str, Callable[[], object]] = {
        "locked": lambda: locked(settings),
        "frozen": lambda: frozen(server),
        "dropping": lambda: dropping(line),
    }
    yield settings, ways[request.param]
    line.close()


@contextmanager
def soon() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < SOON


def test_writers_go_on_and_nothing_is_lost(
    silent: tuple[Settings, Callable[[], object]], make_record: MakeRecord, cat_jpeg: bytes
) -> None:
    settings, silence = silent
    with Local.open(settings) as service:
        before = service.predict(cat_jpeg, consent=Consent(True))
        assert before.stored
        assert service.health()["status"] == "healthy"
        with silence():  # type: ignore[attr-defined]
            with soon(), ThreadPoolExecutor(1) as threads:  # the first calls that meet the silence
                token = threads.submit(service.change_token)  # an open dashboard asks every few seconds
                first = service.predict(cat_jpeg, consent=Consent(True), new_receipt=new_receipt())
                assert not first.stored
                assert isinstance(token.exception(), DatabaseUnavailable | None)  # it reads no table that is locked
            with soon():
                health = service.health()
            assert health["database"] in {"slow", "unavailable"}
            assert health["degraded"] == ["database"]
            with soon():
                outcomes = [service.predict(cat_jpeg, consent=Consent(True, True)) for _ in range(3)]
                assert not any(outcome.stored for outcome in outcomes)
            with soon():
                assert service.give_feedback(before.feedback_id, user_feedback=1, user_comment="good") is False
            with soon(), pytest.raises((DatabaseUnavailable, SpoolError)):
                service.change_consent(before.feedback_id, Consent(), receipt=before.receipt)
            until(lambda: service.health()["database"] == "unavailable")
            with soon():
                assert service.predict(cat_jpeg).stored is False
        until(lambda: service.health()["spooled"] == 0 and service.health()["status"] == "healthy", timeout=60)
        found = {row["id"]: row for row in service.recent_predictions()}
        assert len(found) == 6
        assert found[str(before.feedback_id)]["user_comment"] == "good"
        assert set_aside.count(service._spool) == 0


def test_figures_end_with_a_clear_error_and_do_not_wait_twice_for_a_silent_server(
    silent: tuple[Settings, Callable[[], object]], request: pytest.FixtureRequest
) -> None:
    settings, silence = silent
    database = Database(settings)
    setup.ensure(database)
    counting = sa.text("SELECT count(*) FROM predictions_feedback")
    assert BRIEF.total_seconds < PATIENT.total_seconds < 60, "the server's client waits for a minute"
    with silence():  # type: ignore[attr-defined]
        for limits in (BRIEF, PATIENT):
            with soon(), pytest.raises(DatabaseUnavailable) as failed:
                database.run(lambda connection: connection.execute(counting), limits)
            if "locked" not in request.node.name:  # where it is locked, the server answers
                assert "shorter period" not in str(failed.value)
    assert database.run(lambda connection: connection.scalar(counting)) == 0
    database.close()


def test_a_transaction_that_was_left_open_ends_on_the_server(storage: Storage) -> None:
    """As where the network is cut: its locks would stay until the server notices that its client is gone."""
    abandoned = storage.database._engine_for(BRIEF).connect()
    number = abandoned.scalar(sa.text("SELECT pg_backend_pid()"))
    exists = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :number")
    until(
        lambda: storage.database.run(lambda connection: connection.scalar(exists, {"number": number})) == 0,
        "the transaction is still open",
    )
    abandoned.invalidate()
    abandoned.close()


def test_calls_end_soon_where_the_process_is_about_to_end(storage: Storage) -> None:
    sleeping = sa.text("SELECT pg_sleep(60)")
    with ThreadPoolExecutor(1) as threads, soon():
        call = threads.submit(storage.database.run, lambda connection: connection.execute(sleeping))
        active = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()"
        until(lambda: storage.database.run(lambda connection: connection.scalar(sa.text(active))))
        storage.database.hurry()
        with pytest.raises(DatabaseUnavailable):
            call.result()
        with pytest.raises(DatabaseUnavailable):
            storage.database.run(lambda connection: connection.execute(sleeping))


def test_a_read_only_database_means_that_records_wait(storage: Storage, make_record: MakeRecord) -> None:
    """As a standby is, after a failover."""
    name = storage.database.settings.db_name

    def set_read_only(value: str) -> None:
        def change(connection: sa.Connection) -> None:
            connection.execute(sa.text("SET TRANSACTION READ WRITE"))
            connection.execute(sa.text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}'))

        storage.database.run(change)
        storage.database.close()

    set_read_only("on")
    record, _ = make_record()
    assert not storage.replayer.ping_database()
    assert storage.writer.store_prediction(record) is False
    assert (len(storage.spool), set_aside.count(storage.spool)) == (1, 0)
    set_read_only("off")
    until(lambda: storage.is_idle)
    assert set(storage.rows()) == {record.id}


def test_whoever_needs_the_spool_does_not_wait_for_ever(storage: Storage, make_record: MakeRecord) -> None:
    record, _ = make_record()
    storage.writer.store_prediction(record)
    change = ConsentChange.create(record.id, Consent(True), filename=None, photo=None, receipt=None)
    with storage.spool.locked(), soon(), pytest.raises(SpoolError, match="Try again in a moment"):
        storage.writer.change_consent(change)
    with storage.spool.locked(), soon():
        assert storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, None))
