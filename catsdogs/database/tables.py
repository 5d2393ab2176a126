"""The tables, and the constraints that PostgreSQL itself enforces.

A prediction is anonymous unless it refers to a row of `consents`. The foreign keys contain the purpose beside the
identifier, so that consent does not depend on the program alone: PostgreSQL refuses a file name, a comment or a photo
without consent, and refuses to withdraw a purpose as long as what was kept for it is still stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    Uuid,
    func,
)

from catsdogs.database.alert_tables import AlertColumns, AlertMessageColumns, AlertValueColumns, alert_tables
from catsdogs.database.rules import MAX_PHOTO_SIDE, bounds, prediction_rules


class PredictionColumns(TypedColumns):
    """One prediction, and the feedback on it."""

    id: Named[UUID] = Column(Uuid, primary_key=True)
    timestamp: Named[datetime] = Column(DateTime(timezone=True))
    created_at: Named[datetime] = Column(DateTime(timezone=True), server_default=func.now())
    inference_time_ms: Named[float | None] = Column(Double)
    success: Named[bool]
    prediction_result: Named[str] = Column(Text)
    proba_cat: Named[float | None] = Column(Double)
    proba_dog: Named[float | None] = Column(Double)
    neither_score: Named[float | None] = Column(Double)
    rgpd_consent: Named[bool]
    filename: Named[str | None] = Column(Text)
    user_feedback: Named[int | None] = Column(SmallInteger)
    user_comment: Named[str | None] = Column(Text)
    true_label: Named[str | None] = Column(Text)
    feedback_at: Named[datetime | None] = Column(DateTime(timezone=True))
    model_version: Named[str | None] = Column(Text)
    error_type: Named[str | None] = Column(Text)
    width: Named[int | None] = Column(Integer)
    height: Named[int | None] = Column(Integer)
    brightness: Named[float | None] = Column(Double)
    sharpness: Named[float | None] = Column(Double)
    consent_id: Named[UUID | None] = Column(Uuid)


class ConsentColumns(TypedColumns):
    """One decision of one person about one photo. Of the receipt code, only the SHA-256 is stored.

    A person who decides again gets another row with the same receipt; the prediction then refers to the new one.
    """

    id: Named[UUID] = Column(Uuid, primary_key=True)
    filename_and_comment: Named[bool]
    photo: Named[bool]
    text_version: Named[str] = Column(Text)
    text_hash: Named[str] = Column(Text)
    language: Named[str] = Column(Text)
    how: Named[str] = Column(Text)
    decided_at: Named[datetime] = Column(DateTime(timezone=True))
    receipt_hash: Named[str] = Column(Text)
    withdrawn_at: Named[datetime | None] = Column(DateTime(timezone=True))


class PhotoColumns(TypedColumns):
    """One photo kept for training: JPEG, small, without metadata."""

    prediction_id: Named[UUID] = Column(Uuid, primary_key=True)
    consent_id: Named[UUID] = Column(Uuid)
    photo_consent: Named[bool]
    jpeg: Named[bytes] = Column(LargeBinary)
    width: Named[int] = Column(Integer)
    height: Named[int] = Column(Integer)
    created_at: Named[datetime] = Column(DateTime(timezone=True), server_default=func.now())
    review: Named[str | None] = Column(Text)
    reviewed_at: Named[datetime | None] = Column(DateTime(timezone=True))


class RollUpColumns(TypedColumns):
    """Aggregates of one hour or day of predictions, by model version and answer; see :mod:`catsdogs.database.roll_ups`.

    `model_version` is empty if it is not known. `milliseconds` is the sum of the inference times; `counts` holds the
    number of times in each of `bins`.
    """

    hours: Named[int] = Column(SmallInteger, primary_key=True, autoincrement=False)
    start: Named[datetime] = Column(DateTime(timezone=True), primary_key=True)
    model_version: Named[str] = Column(Text, primary_key=True)
    prediction_result: Named[str] = Column(Text, primary_key=True)
    predictions: Named[int] = Column(Integer)
    consents: Named[int] = Column(Integer)
    satisfied: Named[int] = Column(Integer)
    unsatisfied: Named[int] = Column(Integer)
    milliseconds: Named[float | None] = Column(Double)
    fastest: Named[float | None] = Column(Double)
    slowest: Named[float | None] = Column(Double)
    bins: Named[list[int] | None] = Column(ARRAY(SmallInteger))
    counts: Named[list[int] | None] = Column(ARRAY(Integer))


class StaleHourColumns(TypedColumns):
    """An hour whose predictions changed since its roll-up was computed; several rows may hold the same hour."""

    start: Named[datetime] = Column(DateTime(timezone=True))


class ErasedReceiptColumns(TypedColumns):
    """A receipt under which everything was erased: a record that still waits elsewhere must not bring it back."""

    receipt_hash: Named[str] = Column(Text, primary_key=True)
    erased_at: Named[datetime] = Column(DateTime(timezone=True), server_default=func.now())


@dataclass(frozen=True)
class Tables:
    """The tables of one database."""

    metadata: MetaData
    predictions: Table[PredictionColumns]
    consents: Table[ConsentColumns]
    photos: Table[PhotoColumns]
    alerts: Table[AlertColumns]
    alert_values: Table[AlertValueColumns]
    alert_messages: Table[AlertMessageColumns]
    roll_ups: Table[RollUpColumns]
    stale_hours: Table[StaleHourColumns]
    erased_receipts: Table[ErasedReceiptColumns]


@cache
def tables(name: str) -> Tables:
    """Describe the tables.

    Parameters
    ----------
    name
        Name of the table of predictions (setting ``DB_TABLE_MONITORING``).
    """
    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pkey", "uq": "%(table_name)s_%(column_0_N_name)s_key"})
    return Tables(
        metadata,
        _predictions_table(name, metadata),
        _consents_table(metadata),
        _photos_table(name, metadata),
        *alert_tables(metadata),
        *_roll_up_tables(name, metadata),
        _erased_receipts_table(metadata),
    )


def _consents_table(metadata: MetaData) -> Table[ConsentColumns]:
    return Table(
        "consents",
        metadata,
        ConsentColumns,
        UniqueConstraint("id", "filename_and_comment"),
        UniqueConstraint("id", "photo"),
        CheckConstraint("filename_and_comment OR photo OR withdrawn_at IS NOT NULL", "agrees_to_something"),
        CheckConstraint("text_hash ~ '^[0-9a-f]{64}$'", "text_hash_sha256"),
        CheckConstraint("receipt_hash ~ '^[0-9a-f]{64}$'", "receipt_hash_sha256"),
        CheckConstraint("language ~ '^[a-z]{2}$'", "language_code"),
        CheckConstraint("how IN ('app', 'rest', 'cli', 'unknown')", "how_known"),
        *bounds("decided_at", "withdrawn_at"),
        Index("consents_decided_at", "decided_at"),
        Index("consents_receipt_hash", "receipt_hash"),
    )


def _predictions_table(name: str, metadata: MetaData) -> Table[PredictionColumns]:
    return Table(
        name,
        metadata,
        PredictionColumns,
        UniqueConstraint("id", "consent_id", name=f"{name}_with_consent"),
        # A withdrawal changes rgpd_consent here too; the checks below then refuse what should have been removed.
        ForeignKeyConstraint(
            ["consent_id", "rgpd_consent"],
            ["consents.id", "consents.filename_and_comment"],
            "consent",
            onupdate="CASCADE",
        ),
        *prediction_rules(),
        Index(f"{name}_timestamp", "timestamp"),
        Index(f"{name}_version", "model_version", "timestamp"),
        Index(f"{name}_feedback", "timestamp", postgresql_where="user_feedback IS NOT NULL"),
        Index(f"{name}_label", "timestamp", postgresql_where="true_label IS NOT NULL"),
        Index(f"{name}_consent", "consent_id", postgresql_where="consent_id IS NOT NULL"),
    )


def _photos_table(name: str, metadata: MetaData) -> Table[PhotoColumns]:
    return Table(
        "photos",
        metadata,
        PhotoColumns,
        ForeignKeyConstraint(["consent_id", "photo_consent"], ["consents.id", "consents.photo"], "consent"),
        # A new decision about the prediction changes consent_id here, too; the key above then asks that it allows this.
        ForeignKeyConstraint(
            ["prediction_id", "consent_id"],
            [f"{name}.id", f"{name}.consent_id"],
            "prediction",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        CheckConstraint("photo_consent", "photo_needs_consent"),
        CheckConstraint(f"width BETWEEN 1 AND {MAX_PHOTO_SIDE} AND height BETWEEN 1 AND {MAX_PHOTO_SIDE}", "small"),
        CheckConstraint("review IN ('cat', 'dog', 'neither', 'left_out')", "review"),
        CheckConstraint("(review IS NULL) = (reviewed_at IS NULL)", "review_has_time"),
        *bounds("created_at", "reviewed_at"),
        Index("photos_consent_id", "consent_id"),
    )


def _roll_up_tables(name: str, metadata: MetaData) -> tuple[Table[RollUpColumns], Table[StaleHourColumns]]:
    hour_or_day = CheckConstraint("hours IN (1, 24)", "hour_or_day")
    return (
        Table(f"{name}_summary", metadata, RollUpColumns, hour_or_day, *bounds("start")),
        Table(f"{name}_stale", metadata, StaleHourColumns, *bounds("start")),
    )


def _erased_receipts_table(metadata: MetaData) -> Table[ErasedReceiptColumns]:
    return Table(
        "erased_receipts",
        metadata,
        ErasedReceiptColumns,
        CheckConstraint("receipt_hash ~ '^[0-9a-f]{64}$'", "receipt_hash_sha256"),
    )
