"""A prediction that is sent again under the same receipt code, because the response to the first request was lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database.tables import Tables
from catsdogs.domain import PurposeName
from catsdogs.errors import ReceiptRefused
from catsdogs.records import erased_receipts, predictions
from catsdogs.records.consent_changes import RECEIPT_IN_USE
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool


def store_once(connection: sa.Connection, tables: Tables, record: PredictionRecord, receipt_hash: str) -> UUID:
    """Store a prediction with consent, unless it is stored already under its receipt code.

    Requests that come at the same time, to whichever replica, wait for each other.

    Returns
    -------
    UUID
        Identifier of the prediction that is stored.

    Raises
    ------
    ReceiptRefused
        The code is in use for another photo or for another decision about this one, or was in use until an erasure.
    """
    if erased_receipts.find(connection, tables, [receipt_hash]):
        raise ReceiptRefused(RECEIPT_IN_USE)
    found = _find_stored(connection, tables, receipt_hash)
    if found is None:
        predictions.store(connection, tables, [record])
        return record.id
    return _check(*found, record)


def find_spooled(spool: Spool, record: PredictionRecord, receipt_hash: str) -> UUID | None:
    """Find the prediction that waits in the spool under the receipt code of a new record; raises as `store_once` does.

    What is not found here any more is in the database: a replay stores it first, and then removes it from the spool.
    """
    for _, other in spool.read(spool.prediction_files(), PredictionRecord):
        if other.decision and other.decision.receipt_hash == receipt_hash:
            return _check(other.id, _facts(other), record)
    return None


def stored_under(connection: sa.Connection, tables: Tables, receipt_hashes: set[str]) -> dict[str, set[UUID]]:
    """Return the predictions that are stored under each of these receipts."""
    found: dict[str, set[UUID]] = {}
    consents, table = tables.consents.c, tables.predictions.c
    joined = tables.consents.join(tables.predictions, table.consent_id == consents.id)
    query = (
        sa.select(consents.receipt_hash, table.id).select_from(joined).where(consents.receipt_hash.in_(receipt_hashes))
    )
    for receipt_hash, identifier in connection.execute(query):
        found.setdefault(receipt_hash, set()).add(identifier)
    return found


def _check(identifier: UUID, facts: dict[str, Any], record: PredictionRecord) -> UUID:
    if facts != _facts(record):
        raise ReceiptRefused(RECEIPT_IN_USE)
    return identifier


def _facts(record: PredictionRecord) -> dict[str, Any]:
    """Return what the photo looks like, and what the person agreed to."""
    decision = {purpose.value: getattr(record.decision, purpose) for purpose in PurposeName}
    return record.model_dump(include={"width", "height", "brightness", "sharpness"}) | decision


def _find_stored(connection: sa.Connection, tables: Tables, receipt_hash: str) -> tuple[UUID, dict[str, Any]] | None:
    table, consents = tables.predictions.c, tables.consents.c
    query = (
        sa.select(
            table.id,
            table.width,
            table.height,
            table.brightness,
            table.sharpness,
            *(consents[one] for one in PurposeName),
        )
        .select_from(tables.consents.join(tables.predictions, table.consent_id == consents.id))
        .where(consents.receipt_hash == receipt_hash)
        .order_by(consents.decided_at.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    facts = dict(row)
    return facts.pop("id"), facts
