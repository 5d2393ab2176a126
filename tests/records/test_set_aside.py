"""What is set aside, and what is not: only a record that can never be stored, or cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from catsdogs.domain import Consent
from catsdogs.errors import DatabaseError
from catsdogs.records import data_subject_rights, set_aside
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool_files import LARGEST
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]


def execute(storage: Storage, statement: str) -> None:
    storage.database.run(lambda connection: connection.execute(sa.text(statement)))


def refuse(storage: Storage, sqlstate: str) -> None:
    """Have PostgreSQL fail with this code whenever a prediction is stored."""
    function = f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END $$"""
    trigger = "CREATE TRIGGER fail BEFORE INSERT ON predictions_feedback EXECUTE FUNCTION fail()"
    for statement in (function, trigger):
        execute(storage, statement)


def accept_again(storage: Storage) -> None:
    execute(storage, "DROP FUNCTION fail CASCADE")


@pytest.mark.parametrize("sqlstate", ["57014", "40P01", "25006", "53100", "42501", "42601"])
def test_a_failure_that_may_pass_sets_nothing_aside(storage: Storage, make_record: MakeRecord, sqlstate: str) -> None:
    refuse(storage, sqlstate)
    record, _ = make_record(Consent(True))
    assert storage.writer.store_prediction(record) is False
    with pytest.raises(DatabaseError):
        storage.replayer.replay()
    until(lambda: not storage.replayer.ping_database())
    assert (len(storage.spool), set_aside.count(storage.spool)) == (1, 0)
    accept_again(storage)
    until(lambda: storage.is_idle)
    assert set(storage.rows()) == {record.id}


@pytest.mark.parametrize("sqlstate", ["22003", "23514"])
def test_what_can_never_be_stored_is_set_aside_until_it_is_requeued(
    storage: Storage, make_record: MakeRecord, sqlstate: str
) -> None:
    refuse(storage, sqlstate)
    record, _ = make_record(Consent(True))
    assert storage.writer.store_prediction(record) is False
    until(lambda: set_aside.count(storage.spool) == 1)
    assert len(storage.spool) == 0
    assert storage.replayer.ping_database()
    accept_again(storage)
    assert set_aside.requeue(storage.spool) == (1, 0)
    storage.replayer.wake()
    until(lambda: storage.is_idle)
    assert set(storage.rows()) == {record.id}


def test_feedback_that_newer_tables_refuse_is_set_aside(storage: Storage, make_record: MakeRecord) -> None:
    """As where a replica of an earlier version still runs."""
    record, _ = make_record()
    storage.writer.store_prediction(record)
    execute(storage, "ALTER TABLE predictions_feedback ADD CONSTRAINT newer CHECK (true_label <> 'both')")
    assert storage.writer.store_feedback(FeedbackRecord.create(record.id, None, None, "both")) is False
    until(lambda: set_aside.count(storage.spool) == 1)
    execute(storage, "ALTER TABLE predictions_feedback DROP CONSTRAINT newer")
    storage.replayer.close()
    assert set_aside.requeue(storage.spool) == (1, 0)
    assert storage.replayer.replay() == 1
    assert storage.rows()[record.id]["true_label"] == "both"


def test_a_value_that_the_driver_refuses_is_set_aside(storage: Storage, make_record: MakeRecord) -> None:
    records = [make_record()[0] for _ in range(3)]
    records[1] = records[1].model_copy(update={"model_version": "a\0b"})
    storage.replayer.close()
    for record in records:
        storage.spool.put_prediction(record)
    assert storage.replayer.replay() == 2
    assert set_aside.count(storage.spool) == 1


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "content").touch()


def make_link(path: Path) -> None:
    (path.parent.parent / "elsewhere.json").write_text("{}")
    path.symlink_to(path.parent.parent / "elsewhere.json")


def make_large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(LARGEST + 1)


def make_unreadable(path: Path) -> None:
    path.write_bytes(b"{}")
    path.chmod(0)


IGNORED: dict[str, Callable[[Path], object]] = {
    "folder.json": make_folder,
    "pipe.json": os.mkfifo,
    "link.json": make_link,
    "dangling.json": lambda path: path.symlink_to("nowhere.json"),
    "text.txt": Path.touch,
}
MOVED: dict[str, Callable[[Path], object]] = {
    "empty.json": Path.touch,
    "truncated.json": lambda path: path.write_bytes(b'{"id": "01'),
    "huge.json": make_large,
    "unreadable.json": make_unreadable,
}


def test_whatever_lies_in_the_spool_stops_nothing(
    storage: Storage, make_record: MakeRecord, caplog: pytest.LogCaptureFixture
) -> None:
    storage.replayer.close()
    (record, receipt), spool = make_record(Consent(True)), storage.spool
    spool.put_prediction(record)
    for folder in ("predictions", "feedback", "damaged", "tmp"):
        (spool.folder / folder).mkdir(exist_ok=True)
        for name, make in (IGNORED | MOVED).items():
            make(spool.folder / folder / name)
    spool.put_feedback(FeedbackRecord.create(record.id, 1, "a comment", None))
    assert storage.replayer.replay() == 2
    assert len(spool) == 0
    assert set_aside.count(spool) == 3 * len(MOVED)
    assert (spool.folder / "elsewhere.json").read_text() == "{}"

    spool.put_feedback(FeedbackRecord.create(record.id, 0, "another comment", None))
    assert data_subject_rights.purge(storage.database, spool, 365).predictions == []
    assert data_subject_rights.export(storage.database, spool, receipt or "")["predictions"]
    assert data_subject_rights.erase(storage.database, spool, receipt or "").predictions == [record.id]
    assert set_aside.requeue(spool) == (0, 3 * len(MOVED))
    assert len(spool) == 0
    for name in {*IGNORED, *MOVED} - {"text.txt"}:
        assert name in caplog.text, "nobody would know"


def test_feedback_follows_a_prediction_that_is_set_aside(storage: Storage, make_record: MakeRecord) -> None:
    """It would be dropped, as if the prediction had been erased."""
    refuse(storage, "23514")
    storage.replayer.close()
    record, _ = make_record(Consent(True))
    storage.spool.put_prediction(record)
    storage.spool.put_feedback(FeedbackRecord.create(record.id, 1, "a comment", None))
    assert storage.replayer.replay() == 0
    assert (len(storage.spool), set_aside.count(storage.spool)) == (0, 2)
    accept_again(storage)
    assert set_aside.requeue(storage.spool) == (2, 0)
    assert storage.replayer.replay() == 2
    assert storage.rows()[record.id]["user_comment"] == "a comment"


def test_a_record_that_cannot_be_moved_is_counted_and_searched(storage: Storage, make_record: MakeRecord) -> None:
    storage.replayer.close()
    record, receipt = make_record(Consent(True))
    storage.writer.store_prediction(record)
    storage.spool.put_prediction(record)
    storage.spool.damaged.touch()  # no folder can be made here
    storage.spool.set_aside(storage.spool.prediction_files()[0], "is only a test")
    assert (len(storage.spool), set_aside.count(storage.spool)) == (0, 1)
    data_subject_rights.erase(storage.database, storage.spool, receipt or "")
    assert set_aside.count(storage.spool) == 0


def test_two_records_of_one_name_are_both_kept(storage: Storage, make_record: MakeRecord) -> None:
    storage.replayer.close()
    record, _ = make_record()
    for _ in range(2):
        storage.spool.put_prediction(record)
        storage.spool.set_aside(storage.spool.prediction_files()[0], "is only a test")
    assert set_aside.count(storage.spool) == 2
    assert set_aside.requeue(storage.spool) == (2, 0)
    assert storage.replayer.replay() == 2
    assert set(storage.rows()) == {record.id}
