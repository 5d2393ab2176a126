"""Time until a photo can be sent, and until it is answered, compared with other frameworks, on fast and slow lines.

Chromium slows a line down, websockets included: it delays each request by one round trip, and limits bytes a second.
"""

from __future__ import annotations

import io
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
from PIL import Image, ImageChops
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


@dataclass(frozen=True)
class Line:
    """A slow line of a phone, as browsers' developer tools define it."""

    name: str
    kilobits: int
    """Kilobits a second, in each direction."""
    latency: int
    """Milliseconds of a round trip."""
    photo: bytes | Path


OURS = (".cd-drop input", ".cd-answer h2", "body:not(:has(#preload)) .cd-mydata")
"""Selectors of our app: input, answer, live."""


def measure(*, tiny: bool = False) -> list[Row]:
    pause = 0 if tiny else PAUSE
    lines = [] if tiny else [Line("slow 3G", 400, 400, PHOTO), Line("fast 3G", 1600, 150, photo_of_a_phone())]
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
        compared = {name: app for name, app in apps.items() if name in ("", ", Gradio")}
        slow = {line.name: median_of([visit(browser, compared, 0, line) for _ in range(REPEATS)]) for line in lines}
    rows = [*compare("first visitor", first), *compare("later visitors", median_of(rounds))]
    return rows + [row for name, waits in slow.items() for row in compare(name, waits)]


def photo_of_a_phone() -> bytes:
    """Return a photo of 12 megapixels, as phones take it."""
    with Image.open(PHOTO) as photo:
        large = photo.resize((4000, 3000), Image.Resampling.BICUBIC)
    noise = Image.effect_noise(large.size, 24)
    stream = io.BytesIO()
    ImageChops.add(large, noise.convert("RGB"), offset=-128).save(stream, "JPEG", quality=90)
    return stream.getvalue()


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
    received: float
    """Kilobytes that the page has received until then, compressed as they were sent."""


class Visit:
    """A page that is opened with an empty cache."""

    def __init__(self, page: Page, app: App, line: Line | None) -> None:
        self.page, self.app, self.line = page, app, line
        self.received = 0
        self.begun = 0.0

    def open(self) -> None:
        """Open the page, and count what it receives."""
        devtools = self.page.context.new_cdp_session(self.page)
        devtools.send("Network.enable")
        if self.line:
            throughput = {f"{way}Throughput": self.line.kilobits * 125 for way in ("download", "upload")}
            conditions = {"offline": False, "latency": self.line.latency} | throughput
            devtools.send("Network.emulateNetworkConditions", conditions)
        devtools.on("Network.dataReceived", lambda event: self._count(event["encodedDataLength"]))
        devtools.on("Network.webSocketFrameReceived", lambda event: self._count(len(event["response"]["payloadData"])))
        self.begun = time.perf_counter()
        self.page.goto(self.app.address, wait_until="commit")

    def _count(self, size: float) -> None:
        self.received += int(size)

    def wait_for(self, selector: str, *, visible: bool = False) -> float:
        """Wait for an element; return the seconds since the request of the page."""
        self.page.wait_for_selector(selector, state="visible" if visible else "attached", timeout=180_000)
        return time.perf_counter() - self.begun

    def give_photo(self) -> None:
        """Choose the photo of the line."""
        photo = self.line.photo if self.line else PHOTO
        file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo} if isinstance(photo, bytes) else photo
        self.page.set_input_files(self.app.input, file)  # type: ignore[arg-type]


def visit(browser: Browser, apps: dict[str, App], pause: float, line: Line | None = None) -> dict[str, WaitingTimes]:
    """Open each app twice with an empty cache: with a photo at the first possible moment, and without one."""
    with_photo, alone = {}, {}
    for name, app in apps.items():
        with visited(browser, app, pause, line) as one:
            usable = one.wait_for(app.input)
            one.give_photo()
            with_photo[name] = usable, one.wait_for(app.answer, visible=True)
    for name, app in apps.items():
        with visited(browser, app, pause, line) as one:
            alone[name] = one.wait_for(app.live), one.received / 1000
    return {name: WaitingTimes(*with_photo[name], *alone[name]) for name in apps}


@contextmanager
def visited(browser: Browser, app: App, pause: float, line: Line | None) -> Iterator[Visit]:
    """Open a page."""
    with browser.new_context() as context:
        one = Visit(context.new_page(), app, line)
        one.open()
        yield one
    time.sleep(pause)  # the next visitor does not come at the same moment


def median_of(rounds: list[dict[str, WaitingTimes]]) -> dict[str, WaitingTimes]:
    """Return the medians of some rounds of visits, by app."""
    return {name: median([each[name] for each in rounds]) for name in rounds[0]}


def median(waits: list[WaitingTimes]) -> WaitingTimes:
    """Return the median of each field."""
    return WaitingTimes(
        *(statistics.median(values) for values in zip(*(vars(each).values() for each in waits), strict=True))
    )


def compare(whom: str, waits: dict[str, WaitingTimes]) -> list[Row]:
    """Return the rows on how long visitors wait, in our app and in others."""
    kinds = {
        "usable": ("GET to first usable widget", "{:.2f} s"),
        "answered": ("GET to the answer for a photo given at that moment", "{:.2f} s"),
        "live": ("GET to the whole app", "{:.2f} s"),
        "received": ("received for the whole app", "{:.0f} kB"),
    }
    rows = []
    for kind, (what, form) in kinds.items():
        ours = getattr(waits[""], kind)
        for name, each in waits.items():
            waited = getattr(each, kind)
            target = " (target: 1)" if "Gradio" in name else ""
            rows.append(
                Row(f"{what}, {whom}{name}", form.format(waited), f"{waited / ours:.2f} x ours{target}" if name else "")
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
