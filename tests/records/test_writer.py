"""The spool takes over and the replay brings back: down at start, refused records, in order and once."""

from __future__ import annotations

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
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput, SpoolError
from catsdogs.records import data_subject_rights
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.writer import Recorder
from catsdogs.settings import Settings

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]


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


def test_a_contradiction_does_not_wait(database: Settings, stranded: Recorder, make_record: MakeRecord) -> None:
    record, _ = make_record()  # a cat
    assert stranded.store(record) is False
    other = Recorder(stranded.database, stranded.spool)
    other._went_away(DatabaseUnavailable("It is away."))
    for one in (stranded, other):
        with pytest.raises(InvalidInput, match="Change one of the two"):
            one.give(FeedbackRecord.of(record.id, 1, None, "dog"))
    stranded.spool.remove(stranded.spool.predictions())
    with pytest.raises(InvalidInput, match="Change one of the two"):
        stranded.give(FeedbackRecord.of(record.id, 1, None, "neither"))
    assert stranded.give(FeedbackRecord.of(record.id, 1, None, "both")) is False
    assert len(stranded.spool.feedback()) == 1


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


def test_whatever_goes_wrong_the_spool_is_looked_after(
    recorder: Recorder, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replay, failures = recorder.replay, iter([RuntimeError("a defect"), KeyError("another")])

    def fail_twice() -> int:
        for failure in failures:
            raise failure
        return replay()

    monkeypatch.setattr(recorder, "replay", fail_twice)
    recorder.spool.put_prediction(make_record()[0])
    recorder._wake.set()
    wait_until(lambda: at_rest(recorder))
    assert len(rows(recorder.database)) == 1
    assert [record.message for record in caplog.records].count("the spool cannot be replayed") == 2


def test_feedback_on_what_still_waits_waits_behind_it(recorder: Recorder, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        recorder.spool.put_prediction(record)
    assert recorder.give(FeedbackRecord.of(agreed.id, 1, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        recorder.give(FeedbackRecord.of(refused.id, 1, "comment", None))
    wait_until(lambda: at_rest(recorder))
    assert rows(recorder.database)[agreed.id]["user_comment"] == "comment"


def test_a_prediction_replaces_an_anonymous_one(recorder: Recorder, make_record: MakeRecord) -> None:
    anonymous, _ = make_record()
    agreed, receipt = make_record(Consent(True, True), replaces=anonymous.id)
    recorder.store(anonymous)
    for _ in range(2):  # as a replay may do
        assert recorder.store(agreed)
    assert list(rows(recorder.database)) == [agreed.id]
    assert len(data_subject_rights.export(recorder.database, recorder.spool, receipt or "")["photos"]) == 1


def test_what_came_with_a_decision_and_what_failed_is_never_replaced(
    recorder: Recorder, make_record: MakeRecord
) -> None:
    agreed, receipt = make_record(Consent(photo=True))
    failed = PredictionRecord.of_failure(ValueError(), "1.0")
    waiting, waiting_receipt = make_record(Consent(photo=True))
    recorder.spool.put_prediction(waiting)
    recorder.store(agreed)
    recorder.store(failed)
    for record in (agreed, failed, waiting):
        recorder.store(make_record(Consent(True), replaces=record.id)[0])
    recorder._wake.set()  # what another process leaves in the spool is looked for every half a minute
    wait_until(lambda: at_rest(recorder))
    assert {agreed.id, failed.id, waiting.id} <= set(rows(recorder.database))
    for code in (receipt, waiting_receipt):
        assert len(data_subject_rights.export(recorder.database, recorder.spool, code or "")["photos"]) == 1


@pytest.mark.parametrize("waiting", [True, False], ids=["prediction waits", "prediction is stored"])
def test_in_an_outage_too_a_prediction_replaces_an_anonymous_one(
    database: Settings, data_folder: Path, make_record: MakeRecord, waiting: bool
) -> None:
    server = EmbeddedServer(data_folder / "server")
    server.start()
    settings = database.model_copy(update={"db_host": str(server.pgdata), "db_name": "catsdogs"})
    recorder = Recorder.open(settings)
    anonymous, _ = make_record()
    agreed, receipt = make_record(Consent(True, True), replaces=anonymous.id)
    if not waiting:
        assert recorder.store(anonymous) is True
    server.stop()
    if waiting:
        assert recorder.store(anonymous) is False
        assert recorder.give(FeedbackRecord.of(anonymous.id, 1, None, None)) is False
    assert recorder.store(agreed) is False
    assert recorder.give(FeedbackRecord.of(agreed.id, 0, "mine", None)) is False
    server.start()
    wait_until(lambda: at_rest(recorder))
    [row] = rows(recorder.database).values()
    assert (row["id"], row["filename"], row["user_feedback"], row["user_comment"]) == (
        agreed.id,
        "chelsea.jpg",
        0,
        "mine",
    )
    erased = data_subject_rights.erase(recorder.database, recorder.spool, receipt or "")
    assert (erased.predictions, erased.photos) == ([agreed.id], 1)
    recorder.close()
    server.stop()


def test_what_waits_is_not_stored_after_it_was_replaced(recorder: Recorder, make_record: MakeRecord) -> None:
    anonymous, _ = make_record()
    recorder.spool.put_prediction(anonymous)
    agreed, _ = make_record(Consent(True), replaces=anonymous.id)
    assert recorder.store(agreed) is True
    wait_until(lambda: at_rest(recorder))
    assert list(rows(recorder.database)) == [agreed.id]


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
