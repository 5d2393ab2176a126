"""What a prediction session weighs: its kernel, beside one that does nothing."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.manager import start_new_kernel

from catsdogs import files
from tests.serving import chromium, served

MOST_MIB = 60


def measure() -> list[tuple[str, str, str]]:
    """Rows (what, value, ratio) for ``make bench``."""
    bare = bare_kernel()
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder)) as (url, server),
        chromium() as browser,
    ):
        time.sleep(5)
        (spare,) = (megabytes(kernel) for kernel in kernels(server))
        page = browser.new_page()
        page.goto(f"{url}/inference")
        (kernel,) = kernels(server)  # the one that waited
        page.wait_for_selector("body:not(:has(#preload)) .cd-mydata", state="attached")
        time.sleep(1)
        session = megabytes(kernel)
    return [
        ("bare kernel, PSS", f"{bare:.0f} MiB", ""),
        ("kernel that waits for a visitor, PSS", f"{spare:.0f} MiB", f"{spare / bare:.2f} x a bare kernel"),
        (
            "kernel of a prediction session, PSS",
            f"{session:.0f} MiB (target: {MOST_MIB})",
            f"{session / bare:.2f} x a bare kernel",
        ),
    ]


def kernels(server: psutil.Process) -> list[psutil.Process]:
    """List the server's kernels."""
    return [child for child in server.children(recursive=True) if "ipykernel_launcher" in " ".join(child.cmdline())]


def bare_kernel() -> float:
    """Weigh a kernel that has run nothing."""
    manager, client = start_new_kernel(cwd=str(files.notebooks()), stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        return megabytes(psutil.Process(manager.provisioner.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def megabytes(process: psutil.Process) -> float:
    """Proportional set size: shared pages count by the share."""
    return float(process.memory_full_info().pss) / 2**20
