"""A person's rights over what was kept, by receipt code; and the end of retention.

Each reaches tables, photos and spool. The replay of the spool is held off meanwhile, so that nothing
erased here comes back from there.
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
from catsdogs.database.tables import Tables
from catsdogs.datetimes import iso
from catsdogs.domain import PurposeName, Removal
from catsdogs.errors import NotFound
from catsdogs.records.consents import hash_receipt
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool

_log = logging.getLogger(__name__)


def export(database: Database, spool: Spool, receipt: str) -> dict[str, Any]:
    """Collect everything held under a receipt.

    Returns
    -------
    dict
        Ready for JSON: ``decisions``, ``predictions``, ``photos`` (JPEG in base64), and ``waiting``:
        records not stored yet.

    Raises
    ------
    NotFound, DatabaseError
    """
    receipt_hash = hash_receipt(receipt)
    tables = database.tables

    def collect(connection: sa.Connection) -> dict[str, Any]:
        def rows(table: sa.Table, condition: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
            return [_plain(row) for row in connection.execute(sa.select(table).where(condition)).mappings()]

        mine = sa.select(tables.consents.c.id).where(tables.consents.c.receipt_hash == receipt_hash)
        return {
            "decisions": rows(tables.consents, tables.consents.c.receipt_hash == receipt_hash),
            "predictions": rows(tables.predictions, tables.predictions.c.consent_id.in_(mine)),
            "photos": rows(tables.photos, tables.photos.c.consent_id.in_(mine)),
        }

    with spool.locked():
        waiting = _waiting(spool, receipt_hash)
        held = database.run(collect)
    hidden = {"decision": {"receipt_hash"}}
    held["waiting"] = [record.model_dump(mode="json", exclude_none=True, exclude=hidden) for record in waiting.values()]
    if not any(held.values()):
        raise _unknown_receipt()
    _log.info("exported what is held under a receipt")
    return held


def withdraw(database: Database, spool: Spool, receipt: str, purpose: PurposeName | None = None) -> Removal:
    """Withdraw consent to one purpose, or to all, and remove what was kept for it; safe to repeat.

    The decision's row stays, marked: it proves what was agreed to until then. So does the answer, anonymous.

    Raises
    ------
    NotFound
    DatabaseUnavailable
        Only what waited in the spool is gone.
    """
    receipt_hash = hash_receipt(receipt)
    purposes = [purpose] if purpose else list(PurposeName)
    moment = datetime.now(UTC)
    tables = database.tables

    def remove(connection: sa.Connection) -> tuple[list[UUID], int, int]:
        consents = tables.consents
        mine = _my_decisions(connection, tables, receipt_hash)
        predictions: list[UUID] = []
        photos = 0
        if PurposeName.FILENAME_AND_COMMENT in purposes:
            predictions = list(
                connection.scalars(
                    sa.update(tables.predictions)
                    .where(tables.predictions.c.consent_id.in_(mine))
                    .values(filename=None, user_comment=None)
                    .returning(tables.predictions.c.id)
                )
            )
        if PurposeName.PHOTO in purposes:
            photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(mine))).rowcount
        for name in purposes:
            given = consents.c.id.in_(mine) & consents.c[name]
            connection.execute(sa.update(consents).where(given).values({name: False, "withdrawn_at": moment}))
        return predictions, photos, len(mine)

    with spool.locked():
        waiting = _waiting(spool, receipt_hash)
        for path, record in waiting.items():
            spool.rewrite(path, record.without(purposes, moment))
        predictions, photos, decisions = database.run(remove)
        predictions += [record.id for record in waiting.values()]
        if PurposeName.FILENAME_AND_COMMENT in purposes:
            for path in _feedback_on(spool, set(predictions)):
                _drop_comment(spool, path)
        spool.remove(spool.find_damaged([receipt_hash, *map(str, predictions)]))
    if not decisions and not waiting:
        raise _unknown_receipt()
    _log.info("withdrew %s: %d photos, %d waiting", " and ".join(purposes), photos, len(waiting))
    return Removal(predictions, photos, len(waiting))


def erase(database: Database, spool: Spool, receipt: str) -> Removal:
    """Erase everything held under a receipt, at once and for good.

    Raises
    ------
    NotFound
    DatabaseUnavailable
        Only what waited in the spool is gone.
    """
    receipt_hash = hash_receipt(receipt)
    tables = database.tables

    def remove(connection: sa.Connection) -> tuple[list[UUID], int, int]:
        mine = _my_decisions(connection, tables, receipt_hash)
        photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(mine))).rowcount
        predictions = list(
            connection.scalars(
                sa.delete(tables.predictions)
                .where(tables.predictions.c.consent_id.in_(mine))
                .returning(tables.predictions.c.id)
            )
        )
        connection.execute(sa.delete(tables.consents).where(tables.consents.c.id.in_(mine)))
        return predictions, photos, len(mine)

    with spool.locked():
        waiting = _waiting(spool, receipt_hash)
        spool.remove([*waiting, *_feedback_on(spool, {record.id for record in waiting.values()})])
        predictions, photos, decisions = database.run(remove)
        erased = [*predictions, *(record.id for record in waiting.values())]
        spool.remove([*_feedback_on(spool, set(predictions)), *spool.find_damaged([receipt_hash, *map(str, erased)])])
    if not decisions and not waiting:
        raise _unknown_receipt()
    _log.info("erased %d predictions, %d photos, %d waiting", len(predictions), photos, len(waiting))
    return Removal(erased, photos, len(waiting))


def purge(database: Database, spool: Spool, days: int) -> Removal:
    """Make anonymous what is older than `days`; the figures of the predictions stay.

    Raises
    ------
    DatabaseError, SpoolError
    """
    before = datetime.now(UTC) - timedelta(days=days)
    tables = database.tables

    def remove(connection: sa.Connection) -> tuple[list[UUID], int]:
        old = sa.select(tables.consents.c.id).where(tables.consents.c.decided_at < before)
        photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(old))).rowcount
        predictions = connection.scalars(
            sa.update(tables.predictions)
            .where(tables.predictions.c.consent_id.in_(old))
            .values(filename=None, user_comment=None, consent_id=None)
            .returning(tables.predictions.c.id)
        )
        connection.execute(sa.delete(tables.consents).where(tables.consents.c.decided_at < before))
        return list(predictions), photos

    with spool.locked():
        waiting = _purge_spool(spool, before)
        predictions, photos = database.run(remove)
    _log.info("purged %d predictions, %d photos, %d waiting", len(predictions), photos, waiting)
    return Removal(predictions, photos, waiting)


def _my_decisions(connection: sa.Connection, tables: Tables, receipt_hash: str) -> list[UUID]:
    """List the decisions made under a receipt, and hold them until the end of the transaction."""
    mine = sa.select(tables.consents.c.id).where(tables.consents.c.receipt_hash == receipt_hash)
    return list(connection.scalars(mine.with_for_update()))


def _waiting(spool: Spool, receipt_hash: str) -> dict[Path, PredictionRecord]:
    return {
        path: record
        for path, record in spool.read(spool.prediction_files(), PredictionRecord)
        if record.decision and record.decision.receipt_hash == receipt_hash
    }


def _feedback_on(spool: Spool, predictions: set[UUID]) -> list[Path]:
    return [
        path
        for path, record in spool.read(spool.feedback_files(), FeedbackRecord)
        if record.prediction_id in predictions
    ]


def _drop_comment(spool: Spool, path: Path) -> None:
    for _, record in spool.read([path], FeedbackRecord):
        spool.rewrite(path, record.model_copy(update={"user_comment": None}))


def _purge_spool(spool: Spool, before: datetime) -> int:
    """Rewrite what has waited too long without what is personal; delete what nobody could read."""
    purged = spool.purge(before.timestamp())
    for path, prediction in spool.read(spool.prediction_files(), PredictionRecord):
        if prediction.decision and prediction.timestamp < before:
            anonymous = {"decision": None, "photo": None, "filename": None}
            spool.rewrite(path, prediction.model_copy(update=anonymous))
            purged += 1
    for path, feedback in spool.read(spool.feedback_files(), FeedbackRecord):
        if feedback.user_comment and feedback.given_at < before:
            _drop_comment(spool, path)
            purged += 1
    return purged


def _plain(row: RowMapping) -> dict[str, Any]:
    """Give a row in the types of JSON, without what only secures the receipt."""
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
        "Nothing is held under this receipt code. Check that it is complete; it may also be erased already."
    )
