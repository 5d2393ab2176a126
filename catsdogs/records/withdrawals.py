"""What a withdrawal removes from tables and spool, whether it comes by receipt code or by a new decision."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database.tables import Tables
from catsdogs.domain import PurposeName
from catsdogs.records import erased_receipts, set_aside
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.spool import Spool


def lock_decisions(connection: sa.Connection, tables: Tables, receipt_hash: str) -> list[UUID]:
    """Return the identifiers of the decisions under a receipt, which is locked until the transaction ends."""
    erased_receipts.lock(connection, [receipt_hash])
    mine = sa.select(tables.consents.c.id).where(tables.consents.c.receipt_hash == receipt_hash)
    connection.execute(mine.order_by(tables.consents.c.id).with_for_update())
    return list(connection.scalars(mine))  # another decision may have been added while the locks were waited for


def remove_what_was_kept(
    connection: sa.Connection,
    tables: Tables,
    decisions: list[UUID],
    purposes: Collection[PurposeName],
    moment: datetime,
) -> tuple[list[UUID], int]:
    """Mark these decisions as withdrawn for some purposes, and remove what was kept with them.

    Returns
    -------
    tuple
        The predictions whose file name and comment were removed, and the number of photos.
    """
    predictions: list[UUID] = []
    photos = 0
    if PurposeName.FILENAME_AND_COMMENT in purposes:
        predictions = list(
            connection.scalars(
                sa.update(tables.predictions)
                .where(tables.predictions.c.consent_id.in_(decisions))
                .values(filename=None, user_comment=None)
                .returning(tables.predictions.c.id)
            )
        )
    if PurposeName.PHOTO in purposes:
        photos = connection.execute(sa.delete(tables.photos).where(tables.photos.c.consent_id.in_(decisions))).rowcount
    consents = tables.consents
    for name in purposes:
        given = consents.c.id.in_(decisions) & consents.c[name]
        connection.execute(sa.update(consents).where(given).values({name: False, "withdrawn_at": moment}))
    return predictions, photos


def clear_spool(
    spool: Spool, receipt_hash: str, predictions: Collection[UUID], purposes: Collection[PurposeName]
) -> None:
    """Remove what waits in the spool beside predictions of which some purposes were withdrawn, and damaged files."""
    if PurposeName.FILENAME_AND_COMMENT in purposes:
        for path in feedback_files_on(spool, set(predictions)):
            drop_comment(spool, path)
    spool.remove(set_aside.find(spool, [receipt_hash, *map(str, predictions)]))


def feedback_files_on(spool: Spool, predictions: set[UUID]) -> list[Path]:
    """List the spooled feedbacks on these predictions."""
    return [
        path
        for path, record in spool.read(spool.feedback_files(), FeedbackRecord)
        if record.prediction_id in predictions
    ]


def drop_comment(spool: Spool, path: Path) -> None:
    """Remove the comment from a spooled feedback."""
    for _, record in spool.read([path], FeedbackRecord):
        spool.rewrite(path, record.model_copy(update={"user_comment": None}))
