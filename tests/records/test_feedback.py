"""Ratings are anonymous and always accepted, comments need consent, older feedback does not replace newer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.domain import Answer, Consent, TrueLabel
from catsdogs.errors import ConsentRequired, InvalidInput, NotFound
from catsdogs.monitoring.accuracy import is_right
from catsdogs.records.feedback import FeedbackRecord, KnownPrediction, apply, check
from catsdogs.records.predictions import PredictionRecord
from tests.storage import Storage

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]
Store = Callable[[Consent], UUID]
FindFeedback = Callable[[UUID], tuple[int | None, str | None, str | None]]


@pytest.fixture
def stored_feedback(storage: Storage) -> FindFeedback:
    """Look up rating, comment and label of a prediction."""
    table = storage.database.tables.predictions.c

    def find(identifier: UUID) -> tuple[int | None, str | None, str | None]:
        query = sa.select(table.user_feedback, table.user_comment, table.true_label).where(table.id == identifier)
        row = storage.database.run(lambda connection: connection.execute(query).one())
        return row.user_feedback, row.user_comment, row.true_label

    return find


@pytest.fixture
def stored(storage: Storage, make_record: MakeRecord) -> Store:
    def make(consent: Consent) -> UUID:
        record, _ = make_record(consent)
        storage.writer.store_prediction(record)
        return record.id

    return make


def test_the_check_of_rating_and_label_agrees_with_the_accuracy_in_sql(storage: Storage) -> None:
    for answer, label, rating, earlier in product(Answer, TrueLabel, (0, 1, None), (0, 1, None)):
        stored = sa.select(
            sa.literal(answer.value).label("prediction_result"),
            sa.literal(label.value).label("true_label"),
            sa.cast(sa.null(), sa.Integer).label("user_feedback"),
        ).subquery()
        with storage.database.engine.connect() as connection:
            counted = connection.scalar(sa.select(is_right(stored)))
        satisfied = earlier if rating is None else rating
        with pytest.raises(InvalidInput) if satisfied and counted is False else nullcontext():
            check(FeedbackRecord.create(uuid7(), rating, None, label), KnownPrediction(answer, False, earlier))


def test_a_contradiction_is_refused_with_all_that_came_with_it(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent(True))
    with pytest.raises(InvalidInput, match="Change one of the two"):
        storage.writer.store_feedback(FeedbackRecord.create(identifier, 1, "It is my dog", "dog"))
    assert stored_feedback(identifier) == (None, None, None)
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 1, None, None))
    with pytest.raises(InvalidInput, match="Change one of the two"):
        storage.writer.store_feedback(FeedbackRecord.create(identifier, None, None, "dog"))
    assert stored_feedback(identifier) == (1, None, None)
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 0, None, "dog"))
    assert stored_feedback(identifier) == (0, None, "dog")


def test_a_contradiction_that_was_accepted_once_is_not_lost_in_the_replay(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent())
    record = FeedbackRecord.create(identifier, 1, None, "dog")
    storage.spool.put_feedback(record)
    storage.replayer.replay()
    assert stored_feedback(identifier) == (1, None, "dog")


@pytest.mark.parametrize("rating", [0, 1])
def test_a_rating_needs_no_consent(storage: Storage, stored: Store, stored_feedback: FindFeedback, rating: int) -> None:
    identifier = stored(Consent())
    assert storage.writer.store_feedback(FeedbackRecord.create(identifier, rating, None, "both"))
    assert stored_feedback(identifier) == (rating, None, "both")


@pytest.mark.parametrize("consent", [Consent(), Consent(photo=True)])
def test_a_comment_without_consent_is_refused_with_all_that_came_with_it(
    storage: Storage, stored: Store, stored_feedback: FindFeedback, consent: Consent
) -> None:
    identifier = stored(consent)
    with pytest.raises(ConsentRequired):
        storage.writer.store_feedback(FeedbackRecord.create(identifier, 1, "It is my cat", None))
    assert stored_feedback(identifier) == (None, None, None)


def test_fields_that_are_not_given_stay_as_they_were(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent(True))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 0, None, "dog"))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, None, "  It is a dog\n", None))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 1, "", None))
    assert stored_feedback(identifier) == (1, "It is a dog", "dog")


def test_an_unknown_prediction_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        storage.writer.store_feedback(FeedbackRecord.create(uuid7(), 1, None, None))


@pytest.mark.parametrize(
    ("rating", "comment", "label"),
    [
        (2, None, None),
        (-1, None, None),
        (None, "a" * 1001, None),
        (None, None, "horse"),
        (None, None, None),
        (None, " \0\n", ""),
    ],
)
def test_wrong_or_empty_fields_are_refused(rating: int | None, comment: str | None, label: str | None) -> None:
    with pytest.raises(InvalidInput):
        FeedbackRecord.create(uuid7(), rating, comment, label)


@pytest.mark.parametrize("comment", ["a" * 1000, "é🐱" * 500, "nul\0", "\ud800", "'; DROP TABLE consents; --"])
def test_comments_of_any_characters_are_stored(
    storage: Storage, stored: Store, stored_feedback: FindFeedback, comment: str
) -> None:
    identifier = stored(Consent(True))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, None, comment, None))
    assert stored_feedback(identifier)[1] == comment.replace("\0", "").replace("\ud800", "?")


def test_older_feedback_that_arrives_late_fills_only_what_is_empty(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent(True))
    now = datetime.now(UTC)

    def feedback(seconds: int, rating: int | None, comment: str | None = None) -> FeedbackRecord:
        record = FeedbackRecord.create(identifier, rating, comment, None)
        return record.model_copy(update={"given_at": now + timedelta(seconds=seconds)})

    for record in (feedback(2, 1), feedback(1, 0, "late"), feedback(1, 0, "late"), feedback(0, 0, "later")):
        with storage.database.engine.begin() as connection:
            apply(connection, storage.database.tables, [record])
    assert stored_feedback(identifier) == (1, "late", None)


def test_the_replay_drops_a_comment_whose_consent_was_withdrawn(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent())
    record = FeedbackRecord.create(identifier, 1, "written before", None)
    storage.database.run(lambda connection: apply(connection, storage.database.tables, [record]))
    assert stored_feedback(identifier) == (1, None, None)
