"""Memory of a prediction session's kernel, compared with a kernel that runs nothing."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import start_new_kernel

from catsdogs import files
from tests.benchmarks._measuring import Row
from tests.serving import chromium, served
from tests.waiting import until

MOST_MIB = 60


def measure(*, tiny: bool = False) -> list[Row]:
    bare = bare_kernel(rest=0 if tiny else 1)
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder)) as (url, server),
        chromium() as browser,
    ):
        kernel, *_ = until(lambda: kernels(server), "there is no kernel in the warm pool")
        time.sleep(0 if tiny else 5)  # it is at rest
        waiting = megabytes(kernel)
        page = browser.new_page()
        page.goto(f"{url}/inference")
        page.wait_for_selector("body:not(:has(#preload)) .cd-mydata", state="attached")
        time.sleep(0 if tiny else 1)
        session = megabytes(kernel)
    return [
        Row("bare kernel, PSS", f"{bare:.0f} MiB"),
        Row("kernel in the warm pool, PSS", f"{waiting:.0f} MiB", f"{waiting / bare:.2f} x a bare kernel"),
        Row(
            "kernel of a prediction session, PSS",
            f"{session:.0f} MiB (target: {MOST_MIB})",
            f"{session / bare:.2f} x a bare kernel",
        ),
    ]


def kernels(server: psutil.Process) -> list[psutil.Process]:
    """List the server's kernels."""
    return [child for child in server.children(recursive=True) if "ipykernel_launcher" in " ".join(child.cmdline())]


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
