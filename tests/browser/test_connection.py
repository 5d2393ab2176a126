"""The connection of a page to its kernel: what happens to messages while it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import READY, choose, error_message, wait_for_answer, wait_for_kernel
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
