"""A receipt code exports and erases everything stored under it: rows, photos, spool. Old records become anonymous."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.exc import DBAPIError

from catsdogs.database import Database
from catsdogs.domain import Consent, PurposeName, Removal
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, NotFound
from catsdogs.records import data_subject_rights
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.feedback import FeedbackRecord, apply
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.settings import Settings
from tests.storage import Storage

MakeRecord = Callable[..., tuple[PredictionRecord, str]]
ALL = Consent(True, True, "fr")


def counts(storage: Storage) -> tuple[int, int, int]:
    tables = storage.database.tables
    query = sa.select(
        *(
            sa.select(sa.func.count()).select_from(table).scalar_subquery()
            for table in (tables.consents, tables.predictions, tables.photos)
        )
    )
    return tuple(storage.database.run(lambda connection: connection.execute(query).one()))


def row_of(storage: Storage, identifier: UUID) -> sa.RowMapping:
    table = storage.database.tables.predictions
    query = sa.select(table).where(table.c.id == identifier)
    return storage.database.run(lambda connection: connection.execute(query).mappings().one())


def aged(record: PredictionRecord, days: int) -> PredictionRecord:
    moment = datetime.now(UTC) - timedelta(days=days)
    decision = record.decision.model_copy(update={"decided_at": moment}) if record.decision else None
    return record.model_copy(update={"timestamp": moment, "decision": decision})


def test_export_holds_everything_of_one_person_and_nothing_of_another(
    storage: Storage, make_record: MakeRecord
) -> None:
    mine, receipt = make_record(ALL, filename="mine.jpg")
    theirs, _ = make_record(ALL, filename="theirs.jpg")
    for record in (mine, theirs):
        storage.writer.store_prediction(record)
        storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, f"comment on {record.filename}", "cat"))

    held = data_subject_rights.export(storage.database, storage.spool, receipt.lower().replace("-", " "))

    text = json.dumps(held)
    assert "theirs" not in text
    assert receipt not in text
    assert "receipt_hash" not in text
    [decision], [prediction], [photo] = held["decisions"], held["predictions"], held["photos"]
    assert (decision["language"], decision["filename_and_comment"], decision["photo"]) == ("fr", True, True)
    assert prediction["id"] == str(mine.id)
    assert (prediction["filename"], prediction["user_comment"]) == ("mine.jpg", "comment on mine.jpg")
    assert Image.open(io.BytesIO(base64.b64decode(photo["jpeg"]))).size == (451, 300)


def test_erasure_reaches_tables_photos_and_spool_at_once(storage: Storage, make_record: MakeRecord) -> None:
    stored, receipt = make_record(ALL)
    other, other_receipt = make_record(ALL)
    anonymous, _ = make_record(Consent())
    for record in (stored, other, anonymous):
        storage.writer.store_prediction(record)
    storage.spool.put_feedback(FeedbackRecord.create(stored.id, 1, "waits", None))
    storage.spool.put_feedback(FeedbackRecord.create(other.id, 1, "stays", None))

    removed = data_subject_rights.erase(storage.database, storage.spool, receipt)

    assert (removed.predictions, removed.photos) == ([stored.id], 1)
    assert counts(storage) == (1, 2, 1)
    assert [
        record.user_comment for _, record in storage.spool.read(storage.spool.feedback_files(), FeedbackRecord)
    ] == ["stays"]
    data_subject_rights.export(storage.database, storage.spool, other_receipt)
    for act in (data_subject_rights.export, data_subject_rights.erase):
        with pytest.raises(NotFound):
            act(storage.database, storage.spool, receipt)


@pytest.mark.parametrize(
    ("purpose", "filename", "comment", "photos", "consent"),
    [
        (PurposeName.FILENAME_AND_COMMENT, None, None, 1, (False, True)),
        (PurposeName.PHOTO, "mine.jpg", "comment", 0, (True, False)),
        (None, None, None, 0, (False, False)),
    ],
)
@pytest.mark.parametrize("where", ["tables", "spool"])
def test_withdrawing_a_purpose_removes_what_was_kept_for_it(
    storage: Storage,
    make_record: MakeRecord,
    where: str,
    purpose: PurposeName | None,
    filename: str | None,
    comment: str | None,
    photos: int,
    consent: tuple[bool, bool],
) -> None:
    mine, receipt = make_record(ALL, filename="mine.jpg")
    other, _ = make_record(ALL, filename="other.jpg")
    storage.writer.store_prediction(other)
    storage.writer.store_feedback(FeedbackRecord.create(other.id, 1, "other", "cat"))
    if where == "tables":
        storage.writer.store_prediction(mine)
        storage.writer.store_feedback(FeedbackRecord.create(mine.id, 0, "comment", "dog"))
    else:
        storage.spool.put_prediction(mine)
        storage.spool.put_feedback(FeedbackRecord.create(mine.id, 0, "comment", "dog"))

    for _ in range(2):  # safe to repeat
        data_subject_rights.withdraw(storage.database, storage.spool, receipt, purpose)
        if filename is None:
            kept = b"".join(path.read_bytes() for path in storage.spool.folder.rglob("*.json"))
            assert b'"comment"' not in kept
            assert b"mine.jpg" not in kept
    storage.replayer.replay()

    row = row_of(storage, mine.id)
    assert (row["filename"], row["user_comment"], row["rgpd_consent"]) == (filename, comment, consent[0])
    assert (row["proba_cat"], row["user_feedback"], row["true_label"]) == (0.9, 0, "dog")
    held = data_subject_rights.export(storage.database, storage.spool, receipt)
    [decision] = held["decisions"]
    assert (decision["filename_and_comment"], decision["photo"]) == consent
    assert decision["withdrawn_at"]
    assert len(held["photos"]) == photos
    assert row_of(storage, other.id)["user_comment"] == "other"
    assert not (storage.spool.folder / "damaged").exists()


def test_after_a_withdrawal_comments_are_refused(storage: Storage, make_record: MakeRecord) -> None:
    mine, receipt = make_record(ALL)
    storage.writer.store_prediction(mine)
    data_subject_rights.withdraw(storage.database, storage.spool, receipt)
    with pytest.raises(ConsentRequired):
        storage.writer.store_feedback(FeedbackRecord.create(mine.id, 1, "comment", None))
    storage.spool.put_feedback(FeedbackRecord.create(mine.id, 1, "late", None))  # accepted elsewhere, before
    storage.replayer.replay()
    row = row_of(storage, mine.id)
    assert (row["user_feedback"], row["user_comment"]) == (1, None)


def test_a_withdrawal_during_an_outage_applies_to_the_spool_at_once(
    database: Settings, make_record: MakeRecord
) -> None:
    unreachable = Storage.open(database.model_copy(update={"db_host": "/nonexistent"}))
    mine, receipt = make_record(ALL, filename="mine.jpg")
    unreachable.writer.store_prediction(mine)
    unreachable.writer.store_feedback(FeedbackRecord.create(mine.id, None, "allowed", None))
    with pytest.raises(DatabaseUnavailable):  # what is stored cannot be reached: to be tried again
        data_subject_rights.withdraw(unreachable.database, unreachable.spool, receipt)
    assert b"mine.jpg" not in unreachable.spool.prediction_files()[0].read_bytes()
    with pytest.raises(ConsentRequired):
        unreachable.writer.store_feedback(FeedbackRecord.create(mine.id, None, "refused", None))
    unreachable.close()


def test_rights_cover_damaged_records(storage: Storage, make_record: MakeRecord) -> None:
    for act in (data_subject_rights.erase, data_subject_rights.withdraw):
        mine, receipt = make_record(ALL, filename="mine.jpg")
        storage.writer.store_prediction(mine)
        storage.spool.put_prediction(mine)
        storage.spool.put_feedback(FeedbackRecord.create(mine.id, 1, "comment", None))
        for path in (*storage.spool.prediction_files(), *storage.spool.feedback_files()):
            storage.spool.set_aside(path, "is only a test")
        act(storage.database, storage.spool, receipt)
        assert list((storage.spool.folder / "damaged").iterdir()) == []


def test_export_holds_comments_that_wait_and_what_was_set_aside(storage: Storage, make_record: MakeRecord) -> None:
    storage.replayer.close()
    (stored, receipt), (other, _) = make_record(ALL), make_record(ALL)
    for record in (stored, other):
        storage.writer.store_prediction(record)
        storage.spool.put_feedback(FeedbackRecord.create(record.id, None, f"on {record.id}", None))
    aside = FeedbackRecord.create(stored.id, None, "set aside", None)
    storage.spool.put_feedback(aside)
    storage.spool.set_aside(storage.spool.feedback_files()[-1], "is only a test")
    held = data_subject_rights.export(storage.database, storage.spool, receipt)
    assert [one["user_comment"] for one in held["waiting"]] == [f"on {stored.id}", "set aside"]


def test_an_erasure_whose_acknowledgement_was_lost_says_what_it_erased(
    storage: Storage, make_record: MakeRecord
) -> None:
    record, receipt = make_record(ALL)
    storage.writer.store_prediction(record)
    storage.replayer.close()
    storage.spool.put_feedback(FeedbackRecord.create(record.id, 1, "a comment", None))
    lost = iter([True])

    def lose_the_reply(connection: sa.Connection) -> None:
        if next(lost, False):
            raw = connection.connection.dbapi_connection
            assert raw
            raw.commit()
            raise DBAPIError("COMMIT", None, Exception("lost"), connection_invalidated=True)

    sa.event.listen(storage.database.engine, "commit", lose_the_reply)
    removed = data_subject_rights.erase(storage.database, storage.spool, receipt)
    assert removed.predictions == [record.id]
    assert (len(storage.spool), counts(storage)) == (0, (0, 0, 0))


def test_a_withdrawal_is_possible_with_a_full_spool(database: Settings, make_record: MakeRecord) -> None:
    storage = Storage.create(Database(database), Spool(database.data_dir / "spool", 1_000_000))
    mine, receipt = make_record(ALL)
    storage.spool.put_prediction(mine)
    storage.spool.limit = 0
    assert data_subject_rights.withdraw(storage.database, storage.spool, receipt).waiting == 1
    assert counts(storage) == (0, 0, 0)
    storage.replayer.replay()
    assert counts(storage) == (1, 1, 0)
    storage.close()


@pytest.mark.parametrize("act", [data_subject_rights.export, data_subject_rights.withdraw, data_subject_rights.erase])
def test_all_wrong_receipt_codes_have_the_same_effect(
    storage: Storage, make_record: MakeRecord, act: Callable[..., object]
) -> None:
    """They have the same message and do the same work, so that they take the same time."""
    record, erased = make_record(ALL)
    storage.writer.store_prediction(record)
    data_subject_rights.erase(storage.database, storage.spool, erased)
    statements: list[str] = []
    sa.event.listen(
        storage.database.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    outcomes = set()
    for code in (erased, "0000-0000-0000-0000-0000-0000-0000", "", "x" * 5000, "\0", "é"):
        statements.clear()
        with pytest.raises(NotFound) as unknown:
            act(storage.database, storage.spool, code)
        outcomes.add((str(unknown.value), *statements))
    assert len(outcomes) == 1
    assert statements


def test_rights_cover_the_spool(storage: Storage, make_record: MakeRecord) -> None:
    waiting, receipt = make_record(ALL, filename="waiting.jpg")
    storage.spool.put_prediction(waiting)
    storage.spool.put_feedback(FeedbackRecord.create(waiting.id, None, "too", None))
    held = data_subject_rights.export(storage.database, storage.spool, receipt)
    assert held["waiting"][0]["filename"] == "waiting.jpg"
    assert "receipt_hash" not in json.dumps(held)

    assert data_subject_rights.erase(storage.database, storage.spool, receipt).waiting == 1
    assert len(storage.spool) == 0
    storage.replayer.replay()
    assert counts(storage) == (0, 0, 0)


@pytest.mark.parametrize("receipt", ["", "0000-0000-0000-0000-0000-0000-0000", "' OR true --", "\0"])
def test_a_wrong_receipt_code_is_not_found(storage: Storage, make_record: MakeRecord, receipt: str) -> None:
    storage.writer.store_prediction(make_record(ALL)[0])
    for act in (data_subject_rights.export, data_subject_rights.erase):
        with pytest.raises(NotFound):
            act(storage.database, storage.spool, receipt)
    assert counts(storage) == (1, 1, 1)


def test_the_log_mentions_exports_and_erasures_without_personal_data(
    storage: Storage, make_record: MakeRecord, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "catsdogs")
    record, receipt = make_record(ALL, filename="mine.jpg")
    assert record.decision
    storage.writer.store_prediction(record)
    data_subject_rights.export(storage.database, storage.spool, receipt)
    data_subject_rights.erase(storage.database, storage.spool, receipt)
    assert "erased 1 predictions, 1 photos" in caplog.text
    assert not {"mine.jpg", receipt, str(record.id), record.decision.receipt_hash} & set(caplog.text.split())
    assert "mine" not in caplog.text


def test_a_purge_removes_old_personal_data_and_keeps_the_figures(storage: Storage, make_record: MakeRecord) -> None:
    old, old_receipt = make_record(ALL)
    young, young_receipt = make_record(ALL)
    storage.writer.store_prediction(aged(old, 31))
    storage.writer.store_prediction(aged(young, 29))
    storage.writer.store_feedback(FeedbackRecord.create(old.id, 0, "personal", "dog"))

    removed = data_subject_rights.purge(storage.database, storage.spool, 30)

    assert (removed.predictions, removed.photos) == ([old.id], 1)
    assert counts(storage) == (1, 2, 1)
    data_subject_rights.export(storage.database, storage.spool, young_receipt)
    with pytest.raises(NotFound):
        data_subject_rights.export(storage.database, storage.spool, old_receipt)
    row = row_of(storage, old.id)
    assert (row["filename"], row["user_comment"], row["consent_id"]) == (None, None, None)
    assert (row["proba_cat"], row["user_feedback"], row["true_label"], row["rgpd_consent"]) == (0.9, 0, "dog", True)
    assert data_subject_rights.purge(storage.database, storage.spool, 30).predictions == []


@pytest.mark.parametrize("where", ["tables", "spool"])
def test_a_purge_counts_from_the_latest_decision(
    storage: Storage, make_record: MakeRecord, cat_jpeg: bytes, where: str
) -> None:
    """What a person agreed to again stays, with its earlier decisions, until the latest one is old."""
    storage.replayer.close()
    record, receipt = make_record(Consent(True), filename="mine.jpg")
    first = aged(record, 40)
    storage.writer.store_prediction(first)
    comment = FeedbackRecord.create(first.id, None, "personal", None)
    comment = comment.model_copy(update={"given_at": first.timestamp})
    if where == "spool":
        storage.spool.put_feedback(comment)
    else:
        with storage.database.engine.begin() as connection:
            apply(connection, storage.database.tables, [comment])
    storage.writer.change_consent(ConsentChange.create(first.id, ALL, filename=None, photo=cat_jpeg, receipt=receipt))

    assert data_subject_rights.purge(storage.database, storage.spool, 30) == Removal([], 0, 0)

    storage.replayer.replay()
    held = data_subject_rights.export(storage.database, storage.spool, receipt)
    assert [(row["filename"], row["user_comment"]) for row in held["predictions"]] == [("mine.jpg", "personal")]
    assert (len(held["decisions"]), len(held["photos"])) == (2, 1)
    consents = storage.database.tables.consents
    with storage.database.engine.begin() as connection:
        connection.execute(sa.update(consents).values(decided_at=consents.c.decided_at - timedelta(days=31)))
    assert data_subject_rights.purge(storage.database, storage.spool, 30) == Removal([first.id], 1, 0)
    assert counts(storage) == (0, 1, 0)


def test_a_purge_covers_the_spool(storage: Storage, make_record: MakeRecord) -> None:
    old = aged(make_record(ALL, filename="old.jpg")[0], 31)
    storage.spool.put_prediction(old.model_copy(update={"earlier_decisions": (old.decision,)}))
    late = FeedbackRecord.create(old.id, 1, "personal", None)
    storage.spool.put_feedback(late.model_copy(update={"given_at": old.timestamp}))
    assert data_subject_rights.purge(storage.database, storage.spool, 30).waiting == 2
    for path in storage.spool.folder.rglob("*.json"):
        assert not {b"old.jpg", b"personal", b"receipt_hash"} & set(path.read_bytes().split(b'"'))
    assert storage.replayer.replay() == 2
    assert counts(storage) == (0, 1, 0)


def test_a_purge_leaves_an_old_comment_in_the_spool_that_a_new_decision_allows(
    storage: Storage, make_record: MakeRecord
) -> None:
    storage.replayer.close()
    record, _ = make_record(Consent(True))
    old = aged(record, 40)
    again = {"decision": record.decision, "earlier_decisions": (old.decision,)}
    storage.spool.put_prediction(old.model_copy(update=again))
    comment = FeedbackRecord.create(old.id, None, "personal", None)
    storage.spool.put_feedback(comment.model_copy(update={"given_at": old.timestamp}))
    assert data_subject_rights.purge(storage.database, storage.spool, 30) == Removal([], 0, 0)
    assert b"personal" in storage.spool.feedback_files()[0].read_bytes()


def test_an_erasure_during_an_outage_clears_the_spool_and_raises(storage: Storage, make_record: MakeRecord) -> None:
    waiting, receipt = make_record(ALL)
    storage.spool.put_prediction(waiting)
    unreachable = type(storage.database)(storage.database.settings.model_copy(update={"db_host": "/nonexistent"}))
    with pytest.raises(DatabaseUnavailable):
        data_subject_rights.erase(unreachable, storage.spool, receipt)
    assert len(storage.spool) == 0
