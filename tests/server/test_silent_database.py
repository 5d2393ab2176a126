"""A server whose PostgreSQL is frozen answers photos and health checks soon, and figures with a clear error."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import urllib3

from catsdogs.database import postgres
from tests.serving import Launch, RunningServer
from tests.waiting import until

SOON = 10.0
"""Seconds; the limits are 1 and 2, and a machine may be busy."""


def freeze(server: RunningServer) -> list[psutil.Process]:
    pgdata = (server.settings.data_dir / "postgresql").resolve()
    frozen = []
    for process in [process for process in psutil.process_iter() if postgres.is_server_process(process, pgdata)]:
        with suppress(psutil.NoSuchProcess):  # one that had just done its work
            process.suspend()
            frozen.append(process)
    return frozen


def resume(frozen: list[psutil.Process]) -> None:
    for process in frozen:
        with suppress(psutil.NoSuchProcess):  # its client had given up
            process.resume()


@contextmanager
def resumed(frozen: list[psutil.Process]) -> Iterator[None]:
    try:
        yield
    finally:
        resume(frozen)


def test_predictions_and_health_do_not_wait_for_figures_and_the_server_ends(launch: Launch, cat_jpeg: bytes) -> None:
    server = launch()
    http = urllib3.PoolManager(
        headers={"Authorization": f"Bearer {server.api_token}"}, timeout=60, retries=False, maxsize=40
    )

    def get(path: str) -> Any:
        return http.request("GET", server.url + path)

    def predict() -> Any:
        photo = ("cat.jpg", cat_jpeg, "image/jpeg")
        begin = time.monotonic()
        answer = http.request("POST", f"{server.url}/api/predict", fields={"file": photo, "rgpd_consent": "true"})
        assert time.monotonic() - begin < SOON
        assert (answer.status, answer.json()["recorded"]) == (200, True), answer.data
        return answer.json()

    assert predict()["stored"] is True
    assert get("/api/statistics").status == 200
    frozen = freeze(server)
    with resumed(frozen), ThreadPoolExecutor(24) as threads:
        figures = [threads.submit(get, "/api/statistics") for _ in range(24)]
        for _ in range(4):
            assert predict()["stored"] is False
            begin = time.monotonic()
            health = get("/health").json()
            assert time.monotonic() - begin < SOON / 2
            assert health["degraded"] == ["database"]
            assert get("/health/ready").status == 200
        assert not all(figure.done() for figure in figures)
        resume(frozen)
        assert {figure.result().status for figure in figures} <= {200, 503}
    until(lambda: get("/health").json()["status"] == "healthy", timeout=60)
    assert get("/api/statistics").json()["total_predictions"] == 5

    frozen = freeze(server)
    with ThreadPoolExecutor(1) as threads, resumed(frozen):
        waiting = threads.submit(get, "/api/statistics")
        until(lambda: get("/health").json()["status"] == "degraded")
        assert server.stop(signal.SIGTERM) == 0
        assert waiting.exception() or waiting.result().status == 503
    psutil.wait_procs(frozen, timeout=30)
    assert not any(process.is_running() for process in frozen), "PostgreSQL had been told to stop"
