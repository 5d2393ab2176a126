"""The advisory lock that evaluations and notifications take, so that only one process at a time changes the state."""

from __future__ import annotations

import sqlalchemy as sa

ADVISORY_LOCK_KEY = 7_228_321_665_104
"""Key among the advisory locks of the database; an arbitrary number."""


def lock_alerts(connection: sa.Connection) -> None:
    """Wait for the lock and hold it until the end of the transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK_KEY)))
