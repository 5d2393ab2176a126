"""The session of a page in a real browser: what it loads, how it ends, and what the page shows then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import psutil
import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, expect

from tests import kernel_processes
from tests.browser.app import READY, wait_for_kernel
from tests.serving import RunningServer
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def kernel(server: RunningServer, page: Page) -> psutil.Process:
    """Open the prediction app, and return the process of its kernel."""
    page.goto(f"{server.url}/inference")
    wait_for_kernel(page)
    return kernel_processes.kernel_of(page, server)


def test_the_landing_page_leads_to_the_app_in_the_visitors_language(server: RunningServer, page: Page) -> None:
    page.goto(f"{server.url}/?lang=fr")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.locator(".hero .button").click()
    page.wait_for_url("**/inference?lang=fr")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".catsdogs").first).to_be_visible(timeout=READY)


@pytest.mark.parametrize("path", ["/inference", "/monitoring"])
def test_a_page_loads_everything_from_this_server_and_writes_nothing_to_the_console(
    server: RunningServer, page: Page, path: str
) -> None:
    addresses: list[str] = []
    messages: list[str] = []

    def note_request(request: Request) -> None:
        addresses.append(request.url)

    def note_message(message: ConsoleMessage) -> None:
        if message.type != "debug":  # JupyterLab's own; browsers do not show them
            messages.append(f"{message.type}: {message.text}")

    if path == "/monitoring":
        sign_in(page, server)
    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"{server.url}{path}")
    wait_for_kernel(page)
    expect(page.locator(".cd-mydata, .cd-health").first).to_be_visible(timeout=READY)
    page.wait_for_load_state("networkidle")
    assert f"{server.url}{path}" in addresses
    assert [address for address in addresses if not address.startswith(("data:", "blob:", server.url))] == []
    assert messages == []


@pytest.mark.parametrize("path", ["/inference", "/monitoring"])
def test_a_second_visit_transfers_only_what_is_new(server: RunningServer, page: Page, path: str) -> None:
    if path == "/monitoring":
        sign_in(page, server)
    for _ in range(2):
        page.goto("about:blank")
        with transferred(page) as sizes:
            page.goto(f"{server.url}{path}")
            wait_for_kernel(page)
            expect(page.locator(".cd-mydata, .cd-health").first).to_be_visible(timeout=READY)
            page.wait_for_load_state("networkidle")
    assert 5_000 < sum(sizes) < 60_000


@contextmanager
def transferred(page: Page) -> Iterator[list[int]]:
    """Yield the list to which the sizes of responses and of websocket messages to the page are added, in bytes."""
    sizes: list[int] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    devtools.on("Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"])))
    yield sizes
    devtools.detach()


def sign_in(page: Page, server: RunningServer) -> None:
    page.goto(f"{server.url}/login")
    page.get_by_label("Password").fill(server.operator_password)
    page.get_by_role("button").click()
    page.wait_for_url("**/monitoring", wait_until="commit")


def test_a_theme_in_the_address_runs_no_script(server: RunningServer, page: Page) -> None:
    alerts: list[str] = []

    def note_alert(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note_alert)
    page.goto(f"{server.url}/inference?theme=%22%3E%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.locator(".catsdogs").first).to_be_visible(timeout=READY)
    assert alerts == []


def test_a_tab_that_closes_stops_its_kernel(page: Page, kernel: psutil.Process) -> None:
    page.close(run_before_unload=True)
    until(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, timeout=10)


def test_a_session_that_ended_is_shown_and_a_reload_starts_another(page: Page, kernel: psutil.Process) -> None:
    banner = page.locator("#session-banner")
    expect(banner).to_be_hidden()
    kernel.kill()
    expect(banner).to_contain_text("This session has ended", timeout=READY)  # by its own heartbeat
    banner.get_by_role("link").click()
    wait_for_kernel(page)
    expect(page.locator("#session-banner")).to_be_hidden()


def test_a_server_that_cannot_be_reached_is_shown(page: Page, kernel: psutil.Process) -> None:
    page.context.set_offline(True)
    expect(page.locator("#session-banner")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    expect(page.locator("#session-banner")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark_follow_the_system(
    server: RunningServer, page: Page, scheme: Literal["light", "dark"], bright: bool
) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in ("/", "/inference"):
        page.goto(server.url + path)
        red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[
            :3
        ]
        assert (red + green + blue > 384) is bright, path


def test_pages_fit_a_phone(server: RunningServer, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("/", "/info", "/login", "/nothing"):
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_operator_signs_in_and_out(server: RunningServer, page: Page) -> None:
    page.goto(f"{server.url}/monitoring")
    page.get_by_label("Password").fill("wrong one")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the password.")
    page.get_by_label("Password").fill(server.operator_password)
    page.get_by_role("button").click()
    page.wait_for_url("**/monitoring")
    page.get_by_role("link", name="Sign out").click(timeout=60_000)
    page.wait_for_url(f"{server.url}/")
    page.goto(f"{server.url}/monitoring")
    expect(page.get_by_label("Password")).to_be_visible()
