"""A person's new decision about a prediction that is recorded already; nothing is predicted again.

Rating and label stay. What the new decision allows is added, and what it no longer allows is removed, as a withdrawal
removes it. Each decision is a row of ``consents``; all decisions about a prediction have the same receipt code.

A change is applied to a row of the database (:func:`apply`), or to a record that waits in the spool
(:func:`change_record`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database.tables import Tables
from catsdogs.domain import UNKNOWN_CONTROLLER, Answer, Consent, DataController, PurposeName
from catsdogs.errors import Conflict, InvalidInput, NotFound, ReceiptRefused
from catsdogs.i18n import N_
from catsdogs.records import erased_receipts
from catsdogs.records.consents import ConsentRecord, PhotoRecord, hash_receipt
from catsdogs.records.feedback import KnownPrediction
from catsdogs.records.predictions import PredictionRecord, basename, insert_missing
from catsdogs.records.withdrawals import lock_decisions, remove_what_was_kept

RECEIPT_IN_USE = N_("This receipt code is in use already. Choose a new one for each photo.")


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """One change of a consent."""

    prediction_id: UUID
    moment: datetime
    receipt: str | None
    """Receipt code under which the decision is kept; ``None`` where nothing was agreed to, now or before."""
    proves_receipt: bool
    """Whether the person sent the receipt code of earlier decisions; otherwise it is a new one."""
    decision: ConsentRecord | None
    """``None`` if the person agrees to nothing."""
    filename: str | None = None
    photo: PhotoRecord | None = None
    known: frozenset[PurposeName] | None = None
    """Purposes that the person agreed to before, as they know it; ``None`` if they did not say."""

    @classmethod
    def create(
        cls,
        prediction_id: UUID,
        consent: Consent,
        *,
        filename: str | None,
        photo: bytes | None,
        receipt: str | None,
        new_receipt: str | None = None,
        known: Consent | None = None,
        controller: DataController = UNKNOWN_CONTROLLER,
    ) -> Self:
        """Create the change from a person's decision, with no more than the decision allows.

        Parameters
        ----------
        receipt
            Receipt code of the earlier decisions, as the person sent it.
        new_receipt
            Receipt code of a first decision, if the client chose one; by default, a new one.
        known
            Decision that the person knows of.

        Raises
        ------
        InvalidImage
        """
        now = datetime.now(UTC)
        code, decision = receipt or new_receipt, None
        if consent.any:
            decision, code = ConsentRecord.create(consent, now, controller, code)
        return cls(
            prediction_id,
            now,
            code,
            bool(receipt),
            decision,
            basename(filename) if consent.filename_and_comment else None,
            PhotoRecord.create(photo) if photo is not None and consent.photo else None,
            None if known is None else _purposes(known),
        )

    def allows(self, purpose: PurposeName) -> bool:
        """Return whether the person agrees to a purpose."""
        return self.decision is not None and bool(getattr(self.decision, purpose))


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is decided about a prediction before a change."""

    decision: UUID | None
    receipt_hash: str | None
    changed_at: datetime | None
    """When it was decided, or withdrawn by receipt code."""
    purposes: frozenset[PurposeName]
    has_photo: bool
    answer: Answer


def apply(connection: sa.Connection, tables: Tables, change: ConsentChange) -> KnownPrediction | None:
    """Apply a change to the database; applying it twice has the effect of applying it once.

    Returns
    -------
    KnownPrediction or None
        What is known of the prediction now; ``None`` if it is not in the database.

    Raises
    ------
    NotFound, InvalidInput
        The receipt code is wrong, missing or in use, or the photo is missing.
    Conflict
        Another decision stands than the person knows of.
    """
    # before the prediction's row, as a withdrawal does: two that wait for each other would both fail
    receipt_hash = hash_receipt(change.receipt) if change.receipt else None
    mine = lock_decisions(connection, tables, receipt_hash) if receipt_hash else []
    standing = _find(connection, tables, change.prediction_id)
    if standing is None:
        return None
    _check_receipt(standing.receipt_hash, change)
    if (
        receipt_hash
        and standing.receipt_hash is None
        and (mine or erased_receipts.find(connection, tables, [receipt_hash]))
    ):
        raise ReceiptRefused(RECEIPT_IN_USE)
    _update(connection, tables, mine, standing, change)
    return KnownPrediction(standing.answer, change.allows(PurposeName.FILENAME_AND_COMMENT))


def apply_spooled(connection: sa.Connection, tables: Tables, record: PredictionRecord) -> None:
    """Bring a prediction that is stored already to the decision of its spooled record, if that is the later one.

    The two differ when a crash left the record in the spool after it had been stored, and the person decided again
    while the database was away.
    """
    decision = record.decision
    if decision is None:
        return
    mine = lock_decisions(connection, tables, decision.receipt_hash)
    standing = _find(connection, tables, record.id)
    if standing is None:
        return
    agreed = _purposes(decision)
    if standing.decision == decision.id:  # which was never widened, only withdrawn
        withdrawn = standing.purposes - agreed
        remove_what_was_kept(connection, tables, mine, withdrawn, decision.withdrawn_at or decision.decided_at)
    elif standing.changed_at is None or standing.changed_at < decision.decided_at:
        moment = decision.withdrawn_at or decision.decided_at
        change = ConsentChange(
            record.id, moment, None, False, decision if agreed else None, record.filename, record.photo
        )
        _update(connection, tables, mine, standing, change)
    else:  # something was decided since, as at another replica: of the decision in between only the record is kept
        remove_what_was_kept(connection, tables, [decision.id], agreed - standing.purposes, standing.changed_at)


def change_record(record: PredictionRecord, change: ConsentChange) -> PredictionRecord:
    """Apply a change to a record of the spool; raises as :func:`apply` does."""
    _check_receipt(record.decision.receipt_hash if record.decision else None, change)
    standing, wanted = _purposes(record.decision), _purposes(change.decision)
    if wanted == standing:
        return record
    _check_known(standing, change)
    record = record.without(standing - wanted, change.moment)
    if change.decision is None:
        return record
    photo = record.photo or change.photo
    _check_photo(photo is not None, change)
    return record.model_copy(
        update={
            "decision": change.decision,
            "earlier_decisions": (*(record.earlier_decisions or ()), record.decision) if record.decision else None,
            "filename": record.filename or change.filename,
            "photo": photo if change.decision.photo else None,
        }
    )


def _find(connection: sa.Connection, tables: Tables, identifier: UUID) -> _Standing | None:
    """Read what is decided about a prediction, and lock its row until the transaction ends."""
    prediction, consents = tables.predictions.c, tables.consents.c
    # Locked first: a query that waits for a lock would see the row as it is then, but the consent as it was before.
    locked = connection.scalar(sa.select(prediction.id).where(prediction.id == identifier).with_for_update())
    if locked is None:
        return None
    query = (
        sa.select(
            prediction.prediction_result,
            consents.id,
            consents.receipt_hash,
            sa.func.greatest(consents.decided_at, consents.withdrawn_at).label("changed_at"),
            *(consents[purpose] for purpose in PurposeName),
            sa.exists().where(tables.photos.c.prediction_id == identifier).label("has_photo"),
        )
        .select_from(tables.predictions.outerjoin(tables.consents, consents.id == prediction.consent_id))
        .where(prediction.id == identifier)
    )
    row = connection.execute(query).mappings().one()
    purposes = frozenset(purpose for purpose in PurposeName if row[purpose])
    answer = Answer(row["prediction_result"])
    return _Standing(row["id"], row["receipt_hash"], row["changed_at"], purposes, row["has_photo"], answer)


def _update(
    connection: sa.Connection, tables: Tables, mine: list[UUID], standing: _Standing, change: ConsentChange
) -> None:
    """Bring a prediction, whose row is locked, from what is decided about it to a new decision."""
    decision, wanted = change.decision, _purposes(change.decision)
    if wanted == standing.purposes:
        return
    _check_known(standing.purposes, change)
    remove_what_was_kept(connection, tables, mine, standing.purposes - wanted, change.moment)
    if decision is None:
        return
    _check_photo(standing.has_photo or change.photo is not None, change)
    insert_missing(connection, tables.consents, [decision.model_dump()])
    table = tables.predictions
    filename = sa.func.coalesce(table.c.filename, change.filename) if decision.filename_and_comment else None
    connection.execute(
        sa.update(table)
        .where(table.c.id == change.prediction_id)
        .values(consent_id=decision.id, rgpd_consent=decision.filename_and_comment, filename=filename)
    )
    if decision.photo and change.photo:
        keys = {"prediction_id": change.prediction_id, "consent_id": decision.id, "photo_consent": True}
        insert_missing(connection, tables.photos, [change.photo.model_dump() | keys])


def _check_receipt(standing: str | None, change: ConsentChange) -> None:
    """Check the receipt code against the hash of that of the standing decision, if there is one.

    The message of a wrong code does not depend on whether another photo has this code.
    """
    if standing == (change.receipt and hash_receipt(change.receipt)):
        return
    if change.proves_receipt:
        raise NotFound("This is not the receipt code of this photo. Check that it is complete.")
    if standing:
        raise ReceiptRefused("This photo was recorded with your consent. Send its receipt code, too.")


def _check_known(standing: frozenset[PurposeName], change: ConsentChange) -> None:
    if change.known is not None and change.known != standing:
        raise Conflict("What is kept about this photo was changed elsewhere, so that your choice was not applied.")


def _check_photo(exists: bool, change: ConsentChange) -> None:
    if change.allows(PurposeName.PHOTO) and not exists:
        raise InvalidInput("You agree to keep the photo, but it is not kept yet. Send the photo, too.")


def _purposes(decision: ConsentRecord | Consent | None) -> frozenset[PurposeName]:
    return frozenset(purpose for purpose in PurposeName if decision and getattr(decision, purpose))
