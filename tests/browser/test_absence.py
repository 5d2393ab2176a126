"""A page that comes back after an absence: its session goes on, or the page creates the visit again in a new one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import kernel_processes
from tests.browser.app import READY, wait_for_kernel
from tests.browser.relay import relayed
from tests.browser.visits import expect_the_visit, leave, stored, visit
from tests.server.client import Client
from tests.serving import Launch, RunningServer
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def folder() -> Iterator[Path]:
    """The folder of a server that is started twice."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Path(folder)


def sessions_away(server: RunningServer) -> float:
    metrics = Client(server)("GET", "/metrics").data.decode()
    return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("catsdogs_sessions_away"))


def test_a_visit_goes_on_after_an_absence_a_restart_and_an_absence_that_was_too_long(
    page: Page, launch: Launch, folder: Path, pictures: dict[str, bytes]
) -> None:
    patient = {"away_timeout": 1, "cull_interval": 1}
    server = launch(folder, SESSION_LIMITS=json.dumps(patient))
    page.clock.install()
    page.on("dialog", lambda dialog: dialog.accept())
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.extend(_photos(data))))
    with relayed(server) as relay:
        page.goto(f"{relay.url}/inference")
        wait_for_kernel(page)
        before = visit(page, server, pictures)
        rows, photos = stored(server), len(sent)
        assert photos >= 3

        # shorter than sessions are kept
        kernel = kernel_processes.kernel_of(page, server)
        relay.cut()
        until(lambda: sessions_away(server) == 1)
        page.clock.fast_forward("00:40:00")
        relay.mend()
        banner = page.locator("#session-banner")
        expect(page.locator("body")).to_have_attribute("data-connection", "connected", timeout=READY)
        expect(banner).to_be_hidden()
        expect_the_visit(page, before)
        assert kernel_processes.kernel_of(page, server) == kernel

        # a restart of the server
        relay.cut()
        server.stop()
        expect(banner).to_be_visible(timeout=READY)
        server = launch(folder, SESSION_LIMITS=json.dumps(patient | {"disconnected_timeout": 8}))
        relay.lead_to(server)
        with page.expect_navigation(timeout=READY):
            relay.mend()
        expect_the_visit(page, before)

        # longer than sessions are kept
        relay.cut()
        until(lambda: not kernel_processes.kernels(server))
        page.clock.fast_forward("02:00:00")
        with page.expect_navigation(timeout=READY):
            relay.mend()
        expect_the_visit(page, before)
        assert len(sent) == photos, "no photo is sent twice"
        assert stored(server) == rows
        page.get_by_role("button", name="Yes").click()
        expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
        assert [row["user_feedback"] for row in stored(server)] == [1, None, 1]
        leave(page)
    server.stop()


def _photos(data: str | bytes) -> list[str]:
    """Return the messages with a photo among those that the page sent to its kernel."""
    content = data.encode("latin1", "replace") if isinstance(data, str) else data
    return ["photo"] if b'"predict"' in content else []
