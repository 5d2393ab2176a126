"""The spool takes over and the replay brings back: down at start, refused records, in order and once."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.database import Database, setup
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.domain import Consent
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput, SpoolError
from catsdogs.records import data_subject_rights
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]


def rows(database: Database) -> dict[UUID, sa.RowMapping]:
    table = database.tables.predictions
    found = database.run(lambda connection: connection.execute(sa.select(table)).mappings().all())
    return {row["id"]: row for row in found}


def test_a_database_that_is_down_at_start_is_set_up_when_it_comes(data_folder: Path, make_record: MakeRecord) -> None:
    """As an external server is: reached through DB_HOST, started by somebody else."""
    server = EmbeddedServer(data_folder / "server")
    settings = Settings(
        _env_file=None,
        db_host=str(server.pgdata),
        db_user="catsdogs",
        CATSDOGS_DATA_DIR=data_folder / "data",
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
    assert rows(storage.database)[record.id]["user_comment"] == "comment"
    assert storage.writer.store_prediction(make_record()[0]) is True

    server.stop()
    assert storage.writer.store_prediction(make_record()[0]) is False
    server.start()
    until(lambda: storage.is_idle)
    assert len(rows(storage.database)) == 3
    storage.close()
    server.stop()


@pytest.fixture
def data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Path(folder)


@pytest.fixture
def stranded(database: Settings) -> Iterator[Storage]:
    """Storage whose database does not exist, and cannot be created."""
    storage = Storage.open(database.model_copy(update={"db_host": "/nonexistent"}))
    yield storage
    storage.close()


def test_comments_wait_only_where_consent_is_known(stranded: Storage, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record(Consent(photo=True))[0]
    for record in (agreed, refused):
        assert stranded.writer.store_prediction(record) is False
    assert stranded.writer.store_feedback(FeedbackRecord.create(agreed.id, None, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        stranded.writer.store_feedback(FeedbackRecord.create(refused.id, 1, "comment", None))
    with pytest.raises(DatabaseUnavailable, match="rating alone"):
        stranded.writer.store_feedback(FeedbackRecord.create(uuid7(), 1, "comment", None))
    assert stranded.writer.store_feedback(FeedbackRecord.create(refused.id, 1, None, None)) is False
    assert len(stranded.spool.feedback_files()) == 2


def test_a_contradiction_does_not_wait(database: Settings, stranded: Storage, make_record: MakeRecord) -> None:
    record, _ = make_record()  # a cat
    assert stranded.writer.store_prediction(record) is False
    other = Storage.create(stranded.database, stranded.spool)
    other.replayer.report_failure(DatabaseUnavailable("It is away."))
    for one in (stranded, other):
        with pytest.raises(InvalidInput, match="Change one of the two"):
            one.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "dog"))
    stranded.spool.remove(stranded.spool.prediction_files())
    with pytest.raises(InvalidInput, match="Change one of the two"):
        stranded.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "neither"))
    assert stranded.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "both")) is False
    assert len(stranded.spool.feedback_files()) == 1


def test_another_process_knows_the_consent_of_what_waits(
    database: Settings, stranded: Storage, make_record: MakeRecord
) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        assert stranded.writer.store_prediction(record) is False
    other = Storage.create(stranded.database, stranded.spool)
    other.replayer.report_failure(DatabaseUnavailable("It is away."))
    assert other.writer.store_feedback(FeedbackRecord.create(agreed.id, None, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        other.writer.store_feedback(FeedbackRecord.create(refused.id, None, "comment", None))


def test_nothing_left_to_keep_a_record_in_is_an_error(database: Settings, make_record: MakeRecord) -> None:
    away = Storage.open(database.model_copy(update={"db_host": "/nonexistent", "spool_megabytes": 0}))
    with pytest.raises(SpoolError, match="Try again later"):
        away.writer.store_prediction(make_record()[0])
    away.close()


def test_whatever_goes_wrong_the_spool_is_looked_after(
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
    assert len(rows(storage.database)) == 1
    assert [record.message for record in caplog.records].count("the spool cannot be replayed") == 2


def test_feedback_on_what_still_waits_waits_behind_it(storage: Storage, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        storage.spool.put_prediction(record)
    assert storage.writer.store_feedback(FeedbackRecord.create(agreed.id, 1, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        storage.writer.store_feedback(FeedbackRecord.create(refused.id, 1, "comment", None))
    until(lambda: storage.is_idle)
    assert rows(storage.database)[agreed.id]["user_comment"] == "comment"


def test_a_prediction_replaces_an_anonymous_one(storage: Storage, make_record: MakeRecord) -> None:
    anonymous, _ = make_record()
    agreed, receipt = make_record(Consent(True, True), replaces=anonymous.id)
    storage.writer.store_prediction(anonymous)
    for _ in range(2):  # as a replay may do
        assert storage.writer.store_prediction(agreed)
    assert list(rows(storage.database)) == [agreed.id]
    assert len(data_subject_rights.export(storage.database, storage.spool, receipt or "")["photos"]) == 1


def test_what_came_with_a_decision_and_what_failed_is_never_replaced(storage: Storage, make_record: MakeRecord) -> None:
    agreed, receipt = make_record(Consent(photo=True))
    failed = PredictionRecord.of_failure(ValueError(), "1.0")
    waiting, waiting_receipt = make_record(Consent(photo=True))
    storage.spool.put_prediction(waiting)
    storage.writer.store_prediction(agreed)
    storage.writer.store_prediction(failed)
    for record in (agreed, failed, waiting):
        storage.writer.store_prediction(make_record(Consent(True), replaces=record.id)[0])
    storage.replayer.wake()  # what another process leaves in the spool is looked for every half a minute
    until(lambda: storage.is_idle)
    assert {agreed.id, failed.id, waiting.id} <= set(rows(storage.database))
    for code in (receipt, waiting_receipt):
        assert len(data_subject_rights.export(storage.database, storage.spool, code or "")["photos"]) == 1


@pytest.mark.parametrize("waiting", [True, False], ids=["prediction waits", "prediction is stored"])
def test_in_an_outage_too_a_prediction_replaces_an_anonymous_one(
    database: Settings, data_folder: Path, make_record: MakeRecord, waiting: bool
) -> None:
    server = EmbeddedServer(data_folder / "server")
    server.start()
    settings = database.model_copy(update={"db_host": str(server.pgdata), "db_name": "catsdogs"})
    storage = Storage.open(settings)
    anonymous, _ = make_record()
    agreed, receipt = make_record(Consent(True, True), replaces=anonymous.id)
    if not waiting:
        assert storage.writer.store_prediction(anonymous) is True
    server.stop()
    if waiting:
        assert storage.writer.store_prediction(anonymous) is False
        assert storage.writer.store_feedback(FeedbackRecord.create(anonymous.id, 1, None, None)) is False
    assert storage.writer.store_prediction(agreed) is False
    assert storage.writer.store_feedback(FeedbackRecord.create(agreed.id, 0, "mine", None)) is False
    server.start()
    until(lambda: storage.is_idle)
    [row] = rows(storage.database).values()
    assert (row["id"], row["filename"], row["user_feedback"], row["user_comment"]) == (
        agreed.id,
        "chelsea.jpg",
        0,
        "mine",
    )
    erased = data_subject_rights.erase(storage.database, storage.spool, receipt or "")
    assert (erased.predictions, erased.photos) == ([agreed.id], 1)
    storage.close()
    server.stop()


def test_what_waits_is_not_stored_after_it_was_replaced(storage: Storage, make_record: MakeRecord) -> None:
    anonymous, _ = make_record()
    storage.spool.put_prediction(anonymous)
    agreed, _ = make_record(Consent(True), replaces=anonymous.id)
    assert storage.writer.store_prediction(agreed) is True
    until(lambda: storage.is_idle)
    assert list(rows(storage.database)) == [agreed.id]


def test_a_refused_record_is_set_aside_and_the_rest_is_stored(storage: Storage, make_record: MakeRecord) -> None:
    records = [make_record()[0] for _ in range(7)]
    wrong = records[3] = records[3].model_copy(update={"proba_cat": 0.4})
    for record in records:
        storage.spool.put_prediction(record)
    assert storage.replayer.replay() == 6
    assert set(rows(storage.database)) == {record.id for record in records} - {wrong.id}
    assert [path.name for path in (storage.spool.folder / "damaged").iterdir()] == [f"predictions-{wrong.id}.json"]
    assert len(storage.spool) == 0


def test_a_replay_that_died_before_it_cleaned_up_is_repeated_without_harm(
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
    found = rows(storage.database)
    assert len(found) == 3
    assert [found[record.id]["user_feedback"] for record in records] == [1, 0, 0]


def test_several_replays_at_once_store_each_record_once(storage: Storage, make_record: MakeRecord) -> None:
    records = [make_record(Consent(True))[0] for _ in range(300)]
    for record in records:
        storage.spool.put_prediction(record)
    threads = [threading.Thread(target=storage.replayer.replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(rows(storage.database)) == {record.id for record in records}


def test_tables_that_vanish_are_made_again_and_nothing_is_lost(storage: Storage, make_record: MakeRecord) -> None:
    setup.migrate(storage.database, "base")
    record, _ = make_record(Consent(True))
    assert storage.writer.store_prediction(record) is False
    until(lambda: storage.is_idle)
    assert set(rows(storage.database)) == {record.id}
