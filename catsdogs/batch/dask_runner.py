"""Classification of parts on the workers of a Dask cluster (https://distributed.dask.org)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from distributed import CancelledError, Client, Future, KilledWorker, Security, wait
from distributed.client import ClosedClientError
from distributed.comm import connect

from catsdogs.batch.job import BatchJob, Row
from catsdogs.batch.run import Runner
from catsdogs.errors import CatsDogsError, InvalidInput, ServiceError, ServiceUnavailable

CONNECT_SECONDS = 10
WORKERLESS_SECONDS = 60
"""Longest time without workers, which may still be starting."""
PARTS_PER_THREAD = 2
"""Number of parts that are submitted at once for each thread of the workers."""

_POLL_SECONDS = 2


def on_cluster(address: str, workerless_seconds: float = WORKERLESS_SECONDS) -> Runner:
    """Return a runner for the cluster whose scheduler has this `address`, such as ``tcp://host:8786``.

    Workers need the photos and a promoted model under the same paths, and the same version of catsdogs. A part whose
    worker is lost is computed by another one. The runner raises `InvalidInput` for a wrong address,
    `ServiceUnavailable` if scheduler or workers cannot be reached, and `ServiceError` if the cluster fails otherwise.

    Parameters
    ----------
    workerless_seconds
        Longest time to wait for a first worker, or for another one.
    """

    def run(job: BatchJob, parts: Iterable[tuple[int, list[str]]]) -> Generator[tuple[int, list[Row]], None, None]:
        waiting = deque(parts)
        running: dict[Future[list[Row]], int] = {}
        last_worker = time.monotonic()
        with _errors_of(address), _client(address) as client:
            while waiting or running:
                threads = sum(client.nthreads().values())
                if threads:
                    last_worker = time.monotonic()
                elif time.monotonic() - last_worker > workerless_seconds:
                    raise ServiceUnavailable(
                        "The Dask cluster {address} has no workers. Start some, and repeat the command.",
                        address=address,
                    )
                while waiting and len(running) < PARTS_PER_THREAD * threads:
                    number, names = waiting.popleft()
                    running[client.submit(job.classify, names, pure=False)] = number
                for future in _done(running):
                    yield running.pop(future), future.result()

    return run


def _client(address: str) -> Client:
    with ThreadPoolExecutor(1) as pool:  # this thread may have an event loop, as in a notebook
        pool.submit(asyncio.run, _check_scheduler(address)).result()
    return Client(address, timeout=CONNECT_SECONDS)


async def _check_scheduler(address: str) -> None:
    """Connect to the scheduler once: a client that cannot connect would delay the end of the process."""
    try:
        comm = await connect(address, CONNECT_SECONDS, **Security().get_connection_args("client"))
    except ValueError as error:
        raise InvalidInput(
            "{address} is not the address of a Dask scheduler. Example: tcp://host:8786.", address=address
        ) from error
    await comm.close()


def _done(running: dict[Future[list[Row]], int]) -> list[Future[list[Row]]]:
    """Wait a moment for finished parts, and return them."""
    if not running:
        time.sleep(_POLL_SECONDS)
        return []
    try:
        finished = wait(list(running), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
        return list(finished.done)
    except TimeoutError:
        return []


@contextmanager
def _errors_of(address: str) -> Iterator[None]:
    """Map exceptions of Dask, and those of workers that cannot start the work."""
    try:
        yield
    except CatsDogsError:
        raise
    except KilledWorker as error:
        raise ServiceError(
            "Several workers died while they classified the same photos. See their logs for the reason."
        ) from error
    except (OSError, CancelledError, ClosedClientError) as error:  # time-outs are OSErrors
        raise ServiceUnavailable(
            "The Dask scheduler {address} cannot be reached. The predictions so far are kept: "
            "when it can be reached again, repeat the command.",
            address=address,
        ) from error
    except Exception as error:
        raise ServiceError(
            "The Dask cluster {address} fails: {reason}. "
            "Install the same versions of catsdogs and Python on every worker.",
            address=address,
            reason=error,
        ) from error
