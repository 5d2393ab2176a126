"""A prediction session: how long until its first widget can be used, and what its kernel weighs."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Browser

from catsdogs import paths
from tests.serving import chromium, served

FIRST_WIDGET = ".catsdogs input[type=file]"
REPEATS = 3


def measure() -> list[tuple[str, str, str]]:
    """Rows (what, value, ratio) for ``make bench``."""
    bare = bare_kernel()
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder)) as (url, server),
        chromium() as browser,
    ):
        cold = seconds_to_widget(browser, url)
        seconds = sorted(seconds_to_widget(browser, url) for _ in range(REPEATS))
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{url}/inference")
            page.wait_for_selector(FIRST_WIDGET, state="attached")
            time.sleep(1)
            (session,) = (megabytes(kernel) for kernel in kernels(server))
        front = seconds_to_front_page(browser, url)
    warm = seconds[len(seconds) // 2]
    return [
        ("GET to first usable widget, first visitor", f"{cold:.2f} s", ""),
        ("GET to first usable widget, later visitors", f"{warm:.2f} s", f"{warm / cold:.2f} x the first"),
        ("landing page, for comparison", f"{front:.2f} s", f"{front / warm:.2f} x the app"),
        ("bare kernel, PSS", f"{bare:.0f} MiB", ""),
        ("kernel of a prediction session, PSS", f"{session:.0f} MiB", f"{session / bare:.2f} x a bare kernel"),
    ]


def seconds_to_widget(browser: Browser, url: str) -> float:
    """Time a visitor with an empty cache."""
    with browser.new_context() as context:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(f"{url}/inference", wait_until="commit")
        page.wait_for_selector(FIRST_WIDGET, state="attached")
        return time.perf_counter() - begun


def seconds_to_front_page(browser: Browser, url: str) -> float:
    """Time a page without a kernel."""
    with browser.new_context() as context:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(url)
        return time.perf_counter() - begun


def kernels(server: psutil.Process) -> list[psutil.Process]:
    """List the server's kernels."""
    return [child for child in server.children(recursive=True) if "ipykernel_launcher" in " ".join(child.cmdline())]


def bare_kernel() -> float:
    """Weigh a kernel that has run nothing."""
    manager, client = start_new_kernel(cwd=str(paths.notebooks()), stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        return megabytes(psutil.Process(manager.provisioner.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def megabytes(process: psutil.Process) -> float:
    """Proportional set size: shared pages count by the share."""
    return float(process.memory_full_info().pss) / 2**20
