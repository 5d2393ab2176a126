"""What a person says of a prediction: a rating and a label are anonymous, a comment needs consent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from catsdogs.database.tables import Tables
from catsdogs.domain import MAX_COMMENT, Answer, TrueLabel
from catsdogs.errors import ConsentRequired, InvalidInput, NotFound


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
    def of(
        cls, prediction_id: UUID, user_feedback: int | None, user_comment: str | None, true_label: str | None
    ) -> Self:
        """Check what a person said.

        Raises
        ------
        InvalidInput
        """
        if user_feedback not in (None, 0, 1):
            raise InvalidInput("The rating must be 1 (satisfied) or 0 (not satisfied).")
        comment = (user_comment or "").replace("\0", "").encode(errors="replace").decode().strip() or None
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

    def check_against(self, answer: Answer, rating: int | None = None) -> None:
        """Refuse who is satisfied with an answer, and says that the photo shows something else.

        A rating alone is always welcome, whatever was said before.

        Parameters
        ----------
        answer
            Of the prediction.
        rating
            Given earlier; counts where none comes now.

        Raises
        ------
        InvalidInput
        """
        satisfied = (rating if self.user_feedback is None else self.user_feedback) == 1
        if satisfied and self.true_label and not is_right(answer, self.true_label):
            raise InvalidInput(
                "You say that the answer is right, and that the photo shows something else. Change one of the two."
            )


def is_right(answer: Answer, label: TrueLabel) -> bool:
    """Say whether an answer holds for what the photo shows, as :func:`catsdogs.monitoring.accuracy.right` in SQL."""
    if answer is Answer.ERROR:
        return True  # there is none
    return answer.value == label.value or (label is TrueLabel.BOTH and answer is not Answer.NEITHER)


def give(connection: sa.Connection, tables: Tables, record: FeedbackRecord) -> None:
    """Store a feedback on its prediction.

    Raises
    ------
    NotFound
        There is no such prediction.
    ConsentRequired
        It has a comment, and no consent for one stands; nothing is stored.
    InvalidInput
        It contradicts itself, or what was said before.
    """
    table = tables.predictions.c
    query = sa.select(
        (table.rgpd_consent & table.consent_id.is_not(None)).label("allowed"),
        table.prediction_result,
        table.user_feedback,
    ).where(table.id == record.prediction_id)
    prediction = connection.execute(query.with_for_update()).one_or_none()
    if prediction is None:
        raise NotFound("There is no such prediction.")
    if record.user_comment is not None and not prediction.allowed:
        raise comment_refused()
    record.check_against(Answer(prediction.prediction_result), prediction.user_feedback)
    replay(connection, tables, [record])


def replay(connection: sa.Connection, tables: Tables, records: list[FeedbackRecord]) -> None:
    """Store feedbacks that were accepted earlier, in any order, as often as one likes.

    A comment is dropped where no consent stands any longer, a feedback where its prediction was erased.
    One that is older than what is there only fills what is empty.
    """
    table = tables.predictions
    given_at = sa.bindparam("given_at", type_=sa.DateTime(timezone=True))
    newer = table.c.feedback_at.is_(None) | (table.c.feedback_at <= given_at)

    def latest(column: sa.Column[Any], said: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.case((newer, sa.func.coalesce(said, column)), else_=sa.func.coalesce(column, said))

    may_comment = table.c.rgpd_consent & table.c.consent_id.is_not(None)
    rating, comment, label = (
        sa.bindparam(f"said_{name}", type_=table.c[name].type)
        for name in ("user_feedback", "user_comment", "true_label")
    )
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("prediction"))
        .values(
            user_feedback=latest(table.c.user_feedback, rating),
            user_comment=latest(table.c.user_comment, sa.case((may_comment, comment))),
            true_label=latest(table.c.true_label, label),
            feedback_at=sa.func.greatest(table.c.feedback_at, given_at),
        )
    )
    said = [
        {
            "prediction": record.prediction_id,
            "given_at": record.given_at,
            "said_user_feedback": record.user_feedback,
            "said_user_comment": record.user_comment,
            "said_true_label": record.true_label,
        }
        for record in records
    ]
    connection.execute(statement, said)


def comment_refused() -> ConsentRequired:
    """Say why a comment is not kept."""
    return ConsentRequired("A comment is kept only with your consent. Send the rating alone, or agree first.")
