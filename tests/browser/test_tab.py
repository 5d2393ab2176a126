"""A visit survives in its browser tab: photos, answers, feedback, consents and receipts, whatever ends the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests import kernel_processes
from tests.browser.app import (
    READY,
    agree,
    choose,
    error_message,
    open_app,
    suspended,
    tick,
    upload_photo,
    wait_for_kernel,
)
from tests.browser.visits import STRIP, count, expect_the_visit, facts, leave, stored, visit
from tests.serving import BROWSER_ARGUMENTS, RunningServer, browser_path
from tests.waiting import until

pytestmark = pytest.mark.browser

STORES_NOTHING = {
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
    "forbidden": """Object.defineProperty(window, "sessionStorage", {
        get: () => { throw new DOMException("forbidden", "SecurityError"); },
    });""",
}

MOVES_LATE = """
    const request = requestAnimationFrame;
    window.requestAnimationFrame = (callback) =>
        String(callback).includes("#rendered_cells") ? setTimeout(request, 1000, callback) : request(callback);
"""
"""The kernel knows the photos before the photo input is moved into the app, as on a slow machine."""


@pytest.fixture(autouse=True)
def closed(page: Page) -> Iterator[None]:
    """End the session with the test, without the question before leaving."""
    yield
    leave(page)


def test_a_visit_survives_every_way_out_of_its_page(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    before = visit(page, server, pictures)
    rows = stored(server)
    page.on("dialog", lambda dialog: dialog.accept())

    page.reload()
    expect_the_visit(page, before)

    page.get_by_role("link", name="The model", exact=True).last.click()
    page.wait_for_url("**/info*")
    page.go_back()
    expect_the_visit(page, before)

    page.goto(f"{server.url}/")
    page.goto(f"{server.url}/inference")
    expect_the_visit(page, before)

    kernel_processes.kernel_of(page, server).kill()
    with page.expect_navigation(timeout=READY):
        pass
    expect_the_visit(page, before)

    kernel_processes.kernel_of(page, server).kill()  # within a minute: now it is left to the person
    page.locator("#session-banner").get_by_role("link").click(timeout=READY)
    expect_the_visit(page, before)
    assert stored(server) == rows

    # the earlier photos are as usable as before
    strip = page.get_by_role("list", name=STRIP).get_by_role("button")
    strip.nth(1).click()
    expect(page.locator(".cd-comment blockquote")).to_have_text("a fine cat")
    tick(page.get_by_role("checkbox", name="train"))
    [row] = server.query("SELECT count(*) AS n FROM photos")
    assert row["n"] >= 2, "the small copy of the tab was kept, with consent"
    strip.nth(2).click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    assert count(server) == len(rows)
    upload_photo(page, pictures["png"], "fourth.png")
    expect(strip).to_have_count(5)
    assert count(server) == len(rows) + 1


def test_another_language_keeps_the_visit(page: Page, server: RunningServer, pictures: dict[str, bytes]) -> None:
    open_app(page, server)
    visit(page, server, pictures)
    codes, rows = page.locator(".cd-receipt code").all_inner_texts(), stored(server)
    page.add_init_script(MOVES_LATE)
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    wait_for_kernel(page)
    expect(page.locator(".cd-answer h2")).to_be_visible(timeout=READY)
    expect(page.get_by_role("list", name="Photos de cette visite").get_by_role("button")).to_have_count(4)
    expect(page.locator(".cd-receipt code")).to_have_text(codes)
    expect(page.locator(".cd-feedback, .cd-agreement, .cd-comment")).to_have_count(3)
    expect(page.locator(".cd-locked")).to_have_count(0)
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(page.get_by_label("Quelque chose à ajouter")).to_have_value("not sent yet")
    expect(page.get_by_role("button", name="Non", exact=True)).to_have_attribute("aria-pressed", "true")
    assert stored(server) == rows


def test_in_a_duplicated_tab_the_same_photo_has_one_receipt_and_nothing_is_taken_back(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "twice.jpg")
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    before = count(server)
    with page.expect_popup() as popup:
        page.evaluate("window.open(location.href)")  # it has a copy of the tab's storage
    other = popup.value
    wait_for_kernel(other)
    expect(other.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(1)

    tick(page.get_by_role("checkbox", name="name and my comment"))
    page.get_by_label("Anything to add?").fill("from the first tab")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator(".cd-comment blockquote")).to_have_text("from the first tab")
    code = page.locator(".cd-receipt code").inner_text()
    photo = other.get_by_role("checkbox", name="train")
    photo.check()
    expect(other.locator(".cd-consent").get_by_role("alert")).to_contain_text("was changed elsewhere")
    expect(photo).not_to_be_checked()
    expect(other.get_by_role("checkbox", name="name and my comment")).to_be_checked()
    expect(other.locator(".cd-comment blockquote")).to_have_text("from the first tab")
    expect(other.locator(".cd-receipt code")).to_have_text(code)
    tick(photo)
    [row] = server.query(
        "SELECT filename, user_comment, photos.width FROM predictions_feedback p JOIN photos ON prediction_id = p.id"
        " ORDER BY p.timestamp DESC LIMIT 1"
    )
    assert tuple(row.values())[:2] == ("twice.jpg", "from the first tab")

    # each tab has its own visit: an end in one is none in the other
    other.get_by_role("button", name="Start over").click()
    other.locator(".cd-start-over").get_by_role("button", name="Start over").last.click()
    expect(other.get_by_role("list", name=STRIP)).to_be_hidden()
    leave(other)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    wait_for_kernel(page)
    expect(page.locator(".cd-receipt code")).to_have_text(code)
    assert count(server) == before


@pytest.mark.parametrize("why", STORES_NOTHING)
def test_where_the_tab_stores_nothing_the_app_works_and_every_way_out_asks_first(
    page: Page, server: RunningServer, pictures: dict[str, bytes], why: str
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(STORES_NOTHING[why])
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "first.jpg")
    agree(page)
    upload_photo(page, pictures["png"], "second.png")
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(2)
    expect(page.locator(".cd-receipt code")).to_have_count(1)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    with page.expect_event("dialog"):
        page.get_by_role("link", name="The model", exact=True).last.click()
    expect(page.locator(".cd-receipt code")).to_have_count(1)
    kernel_processes.kernel_of(page, server).kill()
    expect(page.locator("#session-banner")).to_be_visible(timeout=READY)
    page.wait_for_timeout(500)  # it does not open anew by itself
    expect(page.locator(".cd-receipt code")).to_have_count(1)
    assert (errors, asked) == ([], ["beforeunload"])


def test_what_another_program_stored_in_the_tab_does_no_harm(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "first.jpg")
    agree(page)
    code = page.locator(".cd-receipt code").inner_text()
    [photo] = json.loads(page.evaluate("sessionStorage.getItem('catsdogs-visit-photos')"))
    broken = {**photo, "number": 2, "name": "broken.jpg", "saved": {**photo["saved"], "prediction": {}}}
    garbage: dict[str, Any] = {
        "photos": [
            None,
            3,
            "photo",
            [],
            {},
            {**photo, "number": "7"},
            {**photo, "number": 9, "saved": 1},
            broken,
            photo,
        ],
        "last": 0,
        "shown": -3,
        "unanswered": [3, None, {}],
        "saved-receipts": [1, None],
        "drafts": {"x": 5},
    }
    values = {f"catsdogs-visit-{name}": json.dumps(value) for name, value in garbage.items()}
    values["catsdogs-visit-picture-1"] = "data:image/jpeg;base64,@"
    page.evaluate("values => Object.assign(sessionStorage, values)", values)
    page.reload()
    wait_for_kernel(page)
    strip = page.get_by_role("list", name=STRIP).get_by_role("button")
    expect(strip).to_have_count(1, timeout=READY)
    assert "broken.jpg: keep its receipt code" in error_message(page)
    assert code in error_message(page)
    strip.first.click()
    expect(page.locator(".cd-receipt code")).to_have_text(code)
    upload_photo(page, pictures["png"], "next.png")
    expect(strip).to_have_count(2)
    values = dict.fromkeys(values, "{")
    page.evaluate("values => Object.assign(sessionStorage, values)", values)
    page.reload()
    wait_for_kernel(page)
    upload_photo(page, pictures["jpeg"], "after.jpg")
    expect(strip).to_have_count(1)
    assert errors == []


def test_leaving_asks_until_the_receipts_are_saved(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    open_app(page, server)
    page.on("dialog", stay)
    upload_photo(page, pictures["jpeg"], "first.jpg")
    agree(page)
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    code = page.locator(".cd-receipt code").inner_text()
    assert kernel_processes.kernel_of(page, server).is_running()

    page.get_by_role("button", name="Start over").click()
    page.get_by_role("button", name="No, go back").click()
    expect(page.locator(".cd-receipt code")).to_have_text(code)
    upload_photo(page, pictures["words"], "words.jpg")  # an unreadable file, and then a reload
    expect(page.locator(".cd-receipt code")).to_have_text(code)
    with page.expect_download():
        page.get_by_role("button", name="Save as a file").click()
    page.reload()
    wait_for_kernel(page)
    expect(page.locator(".cd-receipt li")).to_contain_text(["Copied or saved"], timeout=READY)
    expect(page.locator(".cd-receipt code")).to_have_text(code)
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(1)
    page.get_by_role("button", name="Start over").click()
    expect(page.locator(".cd-receipt")).to_be_hidden()
    assert asked == ["beforeunload"]


def test_back_from_the_memory_of_the_browser_the_visit_goes_on(
    server: RunningServer, pictures: dict[str, bytes], browser: Browser
) -> None:
    kept_in_memory = "window.addEventListener('pageshow', event => window.fromMemory = event.persisted)"
    with browser.browser_type.launch(
        executable_path=browser_path(), args=BROWSER_ARGUMENTS, ignore_default_args=["--disable-back-forward-cache"]
    ) as other:
        page = other.new_page(locale="en-GB")
        page.add_init_script(kept_in_memory)
        open_app(page, server)
        before, rows = visit(page, server, pictures), stored(server)
        page.get_by_role("link", name="The model", exact=True).last.click()
        page.wait_for_url("**/info*")
        page.evaluate("history.back()")
        expect(page.locator(".cd-receipt li")).to_have_count(2, timeout=READY)
        expect_the_visit(page, before)
        assert stored(server) == rows
        leave(page)


def test_cancelling_one_of_three_goes_back_to_the_photo_before(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "before.jpg")
    agree(page)
    before = facts(page)
    rows = count(server)
    with suspended(server):
        choose(page, pictures["png"], "one.png", "two.png", "three.png")
        expect(page.get_by_text("Photos that wait: 2")).to_be_visible()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.locator(".cd-name")).to_have_text("before.jpg")
    until(lambda: facts(page) == before)  # the kernel answers the cancelled photo before it is told
    expect(page.locator(".cd-locked")).to_have_count(0)
    assert error_message(page) == ""
    assert count(server) <= rows + 1, "the two that waited were never sent"
    upload_photo(page, pictures["png"], "next.png")
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(2)


def test_a_photo_chosen_in_a_session_that_ended_is_named_on_the_page_that_opens_by_itself(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "before.jpg")
    agree(page)
    rows = stored(server)
    kernel = kernel_processes.kernel_of(page, server)
    ended = page.locator("body").get_attribute("data-kernel") or ""
    with suspended(server):  # so that the page cannot know
        kernel.kill()
        choose(page, pictures["png"], "late.png")
        expect(page.locator(".cd-name")).to_have_text("late.png")
    expect(page.locator("body")).not_to_have_attribute("data-kernel", ended, timeout=READY)
    wait_for_kernel(page)
    expect(page.locator(".cd-photo").get_by_role("alert")).to_have_text(
        "No answer came for late.png: choose it again.", timeout=READY
    )
    expect(page.locator(".cd-name")).to_have_text("before.jpg")
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(1)

    expect(page.locator(".cd-receipt code")).to_have_count(1, timeout=READY)
    kernel_processes.kernel_of(page, server).kill()  # within a minute: now the page stays as it is
    banner = page.locator("#session-banner")
    expect(page.locator("body")).to_have_attribute("data-session", "lost", timeout=READY)
    choose(page, pictures["png"], "late.png")
    expect(page.locator(".cd-photo").get_by_role("alert")).to_contain_text("This session has ended.")
    expect(page.locator(".cd-name")).to_have_text("before.jpg")
    expect(page.locator(".cd-receipt code")).to_have_count(1)
    banner.get_by_role("link").click()
    wait_for_kernel(page)
    assert stored(server) == rows
    upload_photo(page, pictures["png"], "late.png")
    expect(page.get_by_role("list", name=STRIP).get_by_role("button")).to_have_count(2)
