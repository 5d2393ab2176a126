"""Receipts under which everything was erased, for replicas: a record may still wait in the spool of another one.

The hash of the receipt code is kept as long as such a record may wait, the retention period. It leads to nobody: the
code is random, and nothing is stored under it any more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from catsdogs.database.tables import Tables

_LOCK = 7_228_321_665_106  # an arbitrary number: the advisory lock that keeps erasures and replays apart


def note(connection: sa.Connection, tables: Tables, receipt_hash: str) -> None:
    """Note that everything under a receipt is being erased; a replay that runs is waited for."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    connection.execute(insert(tables.erased_receipts).values(receipt_hash=receipt_hash).on_conflict_do_nothing())


def find(connection: sa.Connection, tables: Tables, receipt_hashes: Collection[str]) -> set[str]:
    """Return those of the receipts that were erased; no other is until the transaction ends."""
    if not receipt_hashes:
        return set()
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    column = tables.erased_receipts.c.receipt_hash
    return set(connection.scalars(sa.select(column).where(column.in_(receipt_hashes))))


def purge(connection: sa.Connection, tables: Tables, before: datetime) -> None:
    """Delete what is older than the retention period."""
    connection.execute(sa.delete(tables.erased_receipts).where(tables.erased_receipts.c.erased_at < before))
