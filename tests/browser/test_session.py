"""The page and its session in a real browser: all from this server, ended with its tab, honest when dead."""

from __future__ import annotations

import time
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests import kernel_processes
from tests.browser.app import live

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(server: Any, page: Page) -> psutil.Process:
    """Open the prediction app; the process of its kernel."""
    page.goto(f"{server.url}/inference")
    live(page)
    return kernel_processes.kernel_of(page, server)


def test_the_front_page_leads_to_the_app_in_the_visitors_language(server, page):
    page.goto(f"{server.url}/?lang=fr")
    assert page.locator("html").get_attribute("lang") == "fr"
    page.locator(".hero .button").click()
    page.wait_for_url("**/inference?lang=fr")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".catsdogs").first).to_be_visible(timeout=30_000)


def test_everything_comes_from_this_server_and_the_policy_holds(server, page):
    outside, complaints = [], []
    page.on("request", lambda r: r.url.startswith(("data:", "blob:", server.url)) or outside.append(r.url))
    page.on("console", lambda m: "Content Security" in m.text and complaints.append(m.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{server.url}/inference")
    expect(page.locator(".catsdogs").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    assert outside == []
    assert complaints == []


def test_a_hostile_theme_runs_no_script(server, page):
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto(f"{server.url}/inference?theme=%22%3E%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.locator(".catsdogs").first).to_be_visible(timeout=30_000)
    assert alerts == []


def test_a_closed_tab_stops_its_kernel(server, page, opened):
    page.close(run_before_unload=True)
    deadline = time.monotonic() + 10
    while opened.is_running() and opened.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the kernel outlives its tab"
        time.sleep(0.1)


def test_a_dead_session_is_said_and_a_reload_helps(server, page, opened):
    banner = page.locator("#session-banner")
    expect(banner).to_be_hidden()
    opened.kill()
    expect(banner).to_contain_text("This session has ended", timeout=30_000)  # the page notices by itself
    banner.get_by_role("link").click()
    live(page)
    expect(page.locator("#session-banner")).to_be_hidden()


def test_a_server_that_is_away_is_said(server, page, opened):
    page.context.set_offline(True)
    expect(page.locator("#session-banner")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    expect(page.locator("#session-banner")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark_follow_the_system(server, page, scheme, bright):
    page.emulate_media(color_scheme=scheme)
    for path in ("/", "/inference"):
        page.goto(server.url + path)
        red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")[
            :3
        ]
        assert (red + green + blue > 384) is bright, path


def test_pages_fit_a_phone(server, page):
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("/", "/info", "/login", "/nothing"):
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_operator_signs_in_and_out(server, page):
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
