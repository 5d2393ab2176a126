"""A person's rights by receipt code (export, withdrawal, erasure), and the purge after the retention period.

Each function covers tables, photos and spool. It holds the lock of the spool, so that no replay stores again what is
erased here.
"""

from __future__ import annotations

import base64
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping

from catsdogs.database import Database
from catsdogs.datetimes import iso
from catsdogs.domain import PurposeName, Removal
from catsdogs.errors import NotFound
from catsdogs.records import erased_receipts, set_aside
from catsdogs.records.consents import hash_receipt
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.records.withdrawals import (
    clear_spool,
    drop_comment,
    feedback_files_on,
    lock_decisions,
    remove_what_was_kept,
)

_log = logging.getLogger(__name__)


def export(database: Database, spool: Spool, receipt: str) -> dict[str, Any]:
    """Export everything that is stored under a receipt code.

    Returns
    -------
    dict
        Ready for JSON: ``decisions`` (the consents), ``predictions``, ``photos`` (JPEG in base64), and ``waiting``:
        predictions and feedbacks that are still in the spool, or were set aside.

    Raises
    ------
    NotFound, DatabaseError
    """
    receipt_hash = hash_receipt(receipt)
    tables = database.tables

    def collect(connection: sa.Connection) -> dict[str, Any]:
        def rows(table: sa.Table, condition: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
            return [_row_as_json(row) for row in connection.execute(sa.select(table).where(condition)).mappings()]

        mine = sa.select(tables.consents.c.id).where(tables.consents.c.receipt_hash == receipt_hash)
        return {
            "decisions": sorted(
                rows(tables.consents, tables.consents.c.receipt_hash == receipt_hash), key=lambda row: row["decided_at"]
            ),
            "predictions": rows(tables.predictions, tables.predictions.c.consent_id.in_(mine)),
            "photos": rows(tables.photos, tables.photos.c.consent_id.in_(mine)),
        }

    with spool.locked():
        spooled = _find_spooled(spool, receipt_hash)
        stored = database.run(collect)
        mine = {UUID(row["id"]) for row in stored["predictions"]} | {record.id for record in spooled.values()}
        feedbacks = spool.read(feedback_files_on(spool, mine), FeedbackRecord)
        waiting = [*spooled.values(), *(record for _, record in feedbacks)]
        waiting += set_aside.read(spool, [receipt_hash, *map(str, mine)])
    hidden: dict[str, Any] = {"decision": {"receipt_hash"}, "earlier_decisions": {"__all__": {"receipt_hash"}}}
    stored["waiting"] = [record.model_dump(mode="json", exclude_none=True, exclude=hidden) for record in waiting]
    if not any(stored.values()):
        raise _unknown_receipt()
    _log.info("exported what is stored under a receipt")
    return stored


def withdraw(database: Database, spool: Spool, receipt: str, purpose: PurposeName | None = None) -> Removal:
    """Withdraw consent to one purpose or to all, and remove what was kept for it; safe to repeat.

    The consent's row stays, with the time of the withdrawal: it proves what was agreed to until then. The answer stays,
    without personal data.

    Raises
    ------
    NotFound
    DatabaseUnavailable
        Only what was in the spool has been removed.
    """
    receipt_hash = hash_receipt(receipt)
    purposes = [purpose] if purpose else list(PurposeName)
    moment = datetime.now(UTC)

    def remove(connection: sa.Connection) -> tuple[list[UUID], int, int]:
        mine = lock_decisions(connection, database.tables, receipt_hash)
        predictions, photos = remove_what_was_kept(connection, database.tables, mine, purposes, moment)
        return predictions, photos, len(mine)

    with spool.locked():
        spooled = _find_spooled(spool, receipt_hash)
        for path, record in spooled.items():
            spool.rewrite(path, record.without(purposes, moment))
        predictions, photos, consents = database.run(remove)
        predictions += [record.id for record in spooled.values()]
        clear_spool(spool, receipt_hash, predictions, purposes)
    if not consents and not spooled:
        raise _unknown_receipt()
    _log.info("withdrew %s: %d photos, %d in the spool", " and ".join(purposes), photos, len(spooled))
    return Removal(predictions, photos, len(spooled))


def erase(database: Database, spool: Spool, receipt: str) -> Removal:
    """Erase everything that is stored under a receipt code, at once and permanently.

    Raises
    ------
    NotFound
    DatabaseUnavailable
        Only what was in the spool has been removed.
    """
    receipt_hash = hash_receipt(receipt)
    tables = database.tables
    attempts: list[tuple[list[UUID], int, int]] = []

    def remove(connection: sa.Connection) -> None:
        erased_receipts.note(connection, tables, receipt_hash)
        mine = lock_decisions(connection, tables, receipt_hash)
        photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(mine))).rowcount
        predictions = list(
            connection.scalars(
                sa.delete(tables.predictions)
                .where(tables.predictions.c.consent_id.in_(mine))
                .returning(tables.predictions.c.id)
            )
        )
        connection.execute(sa.delete(tables.consents).where(tables.consents.c.id.in_(mine)))
        attempts.append((predictions, photos, len(mine)))

    with spool.locked():
        spooled = _find_spooled(spool, receipt_hash)
        spool.remove([*spooled, *feedback_files_on(spool, {record.id for record in spooled.values()})])
        database.run(remove)
        # where the reply to a commit was lost, the attempt after it finds nothing any more
        predictions, photos, consents = max(attempts, key=lambda attempt: attempt[2])
        erased = [*predictions, *(record.id for record in spooled.values())]
        spool.remove(
            [*feedback_files_on(spool, set(predictions)), *set_aside.find(spool, [receipt_hash, *map(str, erased)])]
        )
    if not consents and not spooled:
        raise _unknown_receipt()
    _log.info("erased %d predictions, %d photos, %d in the spool", len(predictions), photos, len(spooled))
    return Removal(erased, photos, len(spooled))


def purge(database: Database, spool: Spool, days: int) -> Removal:
    """Remove personal data of which the latest decision is older than `days`; the figures of the predictions stay.

    All decisions under a receipt go together: the earlier ones stay as long as a later one does.

    Raises
    ------
    DatabaseError, SpoolError
    """
    before = datetime.now(UTC) - timedelta(days=days)
    tables = database.tables
    consents, later = tables.consents, tables.consents.alias()
    same_receipt = (later.c.receipt_hash == consents.c.receipt_hash) & (later.c.decided_at >= before)
    is_old = (consents.c.decided_at < before) & ~sa.exists().where(same_receipt)

    def remove(connection: sa.Connection) -> tuple[list[UUID], int]:
        old = sa.select(consents.c.id).where(is_old)
        photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(old))).rowcount
        predictions = connection.scalars(
            sa.update(tables.predictions)
            .where(tables.predictions.c.consent_id.in_(old))
            .values(filename=None, user_comment=None, consent_id=None)
            .returning(tables.predictions.c.id)
        )
        connection.execute(sa.delete(consents).where(is_old))
        erased_receipts.purge(connection, tables, before)
        return list(predictions), photos

    with spool.locked():
        predictions, photos = database.run(remove)
        spooled = spool.purge_drafts() + set_aside.purge(spool, before.timestamp()) + _purge_predictions(spool, before)
        spooled += _purge_comments(spool, database, before)
    _log.info("purged %d predictions, %d photos, %d in the spool", len(predictions), photos, spooled)
    return Removal(predictions, photos, spooled)


def _find_spooled(spool: Spool, receipt_hash: str) -> dict[Path, PredictionRecord]:
    return {
        path: record
        for path, record in spool.read(spool.prediction_files(), PredictionRecord)
        if record.decision and record.decision.receipt_hash == receipt_hash
    }


def _purge_predictions(spool: Spool, before: datetime) -> int:
    """Remove old personal data from spooled predictions; return their number."""
    purged = 0
    for path, prediction in spool.read(spool.prediction_files(), PredictionRecord):
        if prediction.decision and prediction.decision.decided_at < before:
            anonymous = {"decision": None, "earlier_decisions": None, "photo": None, "filename": None}
            spool.rewrite(path, prediction.model_copy(update=anonymous))
            purged += 1
    return purged


def _purge_comments(spool: Spool, database: Database, before: datetime) -> int:
    """Remove old comments from spooled feedbacks, unless a later decision allows them; return their number."""
    records = spool.read(spool.feedback_files(), FeedbackRecord)
    old = {path: record.prediction_id for path, record in records if record.user_comment and record.given_at < before}
    if not old:
        return 0
    predictions, consents = database.tables.predictions.c, database.tables.consents.c
    query = (
        sa.select(predictions.id)
        .join(database.tables.consents, consents.id == predictions.consent_id)
        .where(predictions.id.in_(old.values()), consents.decided_at >= before)
    )
    allowed = set(database.run(lambda connection: connection.scalars(query).all()))
    spooled = (spool.find_prediction(identifier) for identifier in old.values())
    allowed |= {record.id for record in spooled if record and record.decision and record.decision.decided_at >= before}
    purged = [path for path, identifier in old.items() if identifier not in allowed]
    for path in purged:
        drop_comment(spool, path)
    return len(purged)


def _row_as_json(row: RowMapping) -> dict[str, Any]:
    """Return a row as JSON types, without the receipt's hash."""
    return {name: _json(value) for name, value in row.items() if name != "receipt_hash"}


def _json(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return iso(value)
        case UUID():
            return str(value)
    return value


def _unknown_receipt() -> NotFound:
    return NotFound(
        "Nothing is kept under this receipt code. Check that it is complete; or everything was already erased."
    )
