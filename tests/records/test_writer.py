"""Records are stored in the database, or in the spool while it cannot be reached, and checked in both cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from catsdogs.domain import Consent
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput, SpoolError
from catsdogs.records import predictions
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]


@pytest.fixture
def stranded(database: Settings) -> Iterator[Storage]:
    """Storage whose database does not exist, and cannot be created."""
    storage = Storage.open(database.model_copy(update={"db_host": "/nonexistent"}))
    yield storage
    storage.close()


def test_a_comment_is_spooled_only_if_consent_is_known(stranded: Storage, make_record: MakeRecord) -> None:
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


def test_a_contradiction_is_not_spooled(database: Settings, stranded: Storage, make_record: MakeRecord) -> None:
    record, _ = make_record()  # a cat
    assert stranded.writer.store_prediction(record) is False
    other = Storage.create(stranded.database, stranded.spool)
    other.replayer.report_failure(DatabaseUnavailable("unreachable"))
    for one in (stranded, other):
        with pytest.raises(InvalidInput, match="Change one of the two"):
            one.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "dog"))
    stranded.spool.remove(stranded.spool.prediction_files())
    with pytest.raises(InvalidInput, match="Change one of the two"):
        stranded.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "neither"))
    assert stranded.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, "both")) is False
    assert len(stranded.spool.feedback_files()) == 1


def test_another_process_finds_the_consent_in_the_spool(
    database: Settings, stranded: Storage, make_record: MakeRecord
) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        assert stranded.writer.store_prediction(record) is False
    other = Storage.create(stranded.database, stranded.spool)
    other.replayer.report_failure(DatabaseUnavailable("unreachable"))
    assert other.writer.store_feedback(FeedbackRecord.create(agreed.id, None, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        other.writer.store_feedback(FeedbackRecord.create(refused.id, None, "comment", None))


@pytest.mark.parametrize("right", [Local.withdraw, Local.erase])
def test_a_consent_that_was_withdrawn_is_not_remembered(
    database: Settings, make_record: MakeRecord, right: Callable[[Local, str], object]
) -> None:
    service = Local(object(), database)  # type: ignore[arg-type]  # the model is not used
    record, receipt = make_record(Consent(True))
    assert service._writer.store_prediction(record) is True
    right(service, receipt or "")
    service._replayer.report_failure(DatabaseUnavailable("It is away."))
    with pytest.raises(DatabaseUnavailable, match="rating alone"):
        service.give_feedback(record.id, user_comment="comment")
    assert service.give_feedback(record.id, user_feedback=1) is False
    service.close()


def test_a_record_that_can_be_stored_nowhere_is_an_error(database: Settings, make_record: MakeRecord) -> None:
    unreachable = Storage.open(database.model_copy(update={"db_host": "/nonexistent", "spool_megabytes": 0}))
    with pytest.raises(SpoolError, match="Try again later"):
        unreachable.writer.store_prediction(make_record()[0])
    unreachable.close()


def test_feedback_on_a_spooled_prediction_is_spooled_too(storage: Storage, make_record: MakeRecord) -> None:
    agreed, refused = make_record(Consent(True))[0], make_record()[0]
    for record in (agreed, refused):
        storage.spool.put_prediction(record)
    assert storage.writer.store_feedback(FeedbackRecord.create(agreed.id, 1, "comment", None)) is False
    with pytest.raises(ConsentRequired):
        storage.writer.store_feedback(FeedbackRecord.create(refused.id, 1, "comment", None))
    until(lambda: storage.is_idle)
    assert storage.rows()[agreed.id]["user_comment"] == "comment"


def test_feedback_on_a_prediction_that_is_replayed_just_then_is_stored(
    storage: Storage, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, _ = make_record()

    def replayed(identifier: UUID) -> None:
        """The prediction leaves the spool before it is looked for there."""
        storage.database.run(lambda connection: predictions.store(connection, storage.database.tables, [record]))

    monkeypatch.setattr(storage.writer, "_find_in_spool", replayed)
    assert storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, None)) is True
    assert storage.rows()[record.id]["user_feedback"] == 1
