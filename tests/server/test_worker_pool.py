"""The worker pool: no thread is lost, whatever a call raises, and its queue is bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from catsdogs.server.base_handler import status_code_of
from catsdogs.server.worker_pool import QueueFull, WorkerPool

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.mark.parametrize("failure", [RuntimeError, MemoryError, RecursionError])
def test_no_thread_is_lost_to_a_call_that_fails(run_alone: Run, failure: type[BaseException]) -> None:
    def fail() -> None:
        raise failure

    async def work() -> str:
        pool = WorkerPool(threads=2)
        for _ in range(5):
            with pytest.raises(failure):
                await asyncio.wait_for(pool.run(fail), 10)
        assert pool.unfinished == 0
        names = await asyncio.gather(*(pool.run(lambda: threading.current_thread().name) for _ in range(4)))
        pool.close()
        return names[0]

    assert run_alone(work()).startswith("catsdogs")


def test_a_call_is_refused_at_once_where_the_queue_is_full(run_alone: Run) -> None:
    async def work() -> None:
        pool, go = WorkerPool(threads=1, queue_size=2), threading.Event()
        begun = [asyncio.ensure_future(pool.run(go.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as refused:
            await pool.run(go.wait)
        assert (status_code_of(refused.value), refused.value.retry_after) == (503, 1)
        go.set()
        assert await asyncio.gather(*begun) == [True] * 3
        assert await pool.run(go.is_set)
        pool.close()

    run_alone(work())
