"""Ratings are anonymous and always accepted, comments need consent, older feedback does not replace newer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from catsdogs.domain import Answer, Consent, TrueLabel, contradict
from catsdogs.errors import ConsentRequired, InvalidInput, NotFound
from catsdogs.monitoring.accuracy import is_right
from catsdogs.records.feedback import FeedbackRecord, KnownPrediction, StoredFeedback, apply, check, combine
from catsdogs.records.predictions import PredictionRecord
from tests.rows import make_row
from tests.storage import Storage
from tests.waiting import until

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


def test_one_rule_says_which_rating_a_label_contradicts(storage: Storage) -> None:
    """The check of a feedback, the constraint of the database, and the accuracy in SQL agree."""
    for answer, label, rating in product(Answer, TrueLabel, (0, 1)):
        row = make_row(prediction_result=answer.value, user_feedback=rating) | {"true_label": label.value}
        forbidden = contradict(answer, rating, label)
        with pytest.raises(InvalidInput) if forbidden else nullcontext():
            check(FeedbackRecord.create(row["id"], rating, None, label), KnownPrediction(answer, False))
        with storage.database.engine.connect() as connection:
            with pytest.raises(IntegrityError) if forbidden else nullcontext():
                connection.execute(sa.insert(storage.database.tables.predictions), row)
            connection.rollback()
            values = {name: row[name] for name in ("prediction_result", "true_label", "user_feedback")}
            judged = sa.select(*(sa.literal(value).label(name) for name, value in values.items())).subquery()
            right = connection.scalar(sa.select(is_right(judged)))
        assert forbidden == (right is not None and right != rating and (label, rating) != (TrueLabel.BOTH, 0))


def test_a_contradiction_is_refused_with_all_that_came_with_it(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    identifier = stored(Consent(True))
    for rating, label in ((1, "dog"), (1, "neither"), (0, "cat")):
        with pytest.raises(InvalidInput, match="Change one of the two"):
            storage.writer.store_feedback(FeedbackRecord.create(identifier, rating, "It is my dog", label))
        assert stored_feedback(identifier) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([(0, None), (0, "neither"), (0, None), (1, None)], (1, None)),
        ([(0, None), (0, "dog"), (1, None), (0, None)], (0, None)),
        ([(0, "dog"), (1, "cat")], (1, "cat")),
        ([(1, None), (0, "both")], (0, "both")),
        ([(0, None), (None, "dog")], (0, "dog")),
        ([(1, None), (None, "dog")], (0, "dog")),
        ([(0, None), (None, "cat")], (1, "cat")),
        ([(1, None), (None, "both")], (1, "both")),
        ([(None, "dog"), (1, None)], (1, None)),
        ([(None, "dog")], (None, "dog")),
    ],
)
@pytest.mark.parametrize("way", ["live", "spool", "spool in one transaction", "live after the spool"])
def test_the_last_word_counts_whatever_was_said_before(
    storage: Storage,
    stored: Store,
    stored_feedback: FindFeedback,
    way: str,
    said: list[tuple[int | None, str | None]],
    kept: tuple[int | None, str | None],
) -> None:
    identifier = stored(Consent())
    storage.replayer.close()
    for number, (rating, label) in enumerate(said):
        record = FeedbackRecord.create(identifier, rating, None, label)
        if way == "live" or (way == "live after the spool" and number == len(said) - 1):
            storage.writer.store_feedback(record)
        else:
            storage.spool.put_feedback(record)
        if way == "spool":
            storage.replayer.replay()
    storage.replayer.replay()
    assert stored_feedback(identifier) == (kept[0], None, kept[1])
    assert not (storage.spool.folder / "damaged").exists()


def test_what_is_said_live_waits_behind_the_spool(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    """Stored at once, the comment would make both ratings old ones, of which the first one would count."""
    identifier = stored(Consent(True))
    storage.replayer.close()
    for rating, label in ((0, "dog"), (1, None)):
        storage.spool.put_feedback(FeedbackRecord.create(identifier, rating, None, label))
    assert storage.writer.store_feedback(FeedbackRecord.create(identifier, None, "mine", None)) is False
    assert storage.replayer.replay() == 3
    assert stored_feedback(identifier) == (1, "mine", None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 0, 1]), st.sampled_from(["", "dog", "cat", "both"]), st.sampled_from(["", "x"])
        ),
        min_size=1,
        max_size=4,
    ).filter(lambda said: all(any((rating is not None, label, comment)) for rating, label, comment in said)),
    st.sampled_from([answer for answer in Answer if answer is not Answer.ERROR]),
)
def test_in_no_order_is_a_contradiction_stored_or_the_last_rating_lost(
    said: list[tuple[int | None, str, str]], answer: Answer
) -> None:
    """Records of several spools may arrive in any order, and more than once."""
    start = datetime.now(UTC)
    records = [
        FeedbackRecord.create(uuid7(), rating, comment, label).model_copy(
            update={"given_at": start + timedelta(seconds=second)}
        )
        for second, (rating, label, comment) in enumerate(said)
    ]
    prediction = KnownPrediction(answer, True)
    for order in permutations(records):
        feedback = StoredFeedback()
        for record in (*order, order[0]):
            feedback = combine(prediction, feedback, record)
            assert not contradict(answer, feedback.rating, feedback.label)
        assert (feedback.rating is not None) == any(rating is not None for rating, _, _ in said)
        assert feedback.given_at == records[-1].given_at
        last = records[-1]
        if last.user_feedback is not None:
            assert feedback.label == last.true_label
            assert contradict(answer, last.user_feedback, last.true_label) or feedback.rating == last.user_feedback
        assert not last.true_label or feedback.label == last.true_label


def test_a_contradiction_that_was_accepted_once_does_not_block_the_spool(
    storage: Storage, stored: Store, stored_feedback: FindFeedback
) -> None:
    """Nothing was known of the prediction when it was accepted; the label says more than the rating."""
    identifier, other = stored(Consent()), stored(Consent())
    storage.replayer.close()
    for record in (FeedbackRecord.create(identifier, 1, None, "dog"), FeedbackRecord.create(other, 1, None, None)):
        storage.spool.put_feedback(record)
    assert storage.replayer.replay() == 2
    assert stored_feedback(identifier) == (0, None, "dog")
    assert stored_feedback(other) == (1, None, None)


def test_a_comment_is_deleted_only_on_purpose(storage: Storage, stored: Store, stored_feedback: FindFeedback) -> None:
    identifier = stored(Consent(True))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 1, "mine", None))
    storage.writer.store_feedback(FeedbackRecord.create(identifier, 0, " ", None))
    assert stored_feedback(identifier) == (0, "mine", None)
    storage.writer.store_feedback(FeedbackRecord.create(identifier, None, None, None, delete_comment=True))
    assert stored_feedback(identifier) == (0, None, None)
    storage.writer.store_feedback(FeedbackRecord.create(identifier, None, "again", None))
    deletion = FeedbackRecord.create(identifier, 1, "", None, delete_comment=True)
    storage.spool.put_feedback(deletion)
    storage.replayer.wake()
    until(lambda: storage.is_idle)
    assert stored_feedback(identifier) == (1, None, None)
    with pytest.raises(InvalidInput, match="Either"):
        FeedbackRecord.create(identifier, None, "text", None, delete_comment=True)


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
    assert stored_feedback(identifier) == (1, "It is a dog", None), "but a rating replaces the label"


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
