"""Answer parts on the workers of a Dask cluster (https://distributed.dask.org)."""

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

from catsdogs.batch.job import Job, Row
from catsdogs.batch.run import Runner
from catsdogs.errors import CatsDogsError, InvalidInput, ServiceError, ServiceUnavailable

CONNECT_SECONDS = 10
WORKERLESS_SECONDS = 60
"""How long a cluster may be without workers: they may be starting, or starting again."""
AHEAD = 2
"""Parts that each thread of the workers has before it."""

_POLL_SECONDS = 2


def on(address: str, workerless_seconds: float = WORKERLESS_SECONDS) -> Runner:
    """Answer parts on the cluster whose scheduler listens at `address`, like ``tcp://host:8786``.

    Workers find the photos under the same path, and a promoted model, too; they have the same catsdogs. A part whose
    worker is lost goes to another.
    """

    def run(job: Job, parts: Iterable[tuple[int, list[str]]]) -> Generator[tuple[int, list[Row]], None, None]:
        waiting = deque(parts)
        running: dict[Future[list[Row]], int] = {}
        seen_worker = time.monotonic()
        with _errors_of(address), _client(address) as client:
            while waiting or running:
                threads = sum(client.nthreads().values())
                if threads:
                    seen_worker = time.monotonic()
                elif time.monotonic() - seen_worker > workerless_seconds:
                    raise ServiceUnavailable(
                        "The Dask cluster {address} has no workers. Start some, and give the same command again.",
                        address=address,
                    )
                while waiting and len(running) < AHEAD * threads:
                    number, names = waiting.popleft()
                    running[client.submit(job.answer, names, pure=False)] = number
                for future in _done(running):
                    yield running.pop(future), future.result()

    return run


def _client(address: str) -> Client:
    with ThreadPoolExecutor(1) as other:  # this thread may have a loop of its own, as in a notebook
        other.submit(asyncio.run, _knock(address)).result()
    return Client(address, timeout=CONNECT_SECONDS)


async def _knock(address: str) -> None:
    """See whether somebody listens: a client that was not answered keeps the process from ending for long."""
    try:
        comm = await connect(address, CONNECT_SECONDS, **Security().get_connection_args("client"))
    except ValueError as error:
        raise InvalidInput(
            "{address} is no address of a Dask scheduler. They look like tcp://host:8786.", address=address
        ) from error
    await comm.close()


def _done(running: dict[Future[list[Row]], int]) -> list[Future[list[Row]]]:
    """Wait a moment for parts that are done."""
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
    """Map what Dask raises, and what a worker raises that cannot even begin."""
    try:
        yield
    except CatsDogsError:
        raise
    except KilledWorker as error:
        raise ServiceError("Several workers died over the same photos. Their logs say why.") from error
    except (OSError, CancelledError, ClosedClientError) as error:  # time-outs are OSErrors
        raise ServiceUnavailable(
            "The Dask scheduler {address} cannot be reached. The answers so far are kept: "
            "when it is back, give the same command again.",
            address=address,
        ) from error
    except Exception as error:
        raise ServiceError(
            "The Dask cluster {address} cannot do this: {reason}. "
            "Install the same catsdogs and Python on every worker.",
            address=address,
            reason=error,
        ) from error
