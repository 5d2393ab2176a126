"""A bounded pool of threads for blocking calls, so that the event loop never waits for a prediction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.model.cores import usable_cores

P = ParamSpec("P")
R = TypeVar("R")


class QueueFull(ServiceUnavailable):
    """Raised where too many calls wait for a thread."""

    retry_after = 1
    """Seconds until a call may wait again: one takes some milliseconds."""


class WorkerPool:
    """Runs calls of the service in threads, with a bounded queue.

    Parameters
    ----------
    threads
        Number of calls that run at the same time; by default, one for each core.
    queue_size
        Number of further calls that may wait for a thread.
    """

    def __init__(self, threads: int | None = None, queue_size: int = 64) -> None:
        threads = threads or usable_cores()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="catsdogs")
        self.limit = threads + queue_size
        self.unfinished = 0

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function` in a thread.

        Raises
        ------
        QueueFull
        """
        if self.unfinished >= self.limit:
            raise QueueFull(N_("Too much at once. Try again in a few seconds."))
        self.unfinished += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: function(*args, **kwargs))
        finally:
            self.unfinished -= 1

    def close(self) -> None:
        """Wait for the calls that have begun."""
        self._pool.shutdown(wait=True)
