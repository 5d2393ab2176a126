"""A prediction session: how long until its first widget can be used, and what its kernel weighs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Browser, sync_playwright

from catsdogs import paths

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FIRST_WIDGET = ".catsdogs input[type=file]"
REPEATS = 3


def measure() -> list[tuple[str, str, str]]:
    """Rows (what, value, ratio) for ``make bench``."""
    bare = bare_kernel()
    with served() as (url, server), chromium() as browser:
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


@contextmanager
def served() -> Iterator[tuple[str, psutil.Process]]:
    """Run ``catsdogs serve`` in a folder of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "catsdogs", "serve", "--port", str(port)],
            cwd=folder,
            env=os.environ | {"CATSDOGS_DATA_DIR": f"{folder}/data"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout
        while "catsdogs is ready" not in (line := process.stdout.readline()):
            assert line, "the server does not start"
        try:
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
        finally:
            process.terminate()
            process.communicate(timeout=30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser of the browser tests."""
    path = os.environ.get("CATSDOGS_TEST_BROWSER") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


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
