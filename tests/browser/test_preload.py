"""The preloaded parts of the prediction app: a photo is neither lost nor sent twice before the kernel is ready."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, Route, expect

from catsdogs.i18n import Translator
from tests import kernel_processes
from tests.browser.app import READY, drop, latest_row, wait_for_kernel
from tests.serving import Launch, RunningServer
from tests.waiting import until

pytestmark = pytest.mark.browser

OpenSuspended = Callable[..., AbstractContextManager[psutil.Process]]

ROWS = "SELECT count(*) AS n FROM predictions_feedback"


@pytest.fixture(scope="module")
def own_server(launch: Launch) -> RunningServer:
    """A server whose only kernel is that of the test's page."""
    return launch()


@pytest.fixture
def open_suspended(own_server: RunningServer) -> OpenSuspended:
    """Open the app with a kernel whose process is suspended, from its start until the context ends."""

    @contextmanager
    def open_suspended(page: Page, query: str = "") -> Iterator[psutil.Process]:
        for earlier in kernel_processes.kernels(own_server):
            earlier.kill()
        until(lambda: not kernel_processes.kernels(own_server))
        zygote = until(lambda: kernel_processes.zygote(own_server), retry_on=StopIteration).pid

        def suspend() -> psutil.Process:
            children = Path(f"/proc/{zygote}/task/{zygote}/children")
            pid = until(children.read_text, interval=0.001)
            os.kill(int(pid), signal.SIGSTOP)
            return psutil.Process(int(pid))

        with ThreadPoolExecutor(1) as pool:
            suspending = pool.submit(suspend)
            page.goto(f"{own_server.url}/inference{query}", wait_until="commit")
            kernel = suspending.result()
        try:
            expect(page.locator("#preload .cd-drop")).to_be_visible(timeout=READY)
            yield kernel
        finally:
            if kernel.is_running():
                kernel.resume()

    return open_suspended


@pytest.fixture(autouse=True)
def closed(page: Page) -> Iterator[None]:
    """End the session with the test."""
    yield
    page.goto("about:blank")


def choose(page: Page, photo: bytes, *names: str) -> None:
    files = [{"name": name, "mimeType": "image/jpeg", "buffer": photo} for name in names]
    page.set_input_files("input[type=file]", files)  # type: ignore[arg-type]


def count(server: RunningServer) -> int:
    [row] = server.query(ROWS)
    return int(row["n"])


def test_a_photo_is_shown_at_once_and_predicted_once(
    page: Page, own_server: RunningServer, open_suspended: OpenSuspended, tmp_path: Path, pictures: dict[str, bytes]
) -> None:
    photo = tmp_path / "first.jpg"
    photo.write_bytes(pictures["lying"])
    sent: list[bytes] = []
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framesent", lambda data: sent.append(bytes(data, "latin1") if isinstance(data, str) else data)
        ),
    )
    before = count(own_server)
    with open_suspended(page):
        drop(page, photo)
        picture = page.get_by_role("img", name="first.jpg")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > image.naturalHeight)")
        expect(page.get_by_text("Your photo waits: the page is still loading…").first).to_be_visible()
        assert count(own_server) == before
    expect(page.get_by_role("heading", level=2, name=re.compile("a cat"))).to_be_visible(timeout=READY)
    wait_for_kernel(page)
    expect(picture).to_be_visible()
    expect(page.locator(".cd-overlay")).to_be_hidden()
    assert count(own_server) == before + 1
    row = latest_row(own_server)
    assert (row["prediction_result"], row["rgpd_consent"], row["filename"]) == ("cat", False, None)
    photos = [frame for frame in sent if b"\xff\xd8\xff" in frame]
    assert len(photos) == 1
    assert b"Secret Camera" not in photos[0]
    choose(page, pictures["jpeg"], "late.jpg")  # the next one, sent by the kernel's own widget
    expect(page.get_by_role("list", name="Photos of this visit").get_by_role("button")).to_have_count(2, timeout=READY)
    assert count(own_server) == before + 2


def test_a_photo_that_is_cancelled_never_leaves_the_browser(
    page: Page, own_server: RunningServer, open_suspended: OpenSuspended, pictures: dict[str, bytes]
) -> None:
    before = count(own_server)
    with open_suspended(page):
        choose(page, pictures["jpeg"], "first.jpg", "second.jpg")
        expect(page.get_by_text("Photos that wait: 1")).to_be_visible()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_hidden()
        expect(page.get_by_text("or drop it here, or paste it")).to_be_visible()
        page.get_by_role("button", name="A drawing of a dog").click()
        expect(page.get_by_role("img", name="A drawing of a dog")).to_be_visible()
    expect(page.get_by_role("heading", level=2, name=re.compile("Nei"))).to_be_visible(timeout=READY)
    wait_for_kernel(page)
    expect(page.locator(".cd-photo").get_by_role("alert")).to_be_empty()
    assert count(own_server) == before  # neither the cancelled photo nor the sample


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-GB", "light", 1280), ("fr-FR", "dark", 360), ("en-GB", "light", 3840)]
)
def test_the_widgets_have_the_same_positions_as_the_preloaded_parts(
    browser: Browser, open_suspended: OpenSuspended, locale: str, scheme: Any, width: int
) -> None:
    _ = Translator(locale[:2])
    boxes = "parts => parts.map(part => Object.values(part.getBoundingClientRect().toJSON()))"
    with browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        shown = page.locator(":is(.cd-header, .cd-photo, .cd-drop, .cd-samples img):visible")
        with open_suspended(page):
            expect(page.get_by_role("heading", level=1)).to_have_text(_("Cat or dog?"))
            page.get_by_label(_("Choose a photo")).focus()
            expect(page.get_by_text(_("Getting everything ready…"))).to_be_visible()
            for image in page.locator("#preload img").all():  # not by wait_for_function: the page allows no eval
                expect(image).to_have_js_property("complete", True)
            assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
            assert page.evaluate("document.documentElement.scrollWidth") == width
            before = shown.evaluate_all(boxes)
        wait_for_kernel(page)
        assert shown.evaluate_all(boxes) == before
        assert len(before) == 7
        expect(page.get_by_label(_("Choose a photo"))).to_be_focused()
        expect(page.locator(".cd-consent")).to_be_visible()
        page.goto("about:blank")  # ends the session; closing the context would not


def test_a_photo_that_waits_for_a_kernel_that_dies_is_named_on_the_page_that_opens_by_itself(
    page: Page, own_server: RunningServer, open_suspended: OpenSuspended, pictures: dict[str, bytes]
) -> None:
    before = count(own_server)
    with open_suspended(page) as kernel:
        choose(page, pictures["jpeg"], "first.jpg")
        expect(page.get_by_role("img", name="first.jpg")).to_be_visible()
        with page.expect_navigation(timeout=READY):
            kernel.kill()
    wait_for_kernel(page)
    expect(page.get_by_role("alert").filter(has_text="first.jpg")).to_have_text(
        "No answer came for first.jpg: choose it again."
    )
    assert count(own_server) == before


def test_the_output_of_a_notebook_that_fails_is_shown(page: Page, own_server: RunningServer) -> None:
    def without_widget(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("data-model", "data-nothing"))

    page.route("**/inference", without_widget)
    page.goto(f"{own_server.url}/inference")
    wait_for_kernel(page)
    expect(page.locator("#rendered_cells")).to_be_visible()


def test_a_first_visit_loads_little_and_nothing_of_voilas_scripts(
    page: Page, own_server: RunningServer, pictures: dict[str, bytes]
) -> None:
    scripts: list[Response] = []

    def note(response: Response) -> None:
        if response.request.resource_type == "script" and response.url.startswith("http"):
            scripts.append(response)

    page.on("response", note)
    page.goto(f"{own_server.url}/inference")
    choose(page, pictures["jpeg"], "first.jpg")
    expect(page.get_by_role("heading", level=2, name=re.compile("a cat"))).to_be_visible(timeout=READY)
    names = [response.url.partition("?")[0].rpartition("/")[2] for response in scripts]
    assert sorted(names) == ["front_end.js", "inference.js"]
    assert sum(len(response.body()) for response in scripts) < 500_000
    assert sum(response.request.sizes()["responseBodySize"] for response in scripts) < 150_000


def test_a_photo_is_answered_where_the_scripts_of_the_widgets_take_longer_than_two_seconds(
    page: Page, own_server: RunningServer, pictures: dict[str, bytes]
) -> None:
    page.add_init_script("""
        const create = URL.createObjectURL;
        const wait = "await new Promise((resolve) => setTimeout(resolve, 2500));";
        URL.createObjectURL = (blob) => create(blob.type === "text/javascript" ? new Blob([wait, blob], blob) : blob);
    """)
    page.goto(f"{own_server.url}/inference")
    wait_for_kernel(page)
    choose(page, pictures["jpeg"], "patient.jpg")
    expect(page.get_by_role("heading", level=2, name=re.compile("a cat"))).to_be_visible(timeout=READY)
