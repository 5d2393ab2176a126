"""When a database call is tried again.

A transaction that fails for a transient reason is tried again at once, a few times (:func:`retry_transaction`). While
the database cannot be reached, records wait in the spool, and one thread (:mod:`catsdogs.records.replay`) tries to
reach it again with exponential backoff (:class:`Backoff`).
"""

from __future__ import annotations

import tenacity
from sqlalchemy import exc

MAX_ATTEMPTS = 3
"""Number of times that a transaction is tried."""
MIN_BACKOFF, MAX_BACKOFF = 0.25, 5.0
"""Seconds between two attempts to reach a database that is away: at first, and at most."""

_TRANSIENT = {  # https://www.postgresql.org/docs/current/errcodes-appendix.html
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
}


class Backoff:
    """Pauses between attempts, each twice as long as the one before."""

    def __init__(self) -> None:
        self._next = MIN_BACKOFF

    def next(self) -> float:
        """Return the next pause, in seconds."""
        pause = self._next
        self._next = min(2 * pause, MAX_BACKOFF)
        return pause

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._next = MIN_BACKOFF


def retry_transaction() -> tenacity.Retrying:
    """Return the policy for one transaction: up to `MAX_ATTEMPTS`, with short random pauses."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_transient),
        stop=tenacity.stop_after_attempt(MAX_ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )


def _is_transient(error: BaseException) -> bool:
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "pgcode", None) in _TRANSIENT
