"""Feedback of a person on a prediction: a rating and a label are anonymous, a comment needs consent.

Every feedback is created by :meth:`FeedbackRecord.create`, checked once by :func:`check`, and stored by :func:`apply`:
at once, or from the spool after an outage. What it changes is said in :func:`combine` alone, and the database refuses
a rating that its label contradicts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from catsdogs.database.tables import Tables
from catsdogs.domain import MAX_COMMENT, Answer, TrueLabel, contradict
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput
from catsdogs.records.user_texts import storable


class FeedbackRecord(BaseModel):
    """One feedback; what is ``None`` stays as it was."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    prediction_id: UUID
    given_at: datetime
    user_feedback: Literal[0, 1] | None = None
    user_comment: str | None = None
    """Empty if the comment is to be deleted."""
    true_label: TrueLabel | None = None

    @classmethod
    def create(
        cls,
        prediction_id: UUID,
        user_feedback: int | None,
        user_comment: str | None,
        true_label: str | None,
        *,
        delete_comment: bool = False,
    ) -> Self:
        """Create a record from a form's fields; an empty comment is none.

        Raises
        ------
        InvalidInput
            A field has a wrong value, or all are empty.
        """
        if user_feedback not in (None, 0, 1):
            raise InvalidInput("The rating must be 1 (satisfied) or 0 (not satisfied).")
        comment = storable(user_comment or "").strip() or None
        if comment and len(comment) > MAX_COMMENT:
            raise InvalidInput("The comment is too long: at most {limit} characters.", limit=MAX_COMMENT)
        if comment and delete_comment:
            raise InvalidInput("Either write a comment, or delete it.")
        try:
            label = TrueLabel(true_label) if true_label else None
        except ValueError:
            raise InvalidInput("The label must be cat, dog, both or neither.") from None
        if user_feedback is None and comment is None and label is None and not delete_comment:
            raise InvalidInput("Give a rating, a comment or a label.")
        return cls(
            id=uuid7(),
            prediction_id=prediction_id,
            given_at=datetime.now(UTC),
            user_feedback=None if user_feedback is None else 1 if user_feedback else 0,
            user_comment="" if delete_comment else comment,
            true_label=label,
        )


@dataclass(frozen=True, slots=True)
class KnownPrediction:
    """What is known of a prediction when a feedback on it is checked."""

    answer: Answer
    may_comment: bool
    """Whether the person's consent to keep a comment stands."""


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """Feedback on a prediction as the database has it."""

    rating: int | None = None
    comment: str | None = None
    label: TrueLabel | None = None
    given_at: datetime | None = None
    """When the latest feedback was given."""


def check(record: FeedbackRecord, prediction: KnownPrediction | None) -> None:
    """Check a feedback against its prediction.

    Parameters
    ----------
    prediction
        ``None`` if nothing is known of it, because the database is away.

    Raises
    ------
    ConsentRequired
        There is a comment, and no consent to keep one.
    DatabaseUnavailable
        There is a comment, and it is not known whether there is consent to keep one.
    InvalidInput
        Rating and label contradict each other.
    """
    if record.user_comment:
        if prediction is None:
            raise DatabaseUnavailable(
                "The database cannot be reached, so it is not known whether you agreed to keep your comment. "
                "Try again later, or send the rating alone."
            )
        if not prediction.may_comment:
            raise ConsentRequired("A comment is kept only with your consent. Send the rating alone, or agree first.")
    if prediction is None or not contradict(prediction.answer, record.user_feedback, record.true_label):
        return
    if record.user_feedback:
        raise InvalidInput(
            "You say that the answer is right, and that the photo shows something else. Change one of the two."
        )
    raise InvalidInput("You say that the answer is wrong, and that the photo shows just that. Change one of the two.")


def combine(prediction: KnownPrediction, stored: StoredFeedback, record: FeedbackRecord) -> StoredFeedback:
    """Return the feedback on a prediction after one more record; combining it twice changes nothing.

    - What is not given stays as it was. But a rating replaces the label, too: it sets the label that came with it, or
      clears it if none did, because people see the two as one answer.
    - A feedback that is older than what is stored, from a spool, only fills what is empty. It leaves a label empty that
      the rating may have cleared.
    - If the label then contradicts the rating, the label counts, because it says more: the rating becomes the other
      one. So a label that is sent alone corrects an earlier rating.
    - A comment whose consent was withdrawn since the check is dropped.
    """
    rating, comment, label = stored.rating, stored.comment, stored.label
    may_change = bool(record.user_comment) and prediction.may_comment
    if stored.given_at is None or stored.given_at <= record.given_at:
        if record.user_feedback is not None:
            rating, label = record.user_feedback, record.true_label
        label = record.true_label or label
        comment = record.user_comment if may_change else None if record.user_comment == "" else comment
    else:
        if rating is None:
            rating, label = record.user_feedback, label or record.true_label
        comment = comment or (record.user_comment if may_change else None)
    if rating is not None and contradict(prediction.answer, rating, label):
        rating = 1 - rating
    return StoredFeedback(rating, comment, label, max(record.given_at, stored.given_at or record.given_at))


def check_and_apply(
    connection: sa.Connection, tables: Tables, record: FeedbackRecord, *, apply: bool = True
) -> KnownPrediction | None:
    """Check a feedback on a prediction that is in the database, and store it if `apply` is true.

    Returns
    -------
    KnownPrediction or None
        ``None`` if the prediction is not there.

    Raises
    ------
    ConsentRequired, InvalidInput
        See :func:`check`.
    """
    found = _read(connection, tables, [record.prediction_id])
    if not found:
        return None
    prediction, stored = found[record.prediction_id]
    check(record, prediction)
    if apply:
        _write(connection, tables, {record.prediction_id: combine(prediction, stored, record)})
    return prediction


def apply(connection: sa.Connection, tables: Tables, records: Sequence[FeedbackRecord]) -> None:
    """Store feedbacks that have been checked, in any order; one whose prediction was erased is dropped."""
    found = _read(connection, tables, {record.prediction_id for record in records})
    changed: dict[UUID, StoredFeedback] = {}
    for record in records:
        if record.prediction_id in found:
            prediction, stored = found[record.prediction_id]
            changed[record.prediction_id] = combine(prediction, changed.get(record.prediction_id, stored), record)
    if changed:
        _write(connection, tables, changed)


def _write(connection: sa.Connection, tables: Tables, feedbacks: Mapping[UUID, StoredFeedback]) -> None:
    table = tables.predictions
    connection.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("prediction"))
        .values(
            user_feedback=sa.bindparam("rating"),
            user_comment=sa.bindparam("comment"),
            true_label=sa.bindparam("label"),
            feedback_at=sa.bindparam("given_at"),
        ),
        [{"prediction": identifier, **asdict(feedback)} for identifier, feedback in feedbacks.items()],
    )


def _read(
    connection: sa.Connection, tables: Tables, identifiers: Collection[UUID]
) -> dict[UUID, tuple[KnownPrediction, StoredFeedback]]:
    """Read predictions and the feedback on them, and lock their rows until the transaction ends."""
    table = tables.predictions.c
    query = sa.select(
        table.id,
        table.prediction_result,
        (table.rgpd_consent & table.consent_id.is_not(None)).label("may_comment"),
        table.user_feedback,
        table.user_comment,
        table.true_label,
        table.feedback_at,
    )
    rows = connection.execute(query.where(table.id.in_(identifiers)).order_by(table.id).with_for_update())
    return {
        row.id: (
            KnownPrediction(Answer(row.prediction_result), row.may_comment),
            StoredFeedback(
                row.user_feedback,
                row.user_comment,
                TrueLabel(row.true_label) if row.true_label else None,
                row.feedback_at,
            ),
        )
        for row in rows
    }
