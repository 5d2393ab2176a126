"""The queue of photos to review, on a real database, filled through the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from catsdogs.domain import Answer, Consent, PurposeName, ReviewDecision, TrueLabel
from catsdogs.errors import DatabaseUnavailable, NotFound
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.review_queue import FeedbackPhotos, ReviewQueue, feedback_photos
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.storage import Storage

PHOTO = Consent(photo=True)
Send = Callable[..., UUID]


@pytest.fixture
def queue(database: Settings) -> Iterator[ReviewQueue]:
    opened = ReviewQueue.open(database)
    yield opened
    opened.close()


@pytest.fixture
def send(storage: Storage, make_record: Callable[..., Any]) -> Send:
    """Store a prediction with these figures, and what the person said of it."""

    def send(label: str | None = "dog", consent: Consent = PHOTO, **figures: object) -> UUID:
        record, _ = make_record(consent)
        storage.writer.store_prediction(record.model_copy(update=figures))
        storage.writer.store_feedback(FeedbackRecord.create(record.id, 0, None, label))
        return UUID(str(record.id))

    return send


def test_only_photos_with_consent_and_a_label_are_queued(queue: ReviewQueue, send: Send) -> None:
    send("dog", Consent())
    send("dog", Consent(filename_and_comment=True))
    send(None)
    assert queue.waiting(9) == []
    both = send("both")
    [one] = queue.waiting(9)
    assert (one.prediction_id, one.answer, one.model_version, one.true_label) == (
        both,
        Answer.CAT,
        "test-1",
        TrueLabel.BOTH,
    )
    assert one.probability == pytest.approx(0.9 * 0.98)
    assert one.jpeg.startswith(b"\xff\xd8")


def test_a_photo_whose_answer_was_called_right_is_queued_with_that_answer(
    queue: ReviewQueue, storage: Storage, make_record: Callable[..., Any], database: Settings
) -> None:
    for consent in (PHOTO, Consent()):
        record, _ = make_record(consent)
        storage.writer.store_prediction(record)
        storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, None))
        if consent is PHOTO:
            kept = record.id
    [one] = queue.waiting(9)
    assert (one.prediction_id, one.true_label) == (kept, TrueLabel.CAT)
    assert queue.counts() == {"waiting": 1, "cat": 0, "dog": 0, "neither": 0, "left_out": 0}
    queue.decide(kept, ReviewDecision.CAT)
    found = feedback_photos(database)
    assert {path.stem for path in found.confirmed} == {str(kept)}
    queue.decide(kept, ReviewDecision.DOG)
    assert feedback_photos(database).confirmed == set(), "the review says that it was not right"


def test_the_most_uncertain_come_first(queue: ReviewQueue, send: Send) -> None:
    sure = send(neither_score=0.01, proba_cat=0.99, proba_dog=0.01)
    torn = send(neither_score=0.01, proba_cat=0.55, proba_dog=0.45)
    hardly_a_pet = send(neither_score=0.48, proba_cat=0.99, proba_dog=0.01)
    other = send(prediction_result=Answer.NEITHER, neither_score=0.9, proba_cat=0.6, proba_dog=0.4)
    old = send(neither_score=None, proba_cat=0.7, proba_dog=0.3)
    found = queue.waiting(9)
    assert [one.prediction_id for one in found] == [hardly_a_pet, torn, old, other, sure]
    assert [one.probability for one in found] == pytest.approx([0.99 * 0.52, 0.55 * 0.99, 0.7, 0.9, 0.99 * 0.99])
    assert [one.prediction_id for one in queue.waiting(2)] == [hardly_a_pet, torn]


def test_reviewed_photos_are_used_for_training_or_left_out(queue: ReviewQueue, send: Send, database: Settings) -> None:
    photos = {review: send("both") for review in ReviewDecision}
    unseen = send()
    for review, photo in photos.items():
        queue.decide(photo, review)
    assert queue.counts() == {"waiting": 1, "cat": 1, "dog": 1, "neither": 1, "left_out": 1}
    found = feedback_photos(database)
    assert {path.stem: label for path, label in found.labels.items()} == {
        str(photos[ReviewDecision.CAT]): Answer.CAT,
        str(photos[ReviewDecision.DOG]): Answer.DOG,
        str(photos[ReviewDecision.NEITHER]): Answer.NEITHER,
    }
    assert {path.stem for path in found.confirmed} == {str(photos[ReviewDecision.CAT])}, "the answer to all was a cat"
    assert all(found.read(path).startswith(b"\xff\xd8") for path in found.labels)
    assert {path.stem: reason for path, reason in found.left_out.items()} == {
        str(photos[ReviewDecision.LEFT_OUT]): "left out in review",
        str(unseen): "not reviewed yet",
    }


def test_a_review_can_be_changed_and_undone(queue: ReviewQueue, send: Send, database: Settings) -> None:
    photo = send()
    queue.decide(photo, ReviewDecision.CAT)
    queue.decide(photo, ReviewDecision.DOG)
    assert list(feedback_photos(database).labels.values()) == [Answer.DOG]
    queue.decide(photo, None)
    assert feedback_photos(database).labels == {}
    assert [one.prediction_id for one in queue.waiting()] == [photo]


@pytest.mark.parametrize(
    "go",
    [
        lambda service, receipt: service.erase(receipt),
        lambda service, receipt: service.withdraw(receipt, PurposeName.PHOTO),
        lambda service, receipt: service.purge(),
    ],
    ids=["erased", "withdrawn", "purged"],
)
def test_an_erased_photo_is_neither_reviewed_nor_used_for_training(
    go: Callable[[Local, str], object], queue: ReviewQueue, database: Settings, cat_jpeg: bytes
) -> None:
    with Local.open(database) as service:
        outcome = service.predict(cat_jpeg, consent=PHOTO)
        service.give_feedback(outcome.feedback_id, true_label=TrueLabel.DOG)
        queue.decide(outcome.feedback_id, ReviewDecision.DOG)
        assert len(feedback_photos(database).content) == 1
        service._settings = database.model_copy(update={"retention_days": 0})  # for the purge: everything is old
        assert outcome.receipt
        go(service, outcome.receipt)
    assert feedback_photos(database) == FeedbackPhotos()
    with pytest.raises(NotFound, match="erased meanwhile"):
        queue.decide(outcome.feedback_id, ReviewDecision.CAT)


def test_an_unknown_photo_is_not_found(queue: ReviewQueue) -> None:
    with pytest.raises(NotFound):
        queue.decide(uuid4(), ReviewDecision.CAT)


def test_without_a_database_it_raises(database: Settings) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        feedback_photos(database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1}))
