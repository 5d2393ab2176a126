"""Receipts under which everything was erased, for replicas: a record may still wait in the spool of another one.

What is done under one receipt is done one after the other (:func:`lock`): a decision, a withdrawal, an erasure, and a
replay, of whichever replica, so that none misses what another one is just storing.

The hash of the receipt code is kept as long as such a record may wait, the retention period. It leads to nobody: the
code is random, and nothing is stored under it any more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from catsdogs.database.tables import Tables


def lock(connection: sa.Connection, receipt_hashes: Collection[str]) -> None:
    """Lock receipts until the transaction ends, whether or not anything is stored under them."""
    query = "SELECT pg_advisory_xact_lock(hashtextextended(hash, 0)) FROM unnest(CAST(:hashes AS text[])) AS hash"
    connection.execute(sa.text(query), {"hashes": sorted(receipt_hashes)})  # sorted, so that no two wait for each other


def note(connection: sa.Connection, tables: Tables, receipt_hash: str) -> None:
    """Note that everything under a receipt is being erased; who is storing something under it is waited for."""
    lock(connection, [receipt_hash])
    connection.execute(insert(tables.erased_receipts).values(receipt_hash=receipt_hash).on_conflict_do_nothing())


def find(connection: sa.Connection, tables: Tables, receipt_hashes: Collection[str]) -> set[str]:
    """Lock receipts, and return those that were erased; no other one is until the transaction ends."""
    if not receipt_hashes:
        return set()
    lock(connection, receipt_hashes)
    column = tables.erased_receipts.c.receipt_hash
    return set(connection.scalars(sa.select(column).where(column.in_(receipt_hashes))))


def purge(connection: sa.Connection, tables: Tables, before: datetime) -> None:
    """Delete what is older than the retention period."""
    connection.execute(sa.delete(tables.erased_receipts).where(tables.erased_receipts.c.erased_at < before))
