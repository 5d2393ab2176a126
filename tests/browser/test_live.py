"""When the monitoring page asks whether anything changed: the page's own script, with a kernel that only counts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catsdogs.widgets.base import script

pytestmark = pytest.mark.browser

START = """async ([code, period]) => {
  const { default: part } = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(code));
  const listeners = new Map();
  window.asked = [];
  window.answering = true;
  const traits = {
    texts: new Proxy({}, { get: (_, name) => name }), language: "en", window: "7d", windows: [["7d", "7 days"]],
    model_version: "", model_versions: [], answer: "", answers: [["", "All"]], address: {}, updated: "", notice: "",
    problem: "", period,
  };
  const model = {
    get: (name) => traits[name],
    on: (event, listener) => listeners.set(listener, event),
    off: (event, listener) => listeners.delete(listener),
    send({ action, id }) {
      window.asked.push(action);
      const reply = () => {
        for (const [listener, event] of listeners) if (event === "msg:custom") listener({ reply: id, problem: "" });
      };
      if (window.answering) setTimeout(reply);
      else window.unanswered = true;
    },
  };
  window.end = part.render({ model, el: document.body });
}"""
PERIOD = 20
"""Milliseconds, in place of seconds."""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def live(page: Page) -> Page:
    page.evaluate(START, [script("controls"), PERIOD])
    return page


def asked(page: Page) -> int:
    return int(page.evaluate("asked.filter((what) => what === 'poll').length"))


def expect_more(page: Page) -> None:
    page.wait_for_function("many => asked.filter((what) => what === 'poll').length > many", arg=asked(page) + 1)


def expect_no_more(page: Page) -> None:
    """Give it the time of many questions; a busy machine can only make for fewer."""
    before = asked(page)
    page.wait_for_timeout(20 * PERIOD)
    assert asked(page) == before


def test_it_asks_until_it_is_paused_and_again_after(live: Page) -> None:
    expect_more(live)
    button = live.get_by_role("button", name="live")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect_no_more(live)
    button.click()
    expect_more(live)


def test_a_hidden_page_asks_nothing_and_one_that_comes_back_at_once(live: Page) -> None:
    live.evaluate(HIDE, True)
    expect_no_more(live)
    live.evaluate(HIDE, False)
    expect_more(live)


def test_it_waits_for_the_answer(live: Page) -> None:
    expect_more(live)
    live.evaluate("answering = false")
    live.wait_for_function("window.unanswered")
    expect_no_more(live)


def test_a_page_that_is_left_asks_nothing(live: Page) -> None:
    expect_more(live)
    live.evaluate("end()")
    expect_no_more(live)


def test_it_says_the_readers_time_zone_first(live: Page) -> None:
    first: Any = live.evaluate("asked[0]")
    assert first == "zone"
