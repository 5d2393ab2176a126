"""Records are replayed from the spool in order and once, whatever happens to database and process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.database import setup
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.domain import Consent
from catsdogs.records import data_subject_rights
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]


def test_a_database_that_is_unreachable_at_start_is_set_up_later(folder: Path, make_record: MakeRecord) -> None:
    """A server that is reached through DB_HOST and was not started by us, as an external one."""
    server = EmbeddedServer(folder / "server")
    settings = Settings(
        _env_file=None,
        db_host=str(server.pgdata),
        db_user="catsdogs",
        CATSDOGS_DATA_DIR=folder / "data",
    )
    storage = Storage.open(settings)
    record, _ = make_record(Consent(True, True))
    assert storage.writer.store_prediction(record) is False
    assert storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, "comment", None)) is False
    assert not storage.replayer.ping_database()
    assert len(storage.spool) == 2

    server.start()
    until(lambda: storage.is_idle)
    assert storage.replayer.ping_database()
    assert storage.rows()[record.id]["user_comment"] == "comment"
    assert storage.writer.store_prediction(make_record()[0]) is True

    server.stop()
    assert storage.writer.store_prediction(make_record()[0]) is False
    server.start()
    until(lambda: storage.is_idle)
    assert len(storage.rows()) == 3
    storage.close()
    server.stop()


def test_the_thread_survives_unexpected_exceptions(
    storage: Storage, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replay, failures = storage.replayer.replay, iter([RuntimeError("a defect"), KeyError("another")])

    def fail_twice() -> int:
        for failure in failures:
            raise failure
        return replay()

    monkeypatch.setattr(storage.replayer, "replay", fail_twice)
    storage.spool.put_prediction(make_record()[0])
    storage.replayer.wake()
    until(lambda: storage.is_idle)
    assert len(storage.rows()) == 1
    assert [record.message for record in caplog.records].count("the spool cannot be replayed") == 2


def test_a_refused_record_is_moved_to_the_damaged_ones_and_the_rest_is_stored(
    storage: Storage, make_record: MakeRecord
) -> None:
    records = [make_record()[0] for _ in range(7)]
    wrong = records[3] = records[3].model_copy(update={"proba_cat": 0.4})
    for record in records:
        storage.spool.put_prediction(record)
    assert storage.replayer.replay() == 6
    assert set(storage.rows()) == {record.id for record in records} - {wrong.id}
    assert [path.name for path in (storage.spool.folder / "damaged").iterdir()] == [f"predictions-{wrong.id}.json"]
    assert len(storage.spool) == 0


def test_a_replay_that_was_killed_before_it_emptied_the_spool_may_be_repeated(
    storage: Storage, make_record: MakeRecord
) -> None:
    records = [make_record(Consent(True, True))[0] for _ in range(3)]
    given = [FeedbackRecord.create(record.id, 0, "comment", None) for record in records]
    for _ in range(2):
        for record in records:
            storage.spool.put_prediction(record)
        for feedback in given:
            storage.spool.put_feedback(feedback)
        assert storage.replayer.replay() == 6
        storage.writer.store_feedback(FeedbackRecord.create(records[0].id, 1, None, None))
    found = storage.rows()
    assert len(found) == 3
    assert [found[record.id]["user_feedback"] for record in records] == [1, 0, 0]


def test_concurrent_replays_store_each_record_once(storage: Storage, make_record: MakeRecord) -> None:
    records = [make_record(Consent(True))[0] for _ in range(300)]
    for record in records:
        storage.spool.put_prediction(record)
    threads = [threading.Thread(target=storage.replayer.replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(storage.rows()) == {record.id for record in records}


def test_a_replay_lets_others_use_the_spool_between_two_batches(
    storage: Storage, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A withdrawal needs the spool; it must not wait until everything is stored after a long outage."""
    monkeypatch.setattr("catsdogs.records.replay.BATCH_SIZE", 2)
    storage.replayer.close()
    for _ in range(60):
        storage.spool.put_prediction(make_record()[0])
    begun = threading.Event()
    batches: list[int] = []
    store = storage.replayer._store

    def note_batch(*arguments: Any) -> int:
        begun.set()
        batches.append(len(storage.spool))
        return store(*arguments)

    monkeypatch.setattr(storage.replayer, "_store", note_batch)
    replay = threading.Thread(target=storage.replayer.replay)
    replay.start()
    begun.wait()
    with storage.spool.locked():
        done = len(batches)
    replay.join()
    assert done < len(batches) == 30
    assert len(storage.rows()) == 60


def test_dropped_tables_are_created_again_and_nothing_is_lost(storage: Storage, make_record: MakeRecord) -> None:
    setup.migrate(storage.database, "base")
    record, _ = make_record(Consent(True))
    assert storage.writer.store_prediction(record) is False
    until(lambda: storage.is_idle)
    assert set(storage.rows()) == {record.id}


def test_a_spool_of_an_older_version_is_stored_with_its_effect(storage: Storage, make_record: MakeRecord) -> None:
    """That version predicted a photo again when a person consented later, and deleted the anonymous prediction."""
    storage.replayer.close()
    (stored, _), (waiting, _), (kept, receipt) = make_record(), make_record(), make_record(Consent(photo=True))
    failed = PredictionRecord.of_failure(ValueError(), "1.0")
    for record in (stored, kept, failed):
        storage.writer.store_prediction(record)
    storage.spool.put_prediction(waiting)
    later = []
    for earlier in (stored, waiting, kept, failed):
        later.append(make_record(Consent(True, True))[0].model_copy(update={"replaces": earlier.id}))
        storage.spool.put_prediction(later[-1])
    assert storage.replayer.replay() == 5
    for record in later:  # as a replay that was killed may do
        storage.spool.put_prediction(record)
    assert storage.replayer.replay() == 4
    assert set(storage.rows()) == {kept.id, failed.id, *(record.id for record in later)}
    assert len(data_subject_rights.export(storage.database, storage.spool, receipt or "")["photos"]) == 1


def test_what_was_erased_does_not_come_back_from_the_spool_of_another_replica(
    storage: Storage, make_record: MakeRecord
) -> None:
    """A crash left it there after it had been stored."""
    storage.replayer.close()
    other = Storage.create(storage.database, Spool(storage.spool.folder.parent / "other", 10_000_000))
    (erased, receipt), (kept, _) = make_record(Consent(True, True)), make_record(Consent(True))
    storage.writer.store_prediction(erased)
    for record in (erased, kept):
        other.spool.put_prediction(record)
    other.spool.put_feedback(FeedbackRecord.create(erased.id, 1, "a comment", None))
    data_subject_rights.erase(storage.database, storage.spool, receipt or "")
    assert other.replayer.replay() == 3
    assert set(storage.rows()) == {kept.id}
    assert len(other.spool) == 0

    noted = storage.database.tables.erased_receipts
    count = sa.select(sa.func.count()).select_from(noted)
    assert storage.database.run(lambda connection: connection.scalar(count)) == 1
    old = sa.update(noted).values(erased_at=sa.func.now() - sa.text("interval '400 days'"))
    storage.database.run(lambda connection: connection.execute(old))
    data_subject_rights.purge(storage.database, storage.spool, 365)
    assert storage.database.run(lambda connection: connection.scalar(count)) == 0
