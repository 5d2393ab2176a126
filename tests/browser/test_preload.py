"""The prediction app before its kernel is there: a photo can be brought, and is neither lost nor sent twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from catsdogs.i18n import Translator
from tests import kernel_processes
from tests.browser.app import READY, drop, latest, live

pytestmark = pytest.mark.browser

ROWS = "SELECT count(*) AS n FROM predictions_feedback"


@pytest.fixture(scope="module")
def prepared(launch: Any) -> Any:
    """A server with one kernel that waits for a visitor."""
    return launch(CATSDOGS_SPARE_KERNELS="1")


@pytest.fixture
def open_suspended(prepared: Any) -> Callable[..., Any]:
    """Open the app with a kernel that stands still as long as the context lasts."""

    @contextmanager
    def open_suspended(page: Page, query: str = "") -> Iterator[psutil.Process]:
        deadline = time.monotonic() + 90
        while sessions(prepared) or len(waiting := kernel_processes.kernels(prepared)) != 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        [kernel] = waiting
        kernel.suspend()
        try:
            page.goto(f"{prepared.url}/inference{query}", wait_until="commit")
            expect(page.locator("#preload .cd-drop")).to_be_visible(timeout=READY)
            yield kernel
        finally:
            if kernel.is_running():
                kernel.resume()

    return open_suspended


@pytest.fixture(autouse=True)
def closed(page: Page) -> Iterator[None]:
    """End the visit with its test."""
    yield
    page.goto("about:blank")


def sessions(server: Any) -> int:
    """Count the visits that the server knows of."""
    answer = urllib3.request("GET", f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.api_token}"})
    lines = answer.data.decode().splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("catsdogs_sessions{")))


def choose(page: Page, photo: bytes, *names: str) -> None:
    files = [{"name": name, "mimeType": "image/jpeg", "buffer": photo} for name in names]
    page.set_input_files("input[type=file]", files)  # type: ignore[arg-type]


def count(server: Any) -> int:
    [row] = server.query(ROWS)
    return int(row["n"])


def test_a_photo_brought_before_is_shown_at_once_and_answered_once(
    page: Page, prepared: Any, open_suspended: Any, tmp_path: Path, pictures: dict[str, bytes]
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
    before = count(prepared)
    with open_suspended(page):
        drop(page, photo)
        picture = page.get_by_role("img", name="first.jpg")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > image.naturalHeight)")
        expect(page.get_by_text("Looking at your photo…").first).to_be_visible()
        assert count(prepared) == before
    expect(page.get_by_role("heading", level=2, name=re.compile("a cat"))).to_be_visible(timeout=READY)
    live(page)
    expect(picture).to_be_visible()
    expect(page.locator(".cd-veil")).to_be_hidden()
    assert count(prepared) == before + 1
    row = latest(prepared)
    assert (row["prediction_result"], row["rgpd_consent"], row["filename"]) == ("cat", False, None)
    photos = [frame for frame in sent if b"\xff\xd8\xff" in frame]
    assert len(photos) == 1
    assert b"Secret Camera" not in photos[0]
    choose(page, pictures["jpeg"], "late.jpg")  # and so on, as ever
    expect(page.get_by_role("list", name="Photos of this visit").get_by_role("button")).to_have_count(2, timeout=READY)
    assert count(prepared) == before + 2


def test_what_is_cancelled_before_never_leaves_the_browser(
    page: Page, prepared: Any, open_suspended: Any, pictures: dict[str, bytes]
) -> None:
    before = count(prepared)
    with open_suspended(page):
        choose(page, pictures["jpeg"], "first.jpg", "second.jpg")
        expect(page.get_by_text("Photos that wait: 1")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(page.get_by_text("or drop it here, or paste it")).to_be_visible()
        page.get_by_role("button", name="A drawing of a boat").click()
        expect(page.get_by_role("img", name="A drawing of a boat")).to_be_visible()
    expect(page.get_by_role("heading", level=2, name=re.compile("Nei"))).to_be_visible(timeout=READY)
    live(page)
    expect(page.locator(".cd-photo").get_by_role("alert")).to_be_empty()
    assert count(prepared) == before  # neither what was cancelled, nor a sample


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-GB", "light", 1280), ("fr-FR", "dark", 360), ("en-GB", "light", 3840)]
)
def test_it_is_the_same_page_before_and_after(
    browser: Browser, open_suspended: Any, locale: str, scheme: Any, width: int
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
        live(page)
        assert shown.evaluate_all(boxes) == before
        assert len(before) == 6
        expect(page.get_by_label(_("Choose a photo"))).to_be_focused()
        expect(page.get_by_role("checkbox")).to_have_count(2)
        page.goto("about:blank")  # ends the visit; to close the context would not


def test_a_kernel_that_fails_is_said_and_the_photo_stays(
    page: Page, prepared: Any, open_suspended: Any, pictures: dict[str, bytes]
) -> None:
    before = count(prepared)
    with open_suspended(page) as kernel:
        choose(page, pictures["jpeg"], "first.jpg")
        expect(page.get_by_role("img", name="first.jpg")).to_be_visible()
        kernel.kill()
        banner = page.locator("#session-banner")
        expect(banner).to_contain_text("This session has ended", timeout=READY)
    expect(page.get_by_role("img", name="first.jpg")).to_be_visible()
    assert count(prepared) == before
    banner.get_by_role("link").click()
    live(page)


def test_a_notebook_that_fails_says_so(page: Page, prepared: Any) -> None:
    def without_widget(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("widget-view+json", "something-else"))

    page.route("**/inference", without_widget)
    page.goto(f"{prepared.url}/inference")
    live(page)
    expect(page.locator("#rendered_cells")).to_be_visible()


def test_the_javascript_of_voila_comes_in_one_file(page: Page, prepared: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(prepared.url)))
    page.goto(f"{prepared.url}/inference")
    live(page)
    assert len([path for path in asked if path.startswith("/bundle/")]) == 1
    chunks = [path for path in asked if re.search(r"(/voila/static/|/labextensions/.*/)\d+\.", path)]
    assert chunks == [], "the chunk numbers of Voilà have changed: update catsdogs/server/voila/patches.py"
