"""A consent is changed in place: nothing is predicted again, what is allowed stays, and the receipt stays."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.domain import Consent, new_receipt
from catsdogs.errors import (
    CatsDogsError,
    Conflict,
    ConsentRequired,
    DatabaseUnavailable,
    InvalidInput,
    NotFound,
    ReceiptRefused,
    SpoolError,
)
from catsdogs.records import data_subject_rights
from catsdogs.records.consent_changes import ConsentChange, apply
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]
NOTHING, NAME, PHOTO, ALL = Consent(), Consent(True), Consent(photo=True), Consent(True, True)
WRONG = "0000-0000-0000-0000-0000-0000-0000"


@pytest.fixture
def stranded(database: Settings) -> Iterator[Storage]:
    """Storage with the same spool, whose database cannot be reached."""
    storage = Storage.open(database.model_copy(update={"db_host": "/nonexistent"}))
    yield storage
    storage.close()


@pytest.fixture
def change(cat_jpeg: bytes) -> Callable[..., str | None]:
    """Change a consent, and return the receipt code."""

    def change(
        storage: Storage,
        identifier: UUID,
        consent: Consent,
        receipt: str | None = None,
        photo: bytes | None = cat_jpeg,
        chosen: str | None = None,
    ) -> str | None:
        made = ConsentChange.create(
            identifier, consent, filename="chelsea.jpg", photo=photo, receipt=receipt, new_receipt=chosen
        )
        storage.writer.change_consent(made)
        return made.receipt

    return change


Change = Callable[..., str | None]


def held(storage: Storage, receipt: str | None) -> dict[str, Any]:
    return data_subject_rights.export(storage.database, storage.spool, receipt or "")


def summary(storage: Storage, receipt: str | None) -> tuple[object, ...]:
    """File name, rating, label and comment of the prediction under a receipt, and the number of photos."""
    [row] = (found := held(storage, receipt))["predictions"]
    return row["filename"], row["user_feedback"], row["true_label"], row["user_comment"], len(found["photos"])


def purposes(storage: Storage, receipt: str | None) -> list[tuple[bool, bool, bool]]:
    """Both purposes of each decision, and whether something of it was withdrawn; the earliest first."""
    return [
        (row["filename_and_comment"], row["photo"], row["withdrawn_at"] is not None)
        for row in held(storage, receipt)["decisions"]
    ]


@pytest.mark.parametrize("spooled", [False, True], ids=["database", "spool"])
def test_the_ways_of_a_consent(
    database: Settings, stranded: Storage, make_record: MakeRecord, change: Change, spooled: bool
) -> None:
    """Name, then the photo too, then the photo alone, then nothing, then all again: under one receipt."""
    storage = stranded if spooled else Storage.open(database)
    record, _ = make_record()
    storage.writer.store_prediction(record)
    storage.writer.store_feedback(FeedbackRecord.create(record.id, 0, None, "dog"))
    receipt = change(storage, record.id, NAME)
    storage.writer.store_feedback(FeedbackRecord.create(record.id, None, "It is a dog", None))
    kept: list[tuple[bool, bool]] = []
    for consent in (ALL, ALL, PHOTO, NOTHING, NOTHING, ALL):
        assert change(storage, record.id, consent, receipt) == receipt
        if spooled:
            [waiting] = (one for _, one in storage.spool.read(storage.spool.prediction_files(), PredictionRecord))
            kept.append((waiting.filename is not None, waiting.photo is not None))
        else:
            row = summary(storage, receipt)
            assert row[1:3] == (0, "dog")
            assert row[3] == ("It is a dog" if len(kept) < 2 else None), "a comment that was withdrawn stays away"
            kept.append((row[0] is not None, row[4] == 1))
    assert kept == [(True, True), (True, True), (False, True), (False, False), (False, False), (True, True)]
    if spooled:
        storage = Storage.open(database)
        until(lambda: storage.is_idle)
    assert summary(storage, receipt) == ("chelsea.jpg", 0, "dog", None, 1)
    assert purposes(storage, receipt) == [
        (False, False, True),
        (False, False, True),
        (False, False, True),
        (True, True, False),
    ]
    assert data_subject_rights.erase(storage.database, storage.spool, receipt or "").predictions == [record.id]
    with pytest.raises(NotFound):
        held(storage, receipt)
    assert not (storage.spool.folder / "damaged").exists()
    storage.close()


def test_widening_keeps_everything(storage: Storage, make_record: MakeRecord, change: Change) -> None:
    record, receipt = make_record(NAME)
    storage.writer.store_prediction(record)
    storage.writer.store_feedback(FeedbackRecord.create(record.id, 0, "It is a dog", "dog"))
    assert change(storage, record.id, ALL, receipt) == receipt
    assert summary(storage, receipt) == ("chelsea.jpg", 0, "dog", "It is a dog", 1)
    assert purposes(storage, receipt) == [(True, False, False), (True, True, False)]
    assert len(storage.rows()) == 1
    storage.writer.store_feedback(FeedbackRecord.create(record.id, None, "edited", None))
    assert summary(storage, receipt)[3] == "edited"


def test_a_kept_photo_stays_with_its_review(storage: Storage, make_record: MakeRecord, change: Change) -> None:
    record, receipt = make_record(PHOTO)
    storage.writer.store_prediction(record)
    [before] = held(storage, receipt)["photos"]
    change(storage, record.id, ALL, receipt, photo=None)
    [after] = held(storage, receipt)["photos"]
    assert {**after, "consent_id": None} == {**before, "consent_id": None}
    assert after["consent_id"] == held(storage, receipt)["decisions"][1]["id"]


@pytest.mark.parametrize("spooled", [False, True], ids=["database", "spool"])
def test_a_change_needs_its_receipt_and_its_photo(
    storage: Storage, stranded: Storage, make_record: MakeRecord, change: Change, spooled: bool
) -> None:
    """A refused change changes nothing, and does not tell whether a code belongs to another photo."""
    where = stranded if spooled else storage
    (anonymous, _), (agreed, receipt), (other, others) = make_record(), make_record(NAME), make_record(ALL)
    for record in (anonymous, agreed, other):
        where.writer.store_prediction(record)
    refusals = set()
    for identifier, code in ((agreed.id, others), (agreed.id, WRONG), (anonymous.id, others), (anonymous.id, WRONG)):
        with pytest.raises(NotFound) as wrong:
            change(where, identifier, ALL, code)
        refusals.add(str(wrong.value))
    assert len(refusals) == 1
    for consent in (ALL, NAME, NOTHING):
        with pytest.raises(InvalidInput, match="Send its receipt code"):
            change(where, agreed.id, consent)
    for identifier, code in ((agreed.id, receipt), (anonymous.id, None)):
        with pytest.raises(InvalidInput, match="Send the photo"):
            change(where, identifier, ALL, code, photo=None)
    if spooled:
        storage.replayer.replay()
    assert [storage.rows()[record.id]["filename"] for record in (anonymous, agreed)] == [None, "chelsea.jpg"]
    assert purposes(storage, receipt) == [(True, False, False)]
    assert change(storage, anonymous.id, NOTHING) is None


def test_nothing_changes_while_the_database_is_away(
    storage: Storage, stranded: Storage, make_record: MakeRecord, change: Change
) -> None:
    record, receipt = make_record(NAME)
    storage.writer.store_prediction(record)
    with pytest.raises(DatabaseUnavailable, match="nothing was changed"):
        change(stranded, record.id, ALL, receipt)
    assert len(stranded.spool) == 0
    assert purposes(storage, receipt) == [(True, False, False)]
    with pytest.raises(NotFound):
        change(storage, uuid7(), NAME)


def test_what_may_be_commented_is_remembered(storage: Storage, make_record: MakeRecord, change: Change) -> None:
    record, _ = make_record()
    storage.writer.store_prediction(record)
    receipt = change(storage, record.id, NAME)
    storage.replayer.report_failure(DatabaseUnavailable("It is away."))
    storage.replayer.close()
    assert storage.writer.store_feedback(FeedbackRecord.create(record.id, None, "allowed", None)) is False
    storage.replayer._away.clear()
    change(storage, record.id, NOTHING, receipt)
    storage.replayer._away.set()
    with pytest.raises(ConsentRequired):
        storage.writer.store_feedback(FeedbackRecord.create(record.id, None, "refused", None))
    assert b"allowed" not in b"".join(path.read_bytes() for path in storage.spool.feedback_files())


def test_a_record_that_a_crash_left_in_the_spool_gets_the_later_decision(
    storage: Storage, stranded: Storage, make_record: MakeRecord, change: Change
) -> None:
    """The record was stored, and the process was killed before it emptied the spool."""
    (widened, first), (withdrawn, second) = make_record(NAME), make_record(ALL)
    (agreed, _), (stale, third) = make_record(), make_record(ALL)
    storage.replayer.close()
    for record in (widened, withdrawn, agreed, stale):
        storage.writer.store_prediction(record)
        storage.spool.put_prediction(record)
    assert change(stranded, widened.id, ALL, first) == first
    assert change(stranded, withdrawn.id, NOTHING, second) == second
    new = change(stranded, agreed.id, PHOTO)
    files = {path: path.read_bytes() for path in stranded.spool.prediction_files()}
    change(storage, stale.id, NAME, third)
    for path, content in files.items():
        path.write_bytes(content)
    for left in (4, 0):
        assert storage.replayer.replay() == left
        found = [purposes(storage, code)[-1] for code in (first, second, new, third)]
        assert found == [(True, True, False), (False, False, True), (False, True, False), (True, False, False)]
        assert [len(held(storage, code)["photos"]) for code in (first, second, new, third)] == [1, 0, 1, 0]
    assert len(storage.rows()) == 4
    assert not (storage.spool.folder / "damaged").exists()


def test_a_withdrawal_counts_that_is_later_than_a_decision_in_the_spool_of_another_replica(
    storage: Storage, stranded: Storage, replica: Storage, make_record: MakeRecord, change: Change
) -> None:
    storage.replayer.close()
    record, receipt = make_record(NAME)
    storage.writer.store_prediction(record)
    storage.spool.put_prediction(record)  # stored, too, after its deadline
    assert change(stranded, record.id, ALL, receipt) == receipt
    data_subject_rights.withdraw(replica.database, replica.spool, receipt or "")
    assert storage.replayer.replay() == 1
    assert purposes(storage, receipt) == [(False, False, True)] * 2
    assert summary(storage, receipt) == (None, None, None, None, 0)


def test_a_stored_record_that_a_crash_left_in_the_spool_is_removed_from_it(
    storage: Storage, make_record: MakeRecord, change: Change
) -> None:
    record, receipt = make_record(ALL, filename="mine.jpg")
    storage.writer.store_prediction(record)
    storage.spool.put_prediction(record)
    nothing = ConsentChange.create(record.id, NOTHING, filename=None, photo=None, receipt=receipt)
    assert storage.writer.change_consent(nothing) is True
    assert len(storage.spool) == 0
    assert purposes(storage, receipt) == [(False, False, True)]


def test_a_full_spool_refuses_a_photo_and_takes_a_withdrawal(
    stranded: Storage, make_record: MakeRecord, change: Change
) -> None:
    record, receipt = make_record(NAME)
    stranded.writer.store_prediction(record)
    before = stranded.spool.prediction_files()[0].read_bytes()
    stranded.spool.limit = 0
    with pytest.raises(SpoolError):
        change(stranded, record.id, ALL, receipt)
    assert stranded.spool.prediction_files()[0].read_bytes() == before
    change(stranded, record.id, NOTHING, receipt)
    assert b"chelsea.jpg" not in stranded.spool.prediction_files()[0].read_bytes()


def test_a_change_in_the_spool_is_exported_and_erased(
    storage: Storage, stranded: Storage, make_record: MakeRecord, change: Change
) -> None:
    record, receipt = make_record(NAME)
    stranded.writer.store_prediction(record)
    change(stranded, record.id, ALL, receipt)
    [waiting] = held(storage, receipt)["waiting"]
    assert (waiting["decision"]["photo"], waiting["earlier_decisions"][0]["photo"]) == (True, False)
    assert "receipt_hash" not in json.dumps(waiting)
    assert data_subject_rights.erase(storage.database, storage.spool, receipt or "").waiting == 1
    assert len(storage.spool) == 0


@pytest.mark.parametrize("again", [NAME, ALL, NOTHING])
def test_a_decision_whose_acknowledgement_was_lost_keeps_its_receipt(
    storage: Storage, make_record: MakeRecord, change: Change, monkeypatch: pytest.MonkeyPatch, again: Consent
) -> None:
    """The database stored it, and was gone before it could say so: the person sends the decision again."""
    record, _ = make_record()
    storage.writer.store_prediction(record)
    run, code = storage.database.run, new_receipt()

    def lose_the_reply(work: Callable[[sa.Connection], object], _limits: object) -> None:
        run(work)
        raise DatabaseUnavailable("PostgreSQL cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(storage.database, "run", lose_the_reply)
        with pytest.raises(DatabaseUnavailable, match="not certain"):
            change(storage, record.id, NAME, chosen=code)
    until(lambda: storage.is_idle)
    change(storage, record.id, again, chosen=code)
    assert [name or photo for name, photo, _ in purposes(storage, code)][-1] is again.any
    assert change(storage, record.id, NAME, code) == code
    with pytest.raises(InvalidInput, match="Send its receipt code"):
        change(storage, record.id, NAME)


@pytest.mark.parametrize("spooled", [False, True], ids=["database", "spool"])
def test_a_change_based_on_another_decision_than_the_one_that_applies_changes_nothing(
    storage: Storage, stranded: Storage, make_record: MakeRecord, cat_jpeg: bytes, spooled: bool
) -> None:
    """Two tabs show the same photo: in one the person agrees to keep the name, and in the other the photo."""
    where = stranded if spooled else storage
    record, _ = make_record()
    where.writer.store_prediction(record)
    code = new_receipt()

    def decide(consent: Consent, known: Consent, receipt: str | None = None) -> str | None:
        fields: dict[str, Any] = {"filename": "chelsea.jpg", "photo": cat_jpeg, "receipt": receipt, "new_receipt": code}
        made = ConsentChange.create(record.id, consent, known=known, **fields)
        where.writer.change_consent(made)
        return made.receipt

    assert decide(NAME, NOTHING) == code
    with pytest.raises(Conflict):
        decide(PHOTO, NOTHING)
    assert decide(NAME, NOTHING) == code, "the same decision, repeated"
    assert decide(ALL, NAME, code) == code
    with pytest.raises(Conflict):
        decide(NOTHING, NAME, code)
    assert decide(PHOTO, ALL, code) == code
    with pytest.raises(Conflict):
        decide(Consent(True, True), NAME, code)  # it would agree again to what was withdrawn
    if spooled:
        storage.replayer.replay()
    assert purposes(storage, code)[-1] == (False, True, False)


@pytest.fixture
def replica(database: Settings, storage: Storage, tmp_path: Path) -> Iterator[Storage]:
    """Storage of another replica: the same database, and a spool of its own."""
    other = Storage.open(database.model_copy(update={"data_dir": tmp_path / "other"}))
    yield other
    other.close()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Call functions at the same time; return what each returned or raised."""
    barrier = threading.Barrier(len(calls))

    def call(function: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return function()
        except CatsDogsError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def test_of_two_first_decisions_at_once_one_counts(
    storage: Storage, replica: Storage, make_record: MakeRecord, change: Change
) -> None:
    for _ in range(10):
        record, _receipt = make_record()
        storage.writer.store_prediction(record)
        done = at_once(partial(change, storage, record.id, NAME), partial(change, replica, record.id, PHOTO))
        [receipt] = (one for one in done if isinstance(one, str))
        assert {type(one) for one in done} == {str, ReceiptRefused}
        assert len(held(storage, receipt)["decisions"]) == len(held(storage, receipt)["predictions"]) == 1


def test_a_withdrawal_that_waits_for_a_decision_reaches_it_too(
    storage: Storage, replica: Storage, make_record: MakeRecord, cat_jpeg: bytes
) -> None:
    record, receipt = make_record(NAME)
    storage.writer.store_prediction(record)
    storage.writer.store_feedback(FeedbackRecord.create(record.id, None, "written before", None))
    made = ConsentChange.create(record.id, ALL, filename=None, photo=cat_jpeg, receipt=receipt)
    waiting = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor() as threads:
        with storage.database.engine.begin() as connection:
            apply(connection, storage.database.tables, made)
            withdrawal = threads.submit(data_subject_rights.withdraw, replica.database, replica.spool, receipt or "")
            until(lambda: storage.database.run(lambda connection: connection.scalar(waiting)))
        assert withdrawal.result().photos == 1
    assert summary(storage, receipt) == (None, None, None, None, 0)
    assert purposes(storage, receipt) == [(False, False, True), (False, False, True)]
