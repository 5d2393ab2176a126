"""The review of photos that were kept with consent and labelled by people: no model learns from an unreviewed one.

Who says that an answer is right labels the photo, too: with that answer. Without these photos, a model would learn only
from the ones that were hard, and its mistakes.

The photos stay in the database: a training holds them in memory only, so that nothing remains of an erased photo.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database, setup
from catsdogs.database.probabilities import animal_and_neither, answer_probability
from catsdogs.database.tables import Tables
from catsdogs.domain import Answer, PhotoToReview, ReviewDecision, TrueLabel
from catsdogs.errors import NotFound
from catsdogs.model import preprocessing
from catsdogs.settings import Settings

WAITING = "waiting"
"""Key of :meth:`ReviewQueue.counts` for photos that are not reviewed yet."""


@dataclass(frozen=True)
class FeedbackPhotos:
    """Photos that people's feedback adds to a training, under paths that are not files."""

    content: dict[Path, bytes] = field(default_factory=dict)
    """Photos, as JPEG."""
    labels: dict[Path, Answer] = field(default_factory=dict)
    """Labels of these photos, as reviewed."""
    confirmed: set[Path] = field(default_factory=set)
    """Those of `content` whose answer was right, by the review; of the others, it was not."""
    left_out: dict[Path, str] = field(default_factory=dict)
    """Reason why each other photo is left out."""

    def read(self, path: Path) -> bytes:
        """Read one of these photos, or a file.

        Raises
        ------
        InvalidImage
        """
        return self.content[path] if path in self.content else preprocessing.read_file(path)


class ReviewQueue:
    """Photos to review, and the decisions on them. For operators and analysts only: it shows people's photos.

    Parameters
    ----------
    database
        A database that has been set up; closed by :meth:`close`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """Open the queue in the database of `settings`, by default those of the environment.

        Raises
        ------
        SettingsError, DatabaseError
        """
        database = Database(settings or Settings.load())
        setup.ensure(database)
        return cls(database)

    def close(self) -> None:
        """Disconnect from the database; the embedded server stops with its last user."""
        self._database.close()

    def waiting(self, limit: int = 1) -> list[PhotoToReview]:
        """List photos that nobody has reviewed yet, least confident predictions first.

        These are the ones whose most probable of three outcomes (cat, dog, neither) is least probable: "least
        confident" sampling, Lewis and Gale 1994, https://arxiv.org/abs/cmp-lg/9407020.

        Raises
        ------
        DatabaseError
        """
        tables = self._database.tables
        photo, prediction = tables.photos.c, tables.predictions.c
        animal, neither = animal_and_neither(tables.predictions)
        query = (
            sa.select(
                photo.prediction_id,
                photo.jpeg,
                prediction.prediction_result,
                answer_probability(tables.predictions),
                prediction.model_version,
                _label_of(tables),
            )
            .select_from(_waiting(tables))
            .order_by(sa.func.greatest(neither, animal), photo.prediction_id)
            .limit(limit)
        )
        rows = self._database.run(lambda connection: connection.execute(query).all())
        return [
            PhotoToReview(identifier, jpeg, Answer(answer), probability, version, TrueLabel(said))
            for identifier, jpeg, answer, probability, version, said in rows
        ]

    def decide(self, photo: UUID, review: ReviewDecision | None) -> None:
        """Store the decision on a photo; ``None`` puts it back into the queue.

        Parameters
        ----------
        photo
            Identifier of its prediction.

        Raises
        ------
        NotFound
            The photo was erased, or the consent to keep it withdrawn.
        DatabaseError
        """
        table = self._database.tables.photos
        change = (
            sa.update(table)
            .where(table.c.prediction_id == photo)
            .values(review=review, reviewed_at=review and datetime.now(UTC))
        )
        if not self._database.run(lambda connection: connection.execute(change).rowcount):
            raise NotFound("This photo was erased meanwhile.")

    def counts(self) -> dict[str, int]:
        """Count the photos to review (`WAITING`), and those with each :class:`catsdogs.domain.ReviewDecision`.

        Raises
        ------
        DatabaseError
        """
        tables = self._database.tables
        waiting = sa.select(sa.func.count()).select_from(_waiting(tables))
        reviewed = (
            sa.select(tables.photos.c.review, sa.func.count())
            .where(tables.photos.c.review.is_not(None))
            .group_by(tables.photos.c.review)
        )

        def count(connection: sa.Connection) -> dict[str, int]:
            found = {str(review): int(n) for review, n in connection.execute(reviewed)}
            return {WAITING: int(connection.scalar(waiting) or 0)} | {
                str(one): found.get(one, 0) for one in ReviewDecision
            }

        return self._database.run(count)

    def for_training(self) -> FeedbackPhotos:
        """Read the reviewed photos and their labels, and list those that are left out.

        Raises
        ------
        DatabaseError
        """
        tables = self._database.tables
        photo = tables.photos.c
        labelled = (
            sa.select(
                photo.prediction_id,
                photo.review,
                photo.jpeg,
                tables.predictions.c.prediction_result == photo.review,
            )
            .join_from(tables.photos, tables.predictions, photo.prediction_id == tables.predictions.c.id)
            .where(photo.review != ReviewDecision.LEFT_OUT)
            .order_by(photo.prediction_id)
        )
        left_out = sa.select(photo.prediction_id).where(photo.review == ReviewDecision.LEFT_OUT)
        waiting = sa.select(photo.prediction_id).select_from(_waiting(tables))

        def read(connection: sa.Connection) -> FeedbackPhotos:
            found = FeedbackPhotos()
            for identifier, review, jpeg, is_confirmed in connection.execute(labelled):
                name = _name(identifier)
                found.content[name] = jpeg
                found.labels[name] = Answer(str(review))
                if is_confirmed:
                    found.confirmed.add(name)
            for query, reason in ((left_out, "left out in review"), (waiting, "not reviewed yet")):
                found.left_out.update((_name(identifier), reason) for identifier in connection.scalars(query))
            return found

        return self._database.run(read)


def feedback_photos(settings: Settings) -> FeedbackPhotos:
    """Read the photos that people's feedback adds to a training, see :meth:`ReviewQueue.for_training`.

    Raises
    ------
    SettingsError, DatabaseError
    """
    queue = ReviewQueue.open(settings)
    try:
        return queue.for_training()
    finally:
        queue.close()


def _label_of(tables: Tables) -> sa.ColumnElement[str | None]:
    """Return the label that a person gave: in words, or by saying that the answer is right."""
    prediction = tables.predictions.c
    is_confirmed = (prediction.user_feedback == 1) & (prediction.prediction_result != Answer.ERROR)
    return sa.func.coalesce(prediction.true_label, sa.case((is_confirmed, prediction.prediction_result)))


def _waiting(tables: Tables) -> sa.FromClause:
    """Join the photos to review with their predictions."""
    photo = tables.photos.c
    same = photo.prediction_id == tables.predictions.c.id
    return tables.photos.join(tables.predictions, same & photo.review.is_(None) & _label_of(tables).is_not(None))


def _name(prediction: UUID) -> Path:
    return Path("feedback", f"{prediction}.jpg")
