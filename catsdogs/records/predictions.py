"""The record of a prediction: always its figures, and what the person's consent allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import ClassVar, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from catsdogs.database.rules import MAX_FILENAME
from catsdogs.database.tables import Tables
from catsdogs.domain import UNKNOWN_CONTROLLER, Answer, Consent, DataController, Prediction, PurposeName
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.records.consents import ConsentRecord, PhotoRecord
from catsdogs.records.user_texts import storable


class PredictionRecord(BaseModel):
    """A row of predictions, with the consent and the photo that belong to it.

    Its identifier is created here and not by the database, so that storing it twice has the effect of storing it once.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    timestamp: datetime
    success: bool
    prediction_result: Answer
    model_version: str | None = None
    inference_time_ms: float | None = None
    proba_cat: float | None = None
    proba_dog: float | None = None
    neither_score: float | None = None
    width: int | None = None
    height: int | None = None
    brightness: float | None = None
    sharpness: float | None = None
    error_type: str | None = None
    filename: str | None = None
    decision: ConsentRecord | None = None
    """The latest decision."""
    earlier_decisions: tuple[ConsentRecord, ...] | None = None
    """Decisions that the latest one replaced while this record waited in the spool."""
    photo: PhotoRecord | None = None
    replaces: UUID | None = None
    """An anonymous prediction of the same photo, which is deleted when this one is stored.

    Only an older version wrote it: there, a person who consented later got a second prediction. A spool that was filled
    before an update may still hold such records.
    """

    @property
    def rgpd_consent(self) -> bool:
        """Whether file name and comment may be kept."""
        return self.decision is not None and self.decision.filename_and_comment

    def without(self, purposes: Collection[PurposeName], moment: datetime) -> Self:
        """Return the record with consent to these purposes withdrawn, without what was kept with it."""
        earlier = self.earlier_decisions
        changed: dict[str, object] = {
            "decision": self.decision and self.decision.without(purposes, moment),
            "earlier_decisions": earlier and tuple(one.without(purposes, moment) for one in earlier),
        }
        if PurposeName.FILENAME_AND_COMMENT in purposes:
            changed["filename"] = None
        if PurposeName.PHOTO in purposes:
            changed["photo"] = None
        return self.model_copy(update=changed)

    @classmethod
    def create(
        cls,
        prediction: Prediction,
        statistics: ImageStatistics,
        *,
        photo: bytes,
        filename: str | None,
        consent: Consent,
        new_receipt: str | None = None,
        controller: DataController = UNKNOWN_CONTROLLER,
    ) -> tuple[Self, str | None]:
        """Create the record of a prediction, with what `consent` allows.

        Parameters
        ----------
        new_receipt
            Receipt code that the client chose; by default, a new one.

        Returns
        -------
        PredictionRecord
        str or None
            The receipt code, if there is consent to anything.
        """
        now = datetime.now(UTC)
        decision, receipt = None, None
        if consent.any:
            decision, receipt = ConsentRecord.create(consent, now, controller, new_receipt)
        record = cls(
            id=uuid7(),
            timestamp=now,
            success=True,
            prediction_result=prediction.answer,
            model_version=prediction.model_version,
            inference_time_ms=prediction.inference_time_ms,
            proba_cat=_clip(prediction.proba_cat),
            proba_dog=_clip(prediction.proba_dog),
            neither_score=_clip(prediction.neither_score),
            width=statistics.width,
            height=statistics.height,
            brightness=_clip(statistics.brightness),
            sharpness=statistics.sharpness,
            filename=basename(filename) if consent.filename_and_comment else None,
            decision=decision,
            photo=PhotoRecord.create(photo) if consent.photo else None,
        )
        return record, receipt

    @classmethod
    def of_failure(cls, error: Exception, model_version: str) -> Self:
        """Create the record of a photo without an answer; it holds only the kind of error, nothing personal."""
        return cls(
            id=uuid7(),
            timestamp=datetime.now(UTC),
            success=False,
            prediction_result=Answer.ERROR,
            model_version=model_version,
            error_type=type(error).__name__,
        )


def store(connection: sa.Connection, tables: Tables, records: Sequence[PredictionRecord]) -> list[PredictionRecord]:
    """Insert records that are not stored yet, and delete the anonymous predictions that they replace.

    Returns
    -------
    list of PredictionRecord
        Those that were stored already; their rows stay as they are.
    """
    decisions = [one for record in records for one in (*(record.earlier_decisions or ()), record.decision) if one]
    insert_missing(connection, tables.consents, [decision.model_dump() for decision in decisions])
    predictions = [
        record.model_dump(exclude={"decision", "earlier_decisions", "photo", "replaces"})
        | {"rgpd_consent": record.rgpd_consent, "consent_id": record.decision.id if record.decision else None}
        for record in records
    ]
    inserted = insert_missing(connection, tables.predictions, predictions)
    insert_missing(
        connection,
        tables.photos,
        [
            record.photo.model_dump()
            | {"prediction_id": record.id, "consent_id": record.decision.id, "photo_consent": record.decision.photo}
            for record in records
            if record.photo and record.decision and record.id in inserted
        ],
    )
    if replaced := [record.replaces for record in records if record.replaces]:
        table = tables.predictions
        connection.execute(
            sa.delete(table).where(table.c.id.in_(replaced), table.c.consent_id.is_(None), table.c.success)
        )
    return [record for record in records if record.id not in inserted]


def insert_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> set[UUID]:
    """Insert rows that are not in a table yet; return the first part of their primary keys."""
    if not rows:
        return set()
    # With RETURNING, SQLAlchemy sends many rows in one statement; with ON CONFLICT alone, one by one.
    statement = insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))
    return set(connection.scalars(statement, rows))


def _clip(value: float) -> float:
    """Clip a value to 0..1, which rounding in single precision may exceed."""
    return min(1.0, max(0.0, value))


def basename(filename: str | None) -> str | None:
    """Remove folders from a file name, and characters that PostgreSQL cannot store."""
    if filename is None:
        return None
    return PurePosixPath(storable(filename).replace("\\", "/")).name[:MAX_FILENAME] or None
