"""The server under load: 50 open sessions and 8 clients that post photos; compared with V2's design.

``CATSDOGS_BENCH_REQUESTS=10000 make bench ARGS=load`` runs long enough to see whether memory grows.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3
from tornado.websocket import WebSocketClientConnection, websocket_connect

from catsdogs.database import Database, setup
from catsdogs.server.kernels.wire_protocol import PROTOCOL
from catsdogs.settings import Settings
from tests.benchmarks._measuring import Row
from tests.benchmarks.model import photo
from tests.benchmarks.sessions import megabytes
from tests.kernel_processes import kernels_of
from tests.serving import free_port, served

REQUESTS = int(os.environ.get("CATSDOGS_BENCH_REQUESTS", "1000"))
SESSIONS = 50
CLIENTS = 8
TOKEN = "t" * 24
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Run:
    """Responses to the requests of some clients."""

    seconds: float
    latencies: list[float]
    """Latencies of the successful requests, in milliseconds, sorted."""
    statuses: Counter[int]
    processor: float
    """Processor time of the server for a request, in milliseconds; other programs do not change it much."""

    @property
    def p50(self) -> float:
        return self.latencies[len(self.latencies) // 2]

    @property
    def p99(self) -> float:
        return self.latencies[int(0.99 * len(self.latencies))]

    @property
    def rate(self) -> float:
        """Successful requests a second."""
        return len(self.latencies) / self.seconds

    @property
    def errors(self) -> str:
        return ", ".join(f"{n} x {status}" for status, n in sorted(self.statuses.items()) if status != 200) or "none"


def measure(*, tiny: bool = False) -> list[Row]:
    requests, sessions, warming = (4, 2, 4) if tiny else (REQUESTS, SESSIONS, 200)
    jpeg = photo(500, 375)
    limits = {"API_TOKEN": TOKEN, "CATSDOGS_OPERATOR_PASSWORD": "p" * 12, "CATSDOGS_MAX_SESSIONS": str(sessions)}
    limits |= {"CATSDOGS_SESSIONS_PER_ADDRESS": str(sessions)}
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder), **limits) as (url, server),
    ):
        post(url, server, jpeg, clients=CLIENTS, requests=warming)  # warms up
        unloaded = post(url, server, jpeg, clients=1, requests=warming)
        alone = post(url, server, jpeg, clients=CLIENTS, requests=requests)
        with open_sessions(url, sessions):
            time.sleep(0 if tiny else 2)  # their kernels are at rest
            weights = [megabytes(kernel) for kernel in kernels_of(server)]
            before = server.memory_info().rss
            loaded = post(url, server, jpeg, clients=CLIENTS, requests=requests)
            grown = (server.memory_info().rss - before) / 2**20
            eased = post(url, server, jpeg, clients=CLIENTS, requests=requests, rate=alone.rate / 2)
            refused = urllib3.request("GET", f"{url}/inference", retries=False).status
        resident = server.memory_info().rss / 2**20
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder, v2(Path(folder)) as (url, server):
        theirs = post(url, server, jpeg, clients=CLIENTS, requests=min(requests, 200))
    return [
        Row("one photo over REST, one client, p50", f"{unloaded.p50:.1f} ms"),
        Row(f"{CLIENTS} clients, p99", f"{alone.p99:.1f} ms", f"{alone.p99 / unloaded.p50:.1f} x one client's p50"),
        Row(
            f"{CLIENTS} clients beside {len(weights)} sessions, p99",
            f"{loaded.p99:.1f} ms",
            f"{loaded.p99 / unloaded.p50:.1f} x one client's p50",
        ),
        Row(
            f"the same at {eased.rate:.0f} photos a second, half of what it can",
            f"{eased.p99:.1f} ms",
            f"{eased.p99 / unloaded.p50:.1f} x one client's p50",
        ),
        Row(f"errors in {requests:,} requests", loaded.errors),
        Row("page when all sessions are taken", str(refused)),
        Row(f"memory of the server after {requests:,} requests", f"{resident:.0f} MiB", f"{grown:+.1f} MiB"),
        Row(f"{CLIENTS} clients, photos a second", f"{alone.rate:.0f} /s"),
        Row(
            "V2's design: FastAPI, model.predict, a commit each",
            f"{theirs.rate:.1f} /s",
            f"ours is {alone.rate / theirs.rate:.1f} x that",
        ),
        Row("processor time of the server a photo", f"{alone.processor:.1f} ms"),
        Row(
            "V2's design",
            f"{theirs.processor:.1f} ms",
            f"{theirs.processor / alone.processor:.1f} x ours",
        ),
        Row("one of the open sessions, PSS", f"{statistics.mean(weights):.0f} MiB"),
    ]


def post(url: str, server: psutil.Process, jpeg: bytes, *, clients: int, requests: int, rate: float = math.inf) -> Run:
    """Send a photo `requests` times, `clients` at a time, each as soon as it can be; at most `rate` a second."""
    http = urllib3.PoolManager(maxsize=clients, timeout=120, retries=False)

    def send(number: int) -> tuple[int, float]:
        time.sleep(max(0, first + number / rate - time.perf_counter()))
        begun = time.perf_counter()
        fields = {"file": ("bench.jpg", jpeg, "image/jpeg")}
        status = http.request("POST", f"{url}/api/predict", fields=fields, headers=HEADERS).status
        return status, 1000 * (time.perf_counter() - begun)

    first, used = time.perf_counter(), processor_time(server)
    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(send, range(requests)))
    seconds, used = time.perf_counter() - first, processor_time(server) - used
    succeeded = sorted(latency for status, latency in answers if status == 200)
    return Run(seconds, succeeded, Counter(status for status, _ in answers), 1000 * used / requests)


def processor_time(process: psutil.Process) -> float:
    """Seconds of processor time that a process has taken, without its children."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def open_sessions(url: str, n: int) -> Iterator[None]:
    """Hold `n` sessions of the app open, with the requests of a browser."""
    ready, leaving = threading.Event(), threading.Event()

    def load() -> str:
        page = urllib3.request("GET", f"{url}/inference").data.decode()
        found = re.search('data-kernel="(.*?)"', page)
        assert found
        return found[1]

    async def open_one(two: asyncio.Semaphore) -> WebSocketClientConnection:
        async with two:
            address = f"{url.replace('http', 'ws')}/api/kernels/{await asyncio.to_thread(load)}/channels"
            return await websocket_connect(address, subprotocols=[PROTOCOL])

    async def hold() -> None:
        two = asyncio.Semaphore(2)
        sockets = await asyncio.gather(*(open_one(two) for _ in range(n)))
        ready.set()
        await asyncio.to_thread(leaving.wait)
        for socket in sockets:
            socket.close()

    holding = threading.Thread(target=lambda: asyncio.run(hold()))
    holding.start()
    assert ready.wait(300), "the sessions cannot be opened"
    try:
        yield
    finally:
        leaving.set()
        holding.join()


@contextmanager
def v2(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run V2's design, with an embedded PostgreSQL of its own."""
    database = Database(Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder))
    setup.ensure(database)
    port = free_port()
    environment = os.environ | {
        "V2_DATABASE": database.url("catsdogs").render_as_string(hide_password=False),
        "API_TOKEN": TOKEN,
        "PORT": str(port),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", "tests.benchmarks._v2"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        while "V2 is ready" not in (line := process.stdout.readline()):
            assert line, "V2's design does not start"
        time.sleep(1)
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=30)
        database.close()
