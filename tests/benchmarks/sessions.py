"""A prediction session: how long until its first widget can be used, beside other frameworks; its kernel's weight."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import urllib3
from jupyter_client.manager import start_new_kernel
from playwright.sync_api import Browser

from catsdogs import paths
from tests.serving import chromium, free_port, served

FILE = "input[type=file]"
FIRST_WIDGET = f".catsdogs {FILE}"
RIVALS = Path(__file__).parent / "rivals"
MOST_MIB = 60
REPEATS = 5


def measure() -> list[tuple[str, str, str]]:
    """Rows (what, value, ratio) for ``make bench``."""
    bare = bare_kernel()
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder)) as (url, server),
        rival("gradio_app.py") as gradio,
        rival("-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true", "--server.port") as streamlit,
        chromium() as browser,
    ):
        pages = {"ours": (f"{url}/inference", FIRST_WIDGET), "Gradio": (gradio, FILE), "Streamlit": (streamlit, FILE)}
        cold = {name: seconds_to_widget(browser, *page) for name, page in pages.items()}
        rounds = [{name: seconds_to_widget(browser, *page) for name, page in pages.items()} for _ in range(REPEATS)]
        warm = {name: statistics.median(each[name] for each in rounds) for name in pages}
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{url}/inference")
            page.wait_for_selector(FIRST_WIDGET, state="attached")
            time.sleep(1)
            (session,) = (megabytes(kernel) for kernel in kernels(server))
        front = seconds_to_front_page(browser, url)
    return [
        *beside("first visitor", cold),
        *beside("later visitors", warm),
        ("landing page, for comparison", f"{front:.2f} s", f"{front / warm['ours']:.2f} x the app"),
        ("bare kernel, PSS", f"{bare:.0f} MiB", ""),
        (
            "kernel of a prediction session, PSS",
            f"{session:.0f} MiB (target: {MOST_MIB})",
            f"{session / bare:.2f} x a bare kernel",
        ),
    ]


def beside(whom: str, seconds: dict[str, float]) -> list[tuple[str, str, str]]:
    """Say how long visitors wait, here and at the rivals."""
    ours = seconds["ours"]
    return [
        (
            f"GET to first usable widget, {whom}" + ("" if name == "ours" else f", {name}"),
            f"{waited:.2f} s",
            "" if name == "ours" else f"{waited / ours:.2f} x ours" + (" (target: 1)" if name == "Gradio" else ""),
        )
        for name, waited in seconds.items()
    ]


@contextmanager
def rival(*command: str) -> Iterator[str]:
    """Run an app of the same job; give its address."""
    python = Path(sys.prefix) / "rivals" / "bin" / "python"
    if not python.exists():
        sys.exit("Gradio and Streamlit are missing: run `make bench`, which installs them.")
    port = free_port()
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    process = subprocess.Popen(
        [python, *command, str(port)],
        cwd=RIVALS,
        env=os.environ | quiet | {"PYTHONPATH": str(RIVALS.parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None, f"{command} ended"
            with suppress(urllib3.exceptions.HTTPError):
                urllib3.request("GET", address, retries=False)
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def seconds_to_widget(browser: Browser, address: str, widget: str) -> float:
    """Time a visitor with an empty cache."""
    with browser.new_context() as context:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(widget, state="attached")
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
