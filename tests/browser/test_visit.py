"""The forms about the photos of a visit on a slow line: what is said lands on the photo that it was said about."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import choose, error_message, open_app, suspended, tick, upload_photo, wait_for_answer
from tests.serving import RunningServer

pytestmark = pytest.mark.browser


def rows(server: RunningServer, columns: str, number: int) -> list[dict[str, object]]:
    """Return columns of the last predictions, the oldest first."""
    query = f"SELECT {columns} FROM predictions_feedback ORDER BY timestamp DESC LIMIT {number}"
    return server.query(query)[::-1]


def press_anyway(control: Locator) -> None:
    """Click without waiting until the control is enabled."""
    control.dispatch_event("click")


def test_what_is_pressed_just_as_another_photo_is_chosen_lands_on_the_photo_before_or_nowhere(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "before.jpg")
    yes, no = page.get_by_role("button", name="Yes"), page.get_by_role("button", name="No", exact=True)
    with suspended(server):
        no.click()  # on its way
        choose(page, pictures["png"], "next.png")
        expect(page.locator(".cd-name")).to_have_text("next.png")
        expect(yes).to_have_attribute("aria-disabled", "true")
        expect(no).to_be_focused()
        press_anyway(yes)
    wait_for_answer(page)
    expect(yes).to_be_enabled()
    for button in (yes, no):
        expect(button).to_have_attribute("aria-pressed", "false")
    assert [row["user_feedback"] for row in rows(server, "user_feedback", 2)] == [0, None]
    page.get_by_role("list", name="Photos of this visit").get_by_role("button").first.click()
    expect(no).to_have_attribute("aria-pressed", "true")


def test_ticks_and_comments_of_an_earlier_photo_stay_with_it_on_a_slow_line(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "before.jpg")
    page.get_by_role("button", name="Yes").click()
    names, photo = page.get_by_role("checkbox", name="name and my comment"), page.get_by_role("checkbox", name="train")
    tick(names)
    comment = page.get_by_label("Anything to add?")
    comment.fill("about the first")
    with suspended(server):
        page.get_by_role("button", name="Send the comment").click()  # on its way
        choose(page, pictures["png"], "next.png")
        expect(page.locator(".cd-name")).to_have_text("next.png")
        expect(photo).to_have_attribute("aria-disabled", "true")
        expect(comment).not_to_be_editable()
        press_anyway(photo)
        expect(photo).not_to_be_checked()
    wait_for_answer(page)
    page.get_by_role("button", name="Yes").click()
    expect(names).not_to_be_checked()
    expect(comment).to_be_hidden()
    stored = rows(server, "filename, user_comment", 2)
    assert [tuple(row.values()) for row in stored] == [("before.jpg", "about the first"), (None, None)]

    with suspended(server):
        names.check()  # of the second photo, on its way
        page.get_by_role("list", name="Photos of this visit").get_by_role("button").first.click()
    expect(page.locator(".cd-name")).to_have_text("before.jpg")
    expect(page.locator(".cd-comment blockquote")).to_have_text("about the first")
    expect(page.locator(".cd-receipt li")).to_have_count(2)
    assert [row["filename"] for row in rows(server, "filename", 2)] == ["before.jpg", "next.png"]


def test_after_an_unreadable_photo_the_forms_are_hidden_the_focus_is_not_lost_and_the_error_ends_with_a_choice(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    for name in ("first.jpg", "second.jpg"):
        upload_photo(page, pictures["jpeg"], name)
    yes = page.get_by_role("button", name="Yes")
    yes.focus()
    upload_photo(page, pictures["words"], "words.jpg")
    expect(yes).to_be_hidden()
    expect(page.get_by_role("button", name="Choose another photo")).to_be_focused()
    assert error_message(page).startswith("words.jpg: ")
    page.get_by_role("list", name="Photos of this visit").get_by_role("button").first.click()
    expect(yes).to_be_enabled()
    expect(page.locator(".cd-photo").get_by_role("alert")).to_be_empty()


def test_a_draft_stays_with_its_photo_and_the_counter_counts_as_the_server_does(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    photos = page.get_by_role("list", name="Photos of this visit").get_by_role("button")
    comment, counter = page.get_by_label("Anything to add?"), page.locator(".cd-comment form > .cd-muted")
    announced = page.locator(".cd-comment form > [role=status]")
    for name in ("first.jpg", "second.jpg"):
        upload_photo(page, pictures["jpeg"], name)
        page.get_by_role("button", name="Yes").click()
        tick(page.get_by_role("checkbox", name="name and my comment"))
        comment.fill(f"about {name}")
    photos.first.click()
    expect(comment).to_have_value("about first.jpg")
    expect(counter).to_have_text("Characters left: 985 of 1,000")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator(".cd-comment blockquote")).to_have_text("about first.jpg")
    photos.last.click()
    expect(comment).to_have_value("about second.jpg")

    expect(announced).to_have_text("")
    comment.fill("\N{CAT FACE}" * 960)  # two units each in JavaScript
    expect(counter).to_have_text("Characters left: 40 of 1,000")
    expect(announced).to_have_text("Characters left: 40 of 1,000")
    comment.fill("\N{CAT FACE}" * 1001)
    expect(counter).to_have_text("At most 1,000 characters: 1 too many")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.locator(".cd-comment").get_by_role("alert")).to_have_text(
        "The comment is too long: at most 1000 characters."
    )
    expect(comment).to_have_value("\N{CAT FACE}" * 1001)
    comment.fill("\N{CAT FACE}" * 1000)
    page.get_by_role("button", name="Send the comment").click()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(comment).to_have_value("\N{CAT FACE}" * 1000)
    comment.fill("shorter")
    page.get_by_role("button", name="Save the change").click()
    expect(page.locator(".cd-comment blockquote")).to_have_text("shorter")
    assert [row["user_comment"] for row in rows(server, "user_comment", 2)] == ["about first.jpg", "shorter"]
    page.locator(".cd-comment").get_by_role("button", name="Delete", exact=True).click()
    page.locator(".cd-comment").get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_text("Your comment is deleted.")).to_be_visible()
    expect(comment).to_be_focused()
    assert [row["user_comment"] for row in rows(server, "user_comment", 2)] == ["about first.jpg", None]


def test_all_receipts_of_a_visit_are_saved_in_one_file_and_each_is_marked(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    receipts = page.locator(".cd-receipt")
    for name in ("first.jpg", "second.jpg"):
        upload_photo(page, pictures["jpeg"], name)
        page.get_by_role("button", name="Yes").click()
        tick(page.get_by_role("checkbox", name="train"))
    entries = receipts.get_by_role("listitem")
    expect(entries).to_contain_text([f"{name}Not saved yet" for name in ("first.jpg", "second.jpg")])
    codes = receipts.locator("code").all_inner_texts()
    with page.expect_download() as file:
        receipts.get_by_role("button", name="Save as a file").click()
    text = file.value.path().read_text()
    assert all(f"{code} ({name})" in text for code, name in zip(codes, ("first.jpg", "second.jpg"), strict=True))
    expect(entries).to_contain_text(["first.jpgCopied or saved", "second.jpgCopied or saved"])
    tick(page.get_by_role("checkbox", name="name and my comment"))
    expect(entries.locator("code")).to_have_text(codes)
    expect(entries).to_contain_text(["first.jpgCopied or saved", "second.jpgCopied or saved"])
    upload_photo(page, pictures["words"], "words.jpg")
    expect(entries).to_have_count(2)


def test_on_a_phone_the_list_of_photos_is_scrolled_to_the_one_that_is_shown(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    open_app(page, server)
    strip = page.get_by_role("list", name="Photos of this visit")
    choose(page, pictures["jpeg"], *(f"{number}.jpg" for number in range(9)))
    expect(strip.get_by_role("button")).to_have_count(9)
    wait_for_answer(page)
    for shown, hidden in ((8, 0), (0, 8)):
        expect(strip.get_by_role("button").nth(shown)).to_have_attribute("aria-current", "true")
        expect(strip.get_by_role("button").nth(shown)).to_be_in_viewport(ratio=1)
        expect(strip.get_by_role("button").nth(hidden)).not_to_be_in_viewport()
        strip.get_by_role("button").nth(hidden).dispatch_event("click")
