"""The session of a page in a real browser: what it loads, how it ends, and what the page shows then."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Route, expect

from tests import kernel_processes
from tests.browser.app import READY, open_app, upload_photo, violations, wait_for_kernel
from tests.server.client import Client
from tests.server.kernel_socket import KernelSocket
from tests.serving import Launch, RunningServer
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


def wait_until_drawn(page: Page, path: str) -> None:
    """Wait until the page has loaded everything: on a busy machine, the network is idle before that, too."""
    last_drawn = {"/inference": ".cd-mydata", "/monitoring": ".cd-plot .main-svg"}[path]
    wait_for_kernel(page)
    expect(page.locator(last_drawn).first).to_be_visible(timeout=READY)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(("path", "most"), [("/inference", 60_000), ("/monitoring", 150_000)])
def test_a_page_loads_all_from_this_server_writes_nothing_to_the_console_and_a_second_time_loads_only_what_is_new(
    server: RunningServer, page: Page, path: str, most: int
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
    wait_until_drawn(page, path)
    page.goto("about:blank")
    with transferred(page) as sizes:
        page.goto(f"{server.url}{path}")
        wait_until_drawn(page, path)
    assert 5_000 < sum(sizes) < most, sizes
    assert f"{server.url}{path}" in addresses
    assert [url for url in addresses if not url.startswith(("about:", "data:", "blob:", server.url))] == []
    assert messages == []


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
    until(lambda: not kernel.is_running())


def test_a_page_whose_session_ended_opens_anew_once_and_then_leaves_it_to_the_person(
    server: RunningServer, page: Page, kernel: psutil.Process
) -> None:
    banner = page.locator("#session-banner")
    expect(banner).to_be_hidden()
    with page.expect_navigation(timeout=READY):  # by its own heartbeat
        kernel.kill()
    wait_for_kernel(page)
    kernel_processes.kernel_of(page, server).kill()
    expect(banner).to_contain_text("This session has ended", timeout=READY)
    banner.get_by_role("link").click()
    wait_for_kernel(page)
    expect(banner).to_be_hidden()


def test_a_page_that_nobody_looks_at_opens_anew_when_it_is_seen(page: Page, kernel: psutil.Process) -> None:
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    kernel.kill()
    expect(page.locator("#session-banner")).to_contain_text("This session has ended", timeout=READY)
    with page.expect_navigation(timeout=READY):
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    wait_for_kernel(page)
    expect(page.locator("#session-banner")).to_be_hidden()


def test_a_server_that_cannot_be_reached_is_shown(page: Page, kernel: psutil.Process) -> None:
    page.context.set_offline(True)
    expect(page.locator("#session-banner")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    expect(page.locator("#session-banner")).to_be_hidden()


def test_light_and_dark_follow_the_system(server: RunningServer, page: Page) -> None:
    red_green_blue = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    brightness = f"{red_green_blue}.reduce((sum, one) => sum + one)"
    for path in ("/", "/inference"):
        page.goto(server.url + path)
        page.emulate_media(color_scheme="light")
        page.wait_for_function(f"{brightness} > 384")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"{brightness} < 384")


def test_pages_fit_a_phone(server: RunningServer, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("/", "/info", "/login", "/nothing"):
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


@pytest.fixture(scope="module")
def impatient(launch: Launch) -> RunningServer:
    """A server with two sessions, which end soon where others need them; a page's heart beats every four seconds."""
    limits = {"unclaimed_timeout": 3, "away_timeout": 8, "cull_interval": 1}
    return launch(CATSDOGS_MAX_SESSIONS="2", SESSION_LIMITS=json.dumps(limits))


def request_without_scripts(server: RunningServer, times: int) -> list[int]:
    """Request the app as robots do, several at the same time; return the statuses."""
    client = Client(server)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: client("GET", "/inference", token=None).status, range(times)))


@pytest.fixture
def all_in_use(impatient: RunningServer) -> Iterator[Callable[[], None]]:
    """Have two pages open at that server; yield a function that closes them."""
    client = Client(impatient)
    pages = [until(client.open_page, retry_on=AssertionError) for _ in range(2)]
    ready, leaving = threading.Event(), threading.Event()

    async def hold() -> None:
        sockets = [await KernelSocket.open(impatient, page.kernel_id) for page in pages]
        ready.set()
        await asyncio.to_thread(leaving.wait)
        for socket, page in zip(sockets, pages, strict=True):
            client.close_page(page)
            await socket.close()

    def close() -> None:
        leaving.set()
        holding.join()

    holding = threading.Thread(target=lambda: asyncio.run(hold()))
    holding.start()
    assert ready.wait(30)
    yield close
    close()


def test_forty_requests_without_scripts_keep_nobody_out(impatient: RunningServer, page: Page) -> None:
    statuses = request_without_scripts(impatient, 40)
    assert set(statuses) == {200, 503}
    page.goto(f"{impatient.url}/inference")
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)  # by itself, where it had to wait
    wait_for_kernel(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_page_that_waits_for_a_session_opens_by_itself(
    impatient: RunningServer, browser: Browser, all_in_use: Callable[[], None], scripts: bool
) -> None:
    with browser.new_context(java_script_enabled=scripts, locale="fr-FR") as context:
        page = context.new_page()
        answer = page.goto(f"{impatient.url}/inference?lang=fr&from=friend")
        assert answer
        assert (answer.status, int(answer.headers["retry-after"])) == (503, 3)
        expect(page.get_by_role("heading")).to_have_text("Toutes les sessions sont occupées en ce moment.")
        expect(page.get_by_text("cette page réessaie d’elle-même")).to_be_visible()
        again = page.get_by_role("link", name="Réessayer")
        expect(again).to_have_attribute("href", "/inference?lang=fr&from=friend")
        with page.expect_response(lambda answer: answer.status == 503):
            pass  # it tries again
        all_in_use()
        if scripts:
            expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
            return
        expect(page.locator("noscript main")).to_be_visible(timeout=READY)
        expect(page.locator("#preload")).to_be_hidden()
        page.locator("noscript a", has_text="Le modèle").click()
        page.wait_for_url("**/info?lang=fr")


def test_a_page_that_loads_for_long_keeps_its_kernel(impatient: RunningServer, page: Page, cat_jpeg: bytes) -> None:
    held: list[Route] = []
    held_back = True
    scripts = re.compile("/front_end[.]js")

    def hold(route: Route) -> None:
        if held_back:
            held.append(route)
        else:
            route.continue_()

    page.route(scripts, hold)
    until(lambda: request_without_scripts(impatient, 1) == [200])
    page.goto(f"{impatient.url}/inference", wait_until="commit")
    expect(page.locator(".cd-drop")).to_be_visible()
    kernel = kernel_processes.kernel_of(page, impatient)
    served = 0
    while served < 3:  # the other session changes hands every three seconds
        served += request_without_scripts(impatient, 2).count(200)
        page.wait_for_timeout(200)  # meanwhile its scripts run
    for route in held:
        route.continue_()
    held_back = False
    wait_for_kernel(page)
    assert kernel_processes.kernel_of(page, impatient) == kernel
    upload_photo(page, cat_jpeg)
    expect(page.get_by_role("heading", level=2).first).to_contain_text("a cat")


def test_a_page_that_is_loaded_again_while_all_sessions_are_in_use_opens(
    impatient: RunningServer, browser: Browser, page: Page
) -> None:
    open_app(page, impatient)
    with browser.new_context() as context:
        open_app(context.new_page(), impatient)
        page.reload()
        expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
        wait_for_kernel(page)


@pytest.mark.usefixtures("all_in_use")
def test_error_pages_fit_a_phone_and_can_be_read(impatient: RunningServer, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")  # colours that change are no contrast yet
    page.set_viewport_size({"width": 360, "height": 640})
    for path, status in (("/inference?lang=fr", 503), ("/nothing?lang=fr", 404)):
        answer = page.goto(impatient.url + path)
        assert answer
        assert answer.status == status
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert violations(page) == []


def test_the_operator_signs_in_and_out(server: RunningServer, page: Page) -> None:
    page.goto(f"{server.url}/monitoring")
    page.get_by_label("Password").fill("wrong one")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the password.")
    page.get_by_label("Password").fill(server.operator_password)
    page.get_by_role("button").click()
    page.wait_for_url("**/monitoring")
    wait_for_kernel(page)
    # on a slow line, the page may learn that its session has ended before the next page is there
    page.evaluate(
        """async (address) => {
          window.dispatchEvent(new Event("beforeunload"));
          await fetch(address);
          document.dispatchEvent(new Event("resume"));
        }""",
        f"{server.url}/logout",
    )
    expect(page.locator("body")).to_have_attribute("data-session", "lost")
    page.get_by_role("link", name="Sign out").click(timeout=60_000)
    page.wait_for_url(f"{server.url}/")
    page.goto(f"{server.url}/monitoring")
    expect(page.get_by_label("Password")).to_be_visible()
