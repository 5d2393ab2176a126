"""A visit of the prediction app, and what its page shows of it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.app import READY, clear_messages, tick, upload_photo, wait_for_answer, wait_for_kernel
from tests.serving import RunningServer

STRIP = "Photos of this visit"
FACTS = """() => {
  const text = (selector) => [...document.querySelectorAll(selector)].map((one) => one.textContent);
  const pressed = [...document.querySelectorAll("[aria-pressed=true]:not([hidden])")].map((one) => one.textContent);
  return {
    strip: [...document.querySelectorAll(".cd-photo-list button")].map((one) => one.getAttribute("aria-label")),
    current: document.querySelector(".cd-photo-list [aria-current]")?.getAttribute("aria-label"),
    name: text(".cd-name"),
    picture: [...document.querySelectorAll(".cd-picture:not([hidden])")].map((one) => one.naturalWidth > 0),
    answer: text(".cd-answer h2, .cd-answer .cd-figure, .cd-answer .cd-time, .cd-note"),
    pressed,
    ticked: [...document.querySelectorAll(".cd-consent input:checked")].map((one) => one.name),
    comment: text(".cd-comment blockquote"),
    draft: [...document.querySelectorAll(".cd-comment textarea")].map((one) => one.value),
    receipts: text(".cd-receipt li"),
  };
}"""


def count(server: RunningServer) -> int:
    [row] = server.query("SELECT count(*) AS n FROM predictions_feedback")
    return int(row["n"])


def stored(server: RunningServer) -> list[dict[str, Any]]:
    return server.query(
        "SELECT id, user_feedback, true_label, user_comment, filename FROM predictions_feedback ORDER BY id"
    )


def visit(page: Page, server: RunningServer, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Send a sample and three photos, say something about each, and return what the page shows."""
    yes, no = (page.get_by_role("button", name=name, exact=True) for name in ("Yes", "No"))
    clear_messages(page)
    page.get_by_role("button", name="A drawing of a dog").click()
    wait_for_answer(page)
    upload_photo(page, pictures["jpeg"], "first.jpg")
    yes.click()
    tick(page.get_by_role("checkbox", name="name and my comment"))
    page.get_by_label("Anything to add?").fill("a fine cat")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator(".cd-comment blockquote")).to_have_text("a fine cat")
    upload_photo(page, pictures["tiff"], "second.tiff")  # which the browser cannot show
    upload_photo(page, pictures["lying"], "third.jpg")
    no.click()
    page.get_by_role("button", name="A dog", exact=True).click()
    tick(page.get_by_role("checkbox", name="train"))
    tick(page.get_by_role("checkbox", name="name and my comment"))
    page.get_by_label("Anything to add?").fill("not sent yet")
    expect(page.locator(".cd-receipt li")).to_have_count(2)
    return facts(page)


def facts(page: Page) -> dict[str, Any]:
    result: dict[str, Any] = page.evaluate(FACTS)
    return result


def expect_the_visit(page: Page, before: dict[str, Any]) -> None:
    """Check that the page shows the same as before."""
    wait_for_kernel(page)
    expect(page.locator(".cd-answer h2")).to_be_visible(timeout=READY)
    expect(page.locator(".cd-receipt li")).to_have_count(len(before["receipts"]))
    expect(page.locator(".cd-locked")).to_have_count(0)
    assert facts(page) == before


def leave(page: Page) -> None:
    """End the session, without the question before leaving."""
    page.evaluate("document.querySelectorAll('[data-unsaved]').forEach(one => one.removeAttribute('data-unsaved'))")
    page.goto("about:blank")
