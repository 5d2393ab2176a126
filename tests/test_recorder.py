"""Outages lose nothing: PostgreSQL killed, down at start, refused records; the replay in order and once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.database import Database, setup
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.domain import Consent
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, SpoolError
from catsdogs.feedback import FeedbackRecord
from catsdogs.predictions import PredictionRecord
from catsdogs.recorder import Recorder
from catsdogs.settings import Settings

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]

WORK = """
import json, os, sys
from concurrent.futures import ThreadPoolExecutor
from catsdogs.domain import Answer, Consent, Prediction
from catsdogs.feedback import FeedbackRecord
from catsdogs.images import ImageStatistics
from catsdogs.predictions import PredictionRecord
from catsdogs.recorder import Recorder
from catsdogs.settings import Settings

photo = open(sys.argv[1], "rb").read()
recorder = Recorder.open(Settings.load())
prediction = Prediction(Answer.CAT, 0.9, 0.1, 0.02, "test-1", 3.5)

def visit(number):
    consent = Consent(number % 2 == 0, number % 8 == 0)
    record, _ = PredictionRecord.of(
        prediction, ImageStatistics(1, 1, 0.5, 0.1), photo=photo, filename=f"{number}.jpg", consent=consent
    )
    recorder.store(record)
    for rating in (0, 1):  # changes their mind: the last word counts
        comment = f"comment {number}.{rating}" if consent.filename_and_comment else None
        recorder.give(FeedbackRecord.of(record.id, rating, comment, None))
    os.write(1, json.dumps([str(record.id), number]).encode() + b"\\n")  # at once, unlike print

print("ready", flush=True)
with ThreadPoolExecutor(4) as threads:
    list(threads.map(visit, range(int(sys.argv[2]))))
sys.stdin.read()
recorder.close()
"""


@pytest.fixture
def own() -> Iterator[Settings]:
    """Settings of an embedded server of one's own, to be killed."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder)


def kill_postgresql(settings: Settings) -> None:
    with contextlib.suppress(FileNotFoundError, IndexError, ProcessLookupError):  # just being started again
        os.kill(int((settings.data_dir / "postgresql" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def rows(database: Database) -> dict[UUID, sa.RowMapping]:
    table = database.tables.predictions
    found = database.run(lambda connection: connection.execute(sa.select(table)).mappings().all())
    return {row["id"]: row for row in found}


def at_rest(recorder: Recorder) -> bool:
    return not recorder.away and len(recorder.spool) == 0


def test_records_survive_kill_9_of_postgresql(own: Settings, tmp_path: Path, cat_jpeg: bytes) -> None:
    photo = tmp_path / "cat.jpg"
    photo.write_bytes(cat_jpeg)
    keeper = Database(own)
    setup.ensure(keeper)
    visits = 104
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(photo), str(visits)],
            env=environment | {"CATSDOGS_DATA_DIR": str(own.data_dir)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    accepted: dict[UUID, int] = {}

    def listen(worker: subprocess.Popen[str]) -> None:
        for _ in range(visits):
            identifier, number = json.loads(worker.stdout.readline())
            accepted[UUID(identifier)] = number

    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    listeners = [threading.Thread(target=listen, args=[worker]) for worker in workers]
    for listener in listeners:
        listener.start()
    for threshold in sorted(random.sample(range(1, 2 * visits - 20), 5)):
        wait_until(lambda threshold=threshold: len(accepted) >= threshold, 60)
        kill_postgresql(own)
    for listener in listeners:
        listener.join()
    for worker in workers:
        worker.communicate("")
    assert [worker.returncode for worker in workers] == [0, 0]

    recorder = Recorder.open(own)
    wait_until(lambda: at_rest(recorder))
    found = rows(recorder.database)
    assert set(found) == set(accepted)
    assert len(accepted) == 2 * visits
    for identifier, number in accepted.items():
        row, agreed = found[identifier], number % 2 == 0
        assert row["user_feedback"] == 1
        assert row["filename"] == (f"{number}.jpg" if agreed else None)
        assert row["user_comment"] == (f"comment {number}.1" if agreed else None)
    count = sa.select(sa.func.count()).select_from(recorder.database.tables.photos)
    assert recorder.database.run(lambda connection: connection.scalar(count)) == 2 * visits / 8
    assert not (recorder.spool.folder / "damaged").exists()
    recorder.close()
    keeper.close()


def test_a_database_that_is_down_at_start_is_set_up_when_it_comes(data_folder: Path, make_record: MakeRecord) -> None:
    """As an external server is: reached through DB_HOST, started by somebody else."""
    server = EmbeddedServer(data_folder / "server")
    settings = Settings(
        _env_file=None,
        db_host=str(server.pgdata),
        db_user="catsdogs",
        CATSDOGS_DATA_DIR=data_folder / "data",
    )
    recorder = Recorder.open(settings)
    record, _ = make_record(Consent(True, True))
    assert recorder.store(record) is False
    assert recorder.give(FeedbackRecord.of(record.id, 1, "comment", None)) is False
    assert not recorder.reachable()
    assert len(recorder.spool) == 2

    server.start()
    wait_until(lambda: at_rest(recorder))
    assert recorder.reachable()
    assert rows(recorder.database)[record.id]["user_comment"] == "comment"
    assert recorder.store(make_record()[0]) is True

    server.stop()
    assert recorder.store(make_record()[0]) is False
    server.start()
    wait_until(lambda: at_rest(recorder))
    assert len(rows(recorder.database)) == 3
    recorder.close()
    server.stop()


@pytest.fixture
def data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Path(folder)


@pytest.fixture
def stranded(database: Settings) -> Iterator[Recorder]:
    """A recorder whose database does not exist, and cannot be made."""
    recorder = Recorder.open(database.model_copy(update={"db_host": "/nonexistent"}))
    yield recorder
    recorder.close()


def test_comments_wait_only_where_consent_is_known(stranded: Recorder, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record(Consent(photo=True))[0]
    for record in (agreed, refused):
        assert stranded.store(record) is False
    assert stranded.give(FeedbackRecord.of(agreed.id, None, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        stranded.give(FeedbackRecord.of(refused.id, 1, "comment", None))
    with pytest.raises(DatabaseUnavailable, match="rating alone"):
        stranded.give(FeedbackRecord.of(uuid7(), 1, "comment", None))
    assert stranded.give(FeedbackRecord.of(refused.id, 1, None, None)) is False
    assert len(stranded.spool.feedback()) == 2


def test_another_process_knows_the_consent_of_what_waits(
    database: Settings, stranded: Recorder, make_record: MakeRecord
) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        assert stranded.store(record) is False
    other = Recorder(stranded.database, stranded.spool)
    other._went_away(DatabaseUnavailable("It is away."))
    assert other.give(FeedbackRecord.of(agreed.id, None, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        other.give(FeedbackRecord.of(refused.id, None, "comment", None))


def test_nothing_left_to_keep_a_record_in_is_an_error(database: Settings, make_record: MakeRecord) -> None:
    away = Recorder.open(database.model_copy(update={"db_host": "/nonexistent", "spool_megabytes": 0}))
    with pytest.raises(SpoolError, match="Try again later"):
        away.store(make_record()[0])
    away.close()


def test_feedback_on_what_still_waits_waits_behind_it(recorder: Recorder, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        recorder.spool.put_prediction(record)
    assert recorder.give(FeedbackRecord.of(agreed.id, 1, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        recorder.give(FeedbackRecord.of(refused.id, 1, "comment", None))
    wait_until(lambda: at_rest(recorder))
    assert rows(recorder.database)[agreed.id]["user_comment"] == "comment"


def test_a_refused_record_is_set_aside_and_the_rest_is_stored(recorder: Recorder, make_record: MakeRecord) -> None:
    records = [make_record()[0] for _ in range(7)]
    wrong = records[3] = records[3].model_copy(update={"proba_cat": 0.4})
    for record in records:
        recorder.spool.put_prediction(record)
    assert recorder.replay() == 6
    assert set(rows(recorder.database)) == {record.id for record in records} - {wrong.id}
    assert [path.name for path in (recorder.spool.folder / "damaged").iterdir()] == [f"predictions-{wrong.id}.json"]
    assert len(recorder.spool) == 0


def test_a_replay_that_died_before_it_cleaned_up_is_repeated_without_harm(
    recorder: Recorder, make_record: MakeRecord
) -> None:
    records = [make_record(Consent(True, True))[0] for _ in range(3)]
    given = [FeedbackRecord.of(record.id, 0, "comment", None) for record in records]
    for _ in range(2):
        for record in records:
            recorder.spool.put_prediction(record)
        for feedback in given:
            recorder.spool.put_feedback(feedback)
        assert recorder.replay() == 6
        recorder.give(FeedbackRecord.of(records[0].id, 1, None, None))
    found = rows(recorder.database)
    assert len(found) == 3
    assert [found[record.id]["user_feedback"] for record in records] == [1, 0, 0]


def test_several_replays_at_once_store_each_record_once(recorder: Recorder, make_record: MakeRecord) -> None:
    records = [make_record(Consent(True))[0] for _ in range(300)]
    for record in records:
        recorder.spool.put_prediction(record)
    threads = [threading.Thread(target=recorder.replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(rows(recorder.database)) == {record.id for record in records}


def test_tables_that_vanish_are_made_again_and_nothing_is_lost(recorder: Recorder, make_record: MakeRecord) -> None:
    setup.migrate(recorder.database, "base")
    record, _ = make_record(Consent(True))
    assert recorder.store(record) is False
    wait_until(lambda: at_rest(recorder))
    assert set(rows(recorder.database)) == {record.id}
