"""The connection of a page to its kernel: what happens to messages while it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import kernel_processes
from tests.browser.app import READY, choose, error_message, open_app, wait_for_answer, wait_for_kernel
from tests.browser.relay import Relay, relayed
from tests.serving import RunningServer

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


SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Milliseconds of a round trip, and bytes a second."""


def test_on_slow_3g_a_photo_is_answered_within_a_minute_and_no_error_is_shown(
    server: RunningServer, page: Page, cat_jpeg: bytes
) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_3G)
    page.goto(f"{server.url}/inference", wait_until="commit")
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    choose(page, cat_jpeg, "patient.jpg")
    expect(page.locator(".cd-answer h2")).to_have_text("It is a cat!", timeout=60_000)
    expect(page.locator("#session-banner")).to_be_hidden()
    assert error_message(page) == ""
    page.goto("about:blank")


def test_a_page_waits_longer_for_the_reply_to_a_large_photo_and_a_late_reply_removes_the_error(
    server: RunningServer, page: Page, pictures: dict[str, bytes]
) -> None:
    page.clock.install()
    open_app(page, server)
    kernel = kernel_processes.kernel_of(page, server)
    progress, problem = page.locator(".cd-overlay"), page.locator(".cd-photo").get_by_role("alert")

    def pass_heartbeats(number: int) -> None:
        for _ in range(number):
            with page.expect_response("**/session/*"):
                page.clock.run_for(4_000)

    expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
    kernel.suspend()
    try:
        choose(page, pictures["gif"] + bytes(1_000_000), "large.gif")  # an animation is sent as it is
        expect(progress).to_be_visible()
        pass_heartbeats(24)
        expect(progress).to_be_visible()
        assert error_message(page) == ""
        pass_heartbeats(18)
        expect(problem).to_contain_text("No answer came")
        expect(progress).to_be_hidden()
    finally:
        kernel.resume()
    expect(problem).to_be_empty(timeout=READY)
    expect(page.locator(".cd-answer h2")).to_be_visible(timeout=READY)
