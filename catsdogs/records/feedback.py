"""Feedback of a person on a prediction: a rating and a label are anonymous, a comment needs consent.

Every feedback is created by :meth:`FeedbackRecord.create`, checked once by :func:`check`, and stored by :func:`apply`:
at once, or from the spool after an outage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from catsdogs.database.tables import Tables
from catsdogs.domain import MAX_COMMENT, Answer, TrueLabel, storable
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput


class FeedbackRecord(BaseModel):
    """One feedback; what is ``None`` stays as it was."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    prediction_id: UUID
    given_at: datetime
    user_feedback: Literal[0, 1] | None = None
    user_comment: str | None = None
    true_label: TrueLabel | None = None

    @classmethod
    def create(
        cls, prediction_id: UUID, user_feedback: int | None, user_comment: str | None, true_label: str | None
    ) -> Self:
        """Create a record from a form's fields.

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
        try:
            label = TrueLabel(true_label) if true_label else None
        except ValueError:
            raise InvalidInput("The label must be cat, dog, both or neither.") from None
        if user_feedback is None and comment is None and label is None:
            raise InvalidInput("Give a rating, a comment or a label.")
        return cls(
            id=uuid7(),
            prediction_id=prediction_id,
            given_at=datetime.now(UTC),
            user_feedback=None if user_feedback is None else 1 if user_feedback else 0,
            user_comment=comment,
            true_label=label,
        )


@dataclass(frozen=True, slots=True)
class KnownPrediction:
    """What is known of a prediction when a feedback on it is checked."""

    answer: Answer
    may_comment: bool
    """Whether the person's consent to keep a comment stands."""
    rating: int | None = None
    """Rating given earlier: 1 satisfied, 0 not."""


def check(record: FeedbackRecord, prediction: KnownPrediction | None) -> None:
    """Check a feedback against its prediction.

    A person who is satisfied with an answer cannot label the photo as something else. A rating alone is always
    accepted, whatever label was given before.

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
    if record.user_comment is not None:
        if prediction is None:
            raise DatabaseUnavailable(
                "The database cannot be reached, so it is not known whether you agreed to keep your comment. "
                "Try again later, or send the rating alone."
            )
        if not prediction.may_comment:
            raise ConsentRequired("A comment is kept only with your consent. Send the rating alone, or agree first.")
    if prediction is None or record.true_label is None:
        return
    rating = prediction.rating if record.user_feedback is None else record.user_feedback
    if rating == 1 and not is_right(prediction.answer, record.true_label):
        raise InvalidInput(
            "You say that the answer is right, and that the photo shows something else. Change one of the two."
        )


def is_right(answer: Answer, label: TrueLabel) -> bool:
    """Return whether an answer agrees with a label, as :func:`catsdogs.monitoring.accuracy.is_right` does in SQL."""
    if answer is Answer.ERROR:
        return True  # there is none
    return answer.value == label.value or (label is TrueLabel.BOTH and answer is not Answer.NEITHER)


def find_prediction(connection: sa.Connection, tables: Tables, identifier: UUID) -> KnownPrediction | None:
    """Read what a feedback is checked against, and lock the row until the transaction ends."""
    table = tables.predictions.c
    query = sa.select(table.prediction_result, _may_comment(tables).label("may_comment"), table.user_feedback)
    row = connection.execute(query.where(table.id == identifier).with_for_update()).one_or_none()
    return row and KnownPrediction(Answer(row.prediction_result), row.may_comment, row.user_feedback)


def apply(connection: sa.Connection, tables: Tables, records: list[FeedbackRecord]) -> None:
    """Store feedbacks that have been checked, in any order; storing one twice changes nothing.

    A comment is dropped if its consent was withdrawn since the check, a feedback if its prediction was erased.
    A feedback that is older than what is stored only fills empty columns.
    """
    table = tables.predictions
    given_at = sa.bindparam("given_at", type_=sa.DateTime(timezone=True))
    newer = table.c.feedback_at.is_(None) | (table.c.feedback_at <= given_at)

    def latest(column: sa.Column[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.case((newer, sa.func.coalesce(value, column)), else_=sa.func.coalesce(column, value))

    rating, comment, label = (
        sa.bindparam(f"new_{name}", type_=table.c[name].type)
        for name in ("user_feedback", "user_comment", "true_label")
    )
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("prediction"))
        .values(
            user_feedback=latest(table.c.user_feedback, rating),
            user_comment=latest(table.c.user_comment, sa.case((_may_comment(tables), comment))),
            true_label=latest(table.c.true_label, label),
            feedback_at=sa.func.greatest(table.c.feedback_at, given_at),
        )
    )
    parameters = [
        {
            "prediction": record.prediction_id,
            "given_at": record.given_at,
            "new_user_feedback": record.user_feedback,
            "new_user_comment": record.user_comment,
            "new_true_label": record.true_label,
        }
        for record in records
    ]
    connection.execute(statement, parameters)


def _may_comment(tables: Tables) -> sa.ColumnElement[bool]:
    table = tables.predictions.c
    return table.rgpd_consent & table.consent_id.is_not(None)
