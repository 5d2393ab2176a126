"""Jobs that the server runs beside requests: preparing pages, the purge, the alert rules, the database's log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from catsdogs.errors import CatsDogsError
from catsdogs.server.worker_pool import WorkerPool
from catsdogs.service.local import Local

logger = logging.getLogger(__name__)

MINUTE_SECONDS = 60
"""Time between two evaluations of the alert rules, whose state readers list."""
PURGE_SECONDS = 24 * 3600
PURGE_RETRY_SECONDS = 3600
"""Time until a purge that failed is tried again, for example because the database was not available."""


class ScheduledJobs:
    """Runs the jobs, one at a time, until they are cancelled.

    Parameters
    ----------
    pool
        The thread of the jobs. Requests do not use it: a purge that waits for a lock must not delay predictions.
    service
        The service in this process.
    prepare_pages
        Does what the first page would have to wait for.
    """

    def __init__(self, pool: WorkerPool, service: Local, prepare_pages: Callable[[], None]) -> None:
        self._pool = pool
        self._service = service
        self._prepare_pages = prepare_pages
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the jobs."""
        jobs = (self._prepare(), self._purge_daily(), self._work_each_minute())
        self._tasks = [asyncio.create_task(job) for job in jobs]

    def cancel(self) -> None:
        """Start nothing more; what runs in a thread is finished."""
        for task in self._tasks:
            task.cancel()

    async def _prepare(self) -> None:
        await self._run(self._prepare_pages, "the pages could not be prepared")

    async def _purge_daily(self) -> None:
        """Purge what is older than the retention, now and once a day."""
        while True:
            done = await self._run(self._service.purge, "the purge could not be done")
            await asyncio.sleep(PURGE_SECONDS if done else PURGE_RETRY_SECONDS)

    async def _work_each_minute(self) -> None:
        """Evaluate the alert rules now and once a minute, and notify; shorten the database's log.

        Before that, problems of the service are told: the evaluation waits for a database that is away.
        """
        while True:
            await self._run(self._service.tell_problems, "the alert targets could not be told of problems")
            await self._run(self._service.evaluate_alerts, "the alert rules could not be evaluated")
            await self._run(self._service.trim_database_log, "the log of the database could not be shortened")
            await asyncio.sleep(MINUTE_SECONDS)

    async def _run(self, function: Callable[[], object], failure: str) -> bool:
        """Call `function` in a thread and return whether it succeeded; an exception is logged, and the job goes on."""
        try:
            await self._pool.run(function)
        except CatsDogsError as error:
            logger.warning("%s: %s", failure, error)
        except Exception:
            logger.exception(failure)
        else:
            return True
        return False
