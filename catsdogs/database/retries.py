"""When a database call is tried again.

A transaction that fails for a transient reason is tried again at once, a few times (:func:`retry_transaction`). While
the database cannot be reached, records wait in the spool, and one thread (:mod:`catsdogs.records.replay`) tries to
reach it again with exponential backoff (:class:`Backoff`).
"""

from __future__ import annotations

from collections.abc import Callable

import tenacity

from catsdogs.database.failures import may_be_tried_at_once

MAX_ATTEMPTS = 3
"""Number of times that a transaction is tried."""
MIN_BACKOFF, MAX_BACKOFF = 0.25, 5.0
"""Seconds between two attempts to reach a database that is away: at first, and at most."""


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


def retry_transaction(is_late: Callable[[], bool]) -> tenacity.Retrying:
    """Return the policy for one transaction: up to `MAX_ATTEMPTS`, with short random pauses, until it is late."""
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(may_be_tried_at_once),
        stop=lambda state: state.attempt_number >= MAX_ATTEMPTS or is_late(),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )
