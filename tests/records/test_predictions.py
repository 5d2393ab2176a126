"""A prediction holds only what consent allows, and is stored once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catsdogs.domain import Answer, Consent, Prediction, TrueLabel
from catsdogs.errors import ConsentRequired, InvalidImage, InvalidInput, NotFound
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.records import data_subject_rights
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord, store
from tests.storage import Storage

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]
TEXT = st.text(max_size=300)


def row(storage: Storage, record: PredictionRecord) -> sa.RowMapping:
    table = storage.database.tables.predictions
    query = sa.select(table).where(table.c.id == record.id)
    return storage.database.run(lambda connection: connection.execute(query).mappings().one())


def photos_of(storage: Storage, record: PredictionRecord) -> int:
    table = storage.database.tables.photos
    query = sa.select(sa.func.count()).select_from(table).where(table.c.prediction_id == record.id)
    return storage.database.run(lambda connection: connection.execute(query).scalar_one())


def exists(storage: Storage, record: PredictionRecord) -> bool:
    table = storage.database.tables.predictions
    query = sa.select(sa.exists().where(table.c.id == record.id))
    return storage.database.run(lambda connection: connection.execute(query).scalar_one())


def test_a_prediction_without_consent_is_anonymous(storage: Storage, make_record: MakeRecord) -> None:
    record, receipt = make_record(Consent())
    assert receipt is None
    assert storage.writer.store_prediction(record)
    stored = row(storage, record)
    assert (stored["prediction_result"], stored["proba_cat"], stored["model_version"]) == ("cat", 0.9, "test-1")
    assert (stored["width"], stored["height"], stored["brightness"], stored["sharpness"]) == (451, 300, 0.5, 0.01)
    assert stored["filename"] is None
    assert stored["consent_id"] is None
    assert stored["timestamp"] <= stored["created_at"]
    assert photos_of(storage, record) == 0


def test_identifiers_are_ordered_by_time_and_made_by_the_client(make_record: MakeRecord) -> None:
    identifiers = [make_record()[0].id for _ in range(100)]
    assert identifiers == sorted(identifiers)
    assert {identifier.version for identifier in identifiers} == {7}


def test_storing_a_record_twice_changes_nothing(storage: Storage, make_record: MakeRecord) -> None:
    record, _ = make_record(Consent(True, True))
    for _ in range(2):
        assert storage.writer.store_prediction(record)
    assert row(storage, record)["filename"] == "chelsea.jpg"
    assert photos_of(storage, record) == 1


def test_a_failure_records_only_the_kind_of_error(storage: Storage) -> None:
    record = PredictionRecord.of_failure(InvalidImage("This file, {name}, is empty.", name="mine.jpg"), "test-1")
    storage.writer.store_prediction(record)
    stored = row(storage, record)
    assert (stored["success"], stored["prediction_result"], stored["error_type"]) == (False, "error", "InvalidImage")
    assert stored["model_version"] == "test-1"
    assert "mine" not in str(stored)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("/home/me/cat.jpg", "cat.jpg"),
        ("<img src=x onerror=alert(1)>.jpg", "<img src=x onerror=alert(1)>.jpg"),
        ("nul\0.jpg", "nul.jpg"),
        ("\ud800.jpg", "?.jpg"),
        ("a" * 300, "a" * 255),
        ("", None),
        ("/", None),
    ],
)
def test_file_names_are_stored_without_folders_and_forbidden_characters(
    storage: Storage, make_record: MakeRecord, sent: str, kept: str | None
) -> None:
    record, _ = make_record(Consent(True), filename=sent)
    storage.writer.store_prediction(record)
    assert row(storage, record)["filename"] == kept


def test_probabilities_outside_0_to_1_by_rounding_are_clipped(storage: Storage, cat_jpeg: bytes) -> None:
    prediction = Prediction(Answer.CAT, 1.0000001, -1e-9, 1.0000001, "test-1", 3.5)
    record, _ = PredictionRecord.create(
        prediction, ImageStatistics(1, 1, 1.0000001, 0.0), photo=cat_jpeg, filename=None, consent=Consent()
    )
    assert storage.writer.store_prediction(record)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    consent=st.builds(Consent, st.booleans(), st.booleans(), st.sampled_from(["en", "fr", "tlh", ""])),
    filename=st.none() | TEXT,
    rating=st.sampled_from([None, 0, 1]),
    comment=st.none() | TEXT,
    label=st.none() | st.sampled_from(TrueLabel),
    waiting=st.booleans(),
)
def test_nothing_is_kept_without_consent(
    storage: Storage,
    make_record: MakeRecord,
    consent: Consent,
    filename: str | None,
    rating: int | None,
    comment: str | None,
    label: TrueLabel | None,
    waiting: bool,
) -> None:
    """Stored in the database or the spool, then withdrawn: no name, comment or photo without consent to it."""
    record, receipt = make_record(consent, filename=filename)
    if waiting:
        storage.spool.put_prediction(record)
    else:
        storage.writer.store_prediction(record)
    has_comment = bool((comment or "").replace("\0", "").strip())
    accepted = True
    if rating is not None or has_comment or label is not None:
        feedback = FeedbackRecord.create(record.id, rating, comment, label)
        try:
            storage.writer.store_feedback(feedback)
            assert consent.filename_and_comment or not has_comment
        except ConsentRequired:
            assert has_comment
            assert not consent.filename_and_comment
            accepted = False
        except InvalidInput:  # the answer is "cat"
            assert (rating, label) in {(1, TrueLabel.DOG), (1, TrueLabel.NEITHER), (0, TrueLabel.CAT)}
            accepted = False
    storage.replayer.replay()

    stored = row(storage, record)
    assert (stored["filename"] is None) or consent.filename_and_comment
    assert (stored["user_comment"] is not None) == (has_comment and accepted)
    assert (stored["user_feedback"], stored["true_label"]) == ((rating, label) if accepted else (None, None))
    assert photos_of(storage, record) == consent.photo
    assert (receipt is not None) == consent.any

    if receipt:
        data_subject_rights.erase(storage.database, storage.spool, receipt)
        with pytest.raises(NotFound):
            data_subject_rights.export(storage.database, storage.spool, receipt)
        assert not exists(storage, record)


def test_a_batch_stores_consents_predictions_and_photos(storage: Storage, make_record: MakeRecord) -> None:
    consents = [Consent(), Consent(True), Consent(photo=True), Consent(True, True)]
    records = [make_record(replace(consent, language="fr"))[0] for consent in consents]
    storage.database.run(lambda connection: store(connection, storage.database.tables, records))
    assert [row(storage, record)["rgpd_consent"] for record in records] == [False, True, False, True]
    assert [photos_of(storage, record) for record in records] == [0, 0, 1, 1]
