"""The connection of a page to its kernel: what happens to messages while it is interrupted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests import kernel_processes
from tests.browser.app import READY, choose, error_message, open_app, upload_photo, wait_for_answer, wait_for_kernel
from tests.browser.relay import Relay, relayed
from tests.browser.visits import STRIP, expect_the_visit, facts, leave
from tests.serving import RunningServer
from tests.waiting import until

pytestmark = pytest.mark.browser


def count_predictions(server: RunningServer) -> int:
    [row] = server.query("SELECT count(*) AS n FROM predictions_feedback")
    return int(row["n"])


@pytest.fixture
def relay(server: RunningServer, page: Page) -> Iterator[Relay]:
    """Open the prediction app over a line that can be interrupted."""
    page.clock.install()
    with relayed(server) as relay:
        page.goto(f"{relay.url}/inference")
        wait_for_kernel(page)
        yield relay
        page.goto("about:blank")


def test_a_photo_waits_for_a_connection_that_is_interrupted_and_is_predicted_once(
    server: RunningServer, page: Page, relay: Relay, cat_jpeg: bytes
) -> None:
    banner = page.locator("#session-banner")
    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    before = count_predictions(server)
    relay.cut()
    expect(banner).to_contain_text("cannot be reached")
    choose(page, cat_jpeg, "waits.jpg")
    expect(page.locator(".cd-overlay")).to_be_visible()
    relay.mend()
    wait_for_answer(page)
    expect(banner).to_be_hidden()
    assert count_predictions(server) == before + 1
    assert error_message(page) == ""


def test_a_photo_sent_over_a_connection_that_the_network_forgot_is_predicted_once(
    server: RunningServer, page: Page, relay: Relay, cat_jpeg: bytes
) -> None:
    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    before = count_predictions(server)
    relay.forget_websockets()
    page.clock.fast_forward("01:00:00")  # as if the phone slept
    choose(page, cat_jpeg, "forgotten.jpg")
    wait_for_answer(page)
    assert count_predictions(server) == before + 1
    assert error_message(page) == ""


def test_an_answer_that_the_network_lost_is_shown_when_the_connection_is_back(
    server: RunningServer, page: Page, relay: Relay, cat_jpeg: bytes
) -> None:
    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    before = count_predictions(server)
    relay.lose_answers()
    choose(page, cat_jpeg, "answered.jpg")
    until(lambda: count_predictions(server) == before + 1)
    kernel = kernel_processes.kernel_of(page, server)
    kernel_processes.ask(kernel, "1")  # the kernel has sent the answer
    relay.cut()
    relay.mend()
    wait_for_answer(page)
    assert error_message(page) == ""
    expect(page.locator(".cd-answer h2")).to_have_text("It is a cat!")
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(1)
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    assert count_predictions(server) == before + 1


def test_a_large_photo_keeps_its_connection_after_an_interruption_as_long_as_some_of_it_goes_out(
    server: RunningServer, page: Page, relay: Relay, pictures: dict[str, bytes]
) -> None:
    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    before, opened = count_predictions(server), list[str]()
    page.on("websocket", lambda websocket: opened.append(websocket.url))
    relay.slow_down()
    choose(page, pictures["gif"] + bytes(4_000_000), "large.gif")  # an animation is sent as it is
    expect(page.locator(".cd-overlay")).to_contain_text(
        "Your photo is being sent"
    )  # what the page asks waits behind it
    with page.expect_response("**/session/*"):
        page.clock.fast_forward("00:00:30")  # as if the phone slept: then the page asks whether the connection is alive
    for _ in range(8):
        relay.pass_some()
        pass_heartbeats(page, 1)
        assert opened == []
    for _ in range(20):  # nothing arrives any more
        if not opened:
            pass_heartbeats(page, 1)
    wait_for_answer(page)
    assert len(opened) == 1
    assert count_predictions(server) == before + 1
    assert error_message(page) == ""


SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Milliseconds of a round trip, and bytes a second."""


def test_on_slow_3g_a_photo_is_answered_within_a_minute_and_no_error_is_shown(
    server: RunningServer, page: Page, cat_jpeg: bytes
) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_3G)
    page.add_init_script("""
        window.said = [];
        new MutationObserver(() => {
            const text = document.querySelector(".cd-overlay:not([hidden])")?.textContent;
            if (text && text !== said.at(-1)) said.push(text);
        }).observe(document, { childList: true, subtree: true });
    """)
    page.goto(f"{server.url}/inference", wait_until="commit")
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    choose(page, cat_jpeg, "patient.jpg")
    expect(page.locator(".cd-answer h2")).to_have_text("It is a cat!", timeout=60_000)
    expect(page.locator("#session-banner")).to_be_hidden()
    assert error_message(page) == ""
    said = page.evaluate("said")
    assert "still loading" in said[0]
    assert not any("cannot be reached" in text for text in said), said
    page.goto("about:blank")


def test_a_page_waits_longer_for_the_reply_to_a_large_photo_and_a_late_reply_removes_the_error(
    server: RunningServer, page: Page, pictures: dict[str, bytes]
) -> None:
    page.clock.install()
    open_app(page, server)
    kernel = kernel_processes.kernel_of(page, server)
    progress, problem = page.locator(".cd-overlay"), page.locator(".cd-photo").get_by_role("alert")
    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    kernel.suspend()
    try:
        choose(page, pictures["gif"] + bytes(250_000), "large.gif")  # an animation is sent as it is
        expect(progress).to_be_visible()
        pass_heartbeats(page, 24)
        expect(progress).to_be_visible()
        assert error_message(page) == ""
        pass_heartbeats(page, 18)
        expect(problem).to_contain_text("No answer came")
        expect(progress).to_be_hidden()
    finally:
        kernel.resume()
    expect(problem).to_be_empty(timeout=READY)
    expect(page.locator(".cd-answer h2")).to_be_visible(timeout=READY)
    before = facts(page)
    assert before["strip"] == ["large.gif: Cat"]
    page.reload()
    expect_the_visit(page, before)
    leave(page)


def pass_heartbeats(page: Page, number: int) -> None:
    """Let four seconds pass for each heartbeat."""
    for _ in range(number):
        with page.expect_response("**/session/*"):
            page.clock.run_for(4_000)


def test_while_a_photo_is_sent_the_page_says_so(server: RunningServer, page: Page, cat_jpeg: bytes) -> None:
    open_app(page, server)
    expect(page.locator("body")).to_have_attribute("data-kernel-status", "idle", timeout=READY)
    page.evaluate("""() => {
        window.texts = [];
        const note = () => {
            const text = document.querySelector(".cd-overlay span + span span").textContent;
            if (text && text !== texts.at(-1)) texts.push(text);
        };
        new MutationObserver(note).observe(document.querySelector(".cd-overlay"), { childList: true, subtree: true });
    }""")
    upload_photo(page, cat_jpeg)
    said = page.evaluate("texts")
    assert said[-2:] == ["Your photo is being sent…", "Looking at your photo…"]


def test_a_page_is_called_slow_only_after_a_slow_line_would_have_brought_everything(
    server: RunningServer, page: Page
) -> None:
    held: list[Route] = []
    released = False

    def hold(route: Route) -> None:
        if released:
            route.continue_()
        else:
            held.append(route)

    page.clock.install()
    page.route(re.compile("/app/front_end[.]js"), hold)
    page.goto(f"{server.url}/inference", wait_until="commit")
    expect(page.locator("#widget-states")).to_be_attached(timeout=READY)
    banner = page.locator("#session-banner")
    pass_heartbeats(page, 15)  # on a line of 3 kB/s, the scripts arrive after a minute
    expect(banner).to_be_hidden()
    pass_heartbeats(page, 62)  # nothing arrives any more
    expect(banner).to_contain_text("longer than usual")
    released = True
    for route in held:
        route.continue_()
    wait_for_kernel(page)
    pass_heartbeats(page, 1)
    expect(banner).to_be_hidden()


@pytest.mark.parametrize("script", ["front_end", "inference"])
def test_a_page_says_that_a_script_did_not_arrive(server: RunningServer, page: Page, script: str) -> None:
    address = re.compile(f"/app/{script}[.]js")
    page.route(address, lambda route: route.abort("connectionreset"))
    page.goto(f"{server.url}/inference")
    banner = page.locator("#session-banner")
    expect(banner).to_contain_text("did not arrive", timeout=READY)
    if script == "front_end":
        with page.expect_response("**/session/*"):
            pass
        expect(banner).to_contain_text("did not arrive")
    page.unroute(address)
    banner.get_by_role("link").click()
    wait_for_kernel(page)
    expect(banner).to_be_hidden()
