"""Polling of the monitoring page: its script, with a fake kernel that counts the polls."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catsdogs.widgets.base import script

pytestmark = pytest.mark.browser

START = """async ([code, period]) => {
  const { default: widget } = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(code));
  const listeners = new Map();
  window.received = [];
  window.replying = true;
  const traits = {
    texts: new Proxy({}, { get: (_, name) => name }), language: "en", window: "7d", windows: [["7d", "7 days"]],
    limits: ["1970-01-01T00:00", "2999-12-31T23:59"],
    model_version: "", model_versions: [], answer: "", answers: [["", "All"]], address: {}, updated: "", notice: "",
    demonstration: "", problem: "", period,
  };
  const model = {
    get: (name) => traits[name],
    on: (event, listener) => listeners.set(listener, event),
    off: (event, listener) => listeners.delete(listener),
    send({ action, id }) {
      window.received.push(action);
      const reply = () => {
        for (const [listener, event] of listeners) if (event === "msg:custom") listener({ reply: id, problem: "" });
      };
      if (window.replying) setTimeout(reply);
      else window.noReply = true;
    },
  };
  window.end = widget.render({ model, el: document.body });
}"""
PERIOD = 20
"""Milliseconds, instead of seconds."""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def live(page: Page) -> Page:
    """A page that polls a kernel, which is a fake."""
    page.evaluate(START, [script("controls"), PERIOD])
    return page


def polls(page: Page) -> int:
    """Return how many times the page has polled."""
    return int(page.evaluate("received.filter((what) => what === 'poll').length"))


def expect_more(page: Page) -> None:
    page.wait_for_function("n => received.filter((what) => what === 'poll').length > n", arg=polls(page) + 1)


def expect_no_more(page: Page) -> None:
    """Wait for as long as many polls take; a busy machine can only make them fewer."""
    before = polls(page)
    page.wait_for_timeout(20 * PERIOD)
    assert polls(page) == before


def test_it_polls_until_it_is_paused_and_again_after(live: Page) -> None:
    expect_more(live)
    button = live.get_by_role("button", name="live")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect_no_more(live)
    button.click()
    expect_more(live)


def test_a_hidden_page_does_not_poll_and_a_visible_one_polls_at_once(live: Page) -> None:
    live.evaluate(HIDE, True)
    expect_no_more(live)
    live.evaluate(HIDE, False)
    expect_more(live)


def test_it_does_not_poll_before_the_reply(live: Page) -> None:
    expect_more(live)
    live.evaluate("replying = false")
    live.wait_for_function("window.noReply")
    expect_no_more(live)


def test_it_stops_polling_when_the_widget_ends(live: Page) -> None:
    expect_more(live)
    live.evaluate("end()")
    expect_no_more(live)


def test_it_sends_the_readers_time_zone_first(live: Page) -> None:
    first: Any = live.evaluate("received[0]")
    assert first == "zone"
