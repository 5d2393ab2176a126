"""Memory of sessions: one of several kernels, of both apps, and all of them with the server."""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import urllib3
from jupyter_client.manager import start_new_kernel

from catsdogs import files, samples
from catsdogs.server.kernels.base import OPERATOR_SESSIONS
from tests.benchmarks._measuring import Row
from tests.kernel_processes import kernels_of
from tests.serving import served

NUMBERS = (6, 30, 100)
"""Numbers of open pages."""
MOST_MIB, MOST_DASHBOARD_MIB, MOST_GIB = 24, 60, 2.6
TOKEN, PASSWORD = "t" * 24, "open sesame"


@dataclass(frozen=True)
class Measured:
    """What was measured with a number of open pages."""

    session: float
    """Proportional set size of a kernel, in MiB."""
    everything: float
    """That of all kernels, the process they are forked from, and the server, in MiB; without the database."""
    loading: float
    """Median time until the whole page was sent, its notebook included, in seconds."""


def measure(*, tiny: bool = False) -> list[Row]:
    numbers = (1, 2) if tiny else NUMBERS
    rest = 0 if tiny else 3
    bare = bare_kernel(rest)
    rows = [Row("kernel that runs nothing, as Jupyter starts it, PSS", f"{bare:.0f} MiB")]
    for number in numbers:
        found = sessions("/inference", number, rest)
        target = f" (target: {MOST_GIB:.1f} GiB)" if number == max(NUMBERS) else ""
        rows += [
            Row(
                f"one of {number} prediction sessions, PSS",
                f"{found.session:.1f} MiB (target: {MOST_MIB})",
                f"{found.session / bare:.2f} x that",
            ),
            Row(f"{number} sessions and the server", f"{found.everything / 1024:.2f} GiB{target}"),
            Row(f"GET of the whole page, median of {number}", f"{found.loading:.2f} s"),
        ]
    dashboards = sessions("/monitoring", OPERATOR_SESSIONS, rest)
    return [
        *rows,
        Row(
            f"one of {OPERATOR_SESSIONS} dashboard sessions, PSS",
            f"{dashboards.session:.1f} MiB (target: {MOST_DASHBOARD_MIB})",
            f"{dashboards.session / bare:.2f} x that",
        ),
    ]


def sessions(path: str, number: int, rest: float) -> Measured:
    """Open pages of an app one after the other, and measure the memory `rest` seconds later."""
    settings = {
        "API_TOKEN": TOKEN,
        "CATSDOGS_OPERATOR_PASSWORD": PASSWORD,
        "CATSDOGS_MAX_SESSIONS": str(number),
        "CATSDOGS_SESSIONS_PER_ADDRESS": str(number),
    }
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder, served(Path(folder), **settings) as (url, it):
        time.sleep(rest)
        http = urllib3.PoolManager(timeout=60, retries=False)
        predict(http, url)
        headers = sign_in(http, url)
        seconds = [open_page(http, url + path, headers) for _ in range(number)]
        time.sleep(rest)
        weights = [megabytes(kernel) for kernel in kernels_of(it)]
        zygotes = [megabytes(child) for child in it.children() if child.name() != "postgres"]
        return Measured(
            statistics.mean(weights), sum(weights) + sum(zygotes) + megabytes(it), statistics.median(seconds)
        )


def predict(http: urllib3.PoolManager, url: str) -> None:
    """Record a prediction, so that the dashboard has something to draw."""
    fields = {"file": ("cat.jpg", (samples.FOLDER / "chelsea.jpg").read_bytes(), "image/jpeg")}
    http.request("POST", f"{url}/api/predict", fields=fields, headers={"Authorization": f"Bearer {TOKEN}"})


def sign_in(http: urllib3.PoolManager, url: str) -> dict[str, str]:
    """Sign the operator in, and return the headers of further requests."""
    cookie = http.request("GET", f"{url}/login").headers["Set-Cookie"].split(";")[0]
    fields = {"password": PASSWORD, "_xsrf": cookie.partition("=")[2]}
    answer = http.request("POST", f"{url}/login", fields=fields, headers={"Cookie": cookie}, redirect=False)
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


def open_page(http: urllib3.PoolManager, address: str, headers: dict[str, str]) -> float:
    """Load a page, send its first heartbeat, and return the seconds until it was loaded."""
    begun = time.perf_counter()
    page = http.request("GET", address, headers=headers)
    seconds = time.perf_counter() - begun
    found = re.search('data-kernel="(.*?)"', page.data.decode())
    assert found, page.status
    heartbeat = f"{address.rpartition('/')[0]}/session/{found[1]}"
    assert http.request("GET", heartbeat, headers=headers).status == 204
    return seconds


def bare_kernel(rest: float) -> float:
    """Return the memory of a kernel that has run nothing, `rest` seconds after its start."""
    manager, client = start_new_kernel(cwd=str(files.notebooks()), stderr=subprocess.DEVNULL)
    try:
        time.sleep(rest)
        provisioner: Any = manager.provisioner  # the local one, which has a pid
        return megabytes(psutil.Process(provisioner.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def megabytes(process: psutil.Process) -> float:
    """Return the proportional set size in MiB: a page that n processes share counts 1/n."""
    return float(process.memory_full_info().pss) / 2**20
