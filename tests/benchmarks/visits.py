"""Time until a photo can be sent, and until it is answered, compared with other frameworks."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from playwright.sync_api import Browser, Page

from catsdogs import samples
from tests.benchmarks._measuring import Row
from tests.serving import chromium, free_port, served
from tests.waiting import until

RIVALS = Path(__file__).parent / "rivals"
PYTHON = Path(sys.prefix) / "rivals" / "bin" / "python"
"""Interpreter of the environment that holds Gradio and Streamlit."""
REPEATS = 3
PAUSE = 1.0
"""Seconds between two visitors."""
PHOTO = samples.FOLDER / "chelsea.jpg"


@dataclass(frozen=True)
class App:
    """A prediction app: its address, and selectors of what the benchmark waits for."""

    address: str
    input: str
    """File input, which appears first."""
    answer: str
    live: str
    """Element that appears last."""


OURS = (".cd-drop input", ".cd-answer h2", "body:not(:has(#preload)) .cd-mydata")
"""Selectors of our app: input, answer, live."""


def measure(*, tiny: bool = False) -> list[Row]:
    pause = 0 if tiny else PAUSE
    with ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="catsdogs-bench-"))
        url, _ = running.enter_context(served(Path(folder)))
        apps = {"": App(f"{url}/inference", *OURS)}
        if not tiny:
            apps |= running.enter_context(other_frameworks())
        browser = running.enter_context(chromium())
        time.sleep(5 * pause)  # until the servers are at rest
        browser.new_page().goto("about:blank")  # until the browser is ready
        first = visit(browser, apps, pause)
        rounds = [visit(browser, apps, pause) for _ in range(1 if tiny else REPEATS)]
    later = {name: median([each[name] for each in rounds]) for name in apps}
    return [*compare("first visitor", first), *compare("later visitors", later)]


@contextmanager
def other_frameworks() -> Iterator[dict[str, App]]:
    """Run the same app in Gradio and in Streamlit."""
    streamlit_options = ("--server.headless", "true", "--server.port")
    with (
        rival("gradio_app.py") as gradio,
        rival("-m", "streamlit", "run", "streamlit_app.py", *streamlit_options) as streamlit,
    ):
        yield {
            ", Gradio": App(gradio, "input[type=file]", "[data-testid=label-output-value]", "input[type=checkbox]"),
            ", Streamlit": App(streamlit, "input[type=file]", "h3", "input[type=checkbox]"),
        }


@dataclass(frozen=True)
class WaitingTimes:
    """Seconds since the request of the page."""

    usable: float
    """Until a photo can be chosen."""
    answered: float
    """Until the answer for a photo that was chosen at that moment."""
    live: float
    """Until the page is complete, without a photo."""


def visit(browser: Browser, apps: dict[str, App], pause: float) -> dict[str, WaitingTimes]:
    """Open each app twice with an empty cache: with a photo at the first possible moment, and without one."""
    with_photo, live = {}, {}
    for name, app in apps.items():
        with opened(browser, app, pause) as (page, begun):
            page.wait_for_selector(app.input, state="attached")
            usable = time.perf_counter() - begun
            page.set_input_files(app.input, PHOTO)
            page.wait_for_selector(app.answer)
            with_photo[name] = usable, time.perf_counter() - begun
    for name, app in apps.items():
        with opened(browser, app, pause) as (page, begun):
            page.wait_for_selector(app.live, state="attached")
            live[name] = time.perf_counter() - begun
    return {name: WaitingTimes(*with_photo[name], live[name]) for name in apps}


@contextmanager
def opened(browser: Browser, app: App, pause: float) -> Iterator[tuple[Page, float]]:
    """Open a page; yield it with the time of its request."""
    with browser.new_context() as context:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(app.address, wait_until="commit")
        yield page, begun
    time.sleep(pause)  # the next visitor does not come at the same moment


def median(waits: list[WaitingTimes]) -> WaitingTimes:
    """Return the median of each field."""
    return WaitingTimes(
        *(statistics.median(values) for values in zip(*(vars(each).values() for each in waits), strict=True))
    )


def compare(whom: str, waits: dict[str, WaitingTimes]) -> list[Row]:
    """Return the rows on how long visitors wait, in our app and in others."""
    kinds = {
        "usable": "GET to first usable widget",
        "answered": "GET to the answer for a photo given at that moment",
        "live": "GET to the whole app",
    }
    rows = []
    for kind, what in kinds.items():
        ours = getattr(waits[""], kind)
        for name, each in waits.items():
            waited = getattr(each, kind)
            target = " (target: 1)" if "Gradio" in name else ""
            rows.append(
                Row(f"{what}, {whom}{name}", f"{waited:.2f} s", f"{waited / ours:.2f} x ours{target}" if name else "")
            )
    return rows


@contextmanager
def rival(*command: str) -> Iterator[str]:
    """Run an app of another framework; yield its address."""
    if not PYTHON.exists():
        sys.exit("Gradio and Streamlit are missing: run `make bench`, which installs them.")
    port = free_port()
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    process = subprocess.Popen(
        [PYTHON, *command, str(port)],
        cwd=RIVALS,
        env=os.environ | quiet | {"PYTHONPATH": str(RIVALS.parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, f"{command} ended"
        return bool(urllib3.request("GET", address, retries=False).status)

    try:
        until(answers, f"{command} does not answer", timeout=60, interval=0.1, retry_on=urllib3.exceptions.HTTPError)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
