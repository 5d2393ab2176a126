"""What a visitor does besides sending a photo: try samples, see the map, cancel, see and erase their data."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
import urllib3
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from catsdogs.i18n import Translator
from catsdogs.service import TOKEN_VARIABLE
from tests import kernel_processes
from tests.browser.app import READY, bring, choose, latest, listen, open_app, problem, settled
from tests.serving import RunningServer

pytestmark = pytest.mark.browser

PHOTOS_NOT_LISTED = "The photos that you sent before are no longer listed."
ROWS = "SELECT count(*) FROM predictions_feedback"


@contextmanager
def suspended(server: RunningServer) -> Iterator[None]:
    """Suspend the server: it answers afterwards what was requested meanwhile."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def agree(page: Page) -> None:
    """Tick all boxes of the consent form."""
    for box in page.get_by_role("checkbox").all():
        box.check()


def test_sample_pictures_are_predicted_in_one_click_and_nothing_is_stored(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    agree(page)
    before = server.query(ROWS)
    for title, text in (("Chelsea, a cat", "a cat"), ("A drawing of a dog", "Neither"), ("A drawing of a boat", "Nei")):
        listen(page)
        page.get_by_role("button", name=title, exact=True).click()
        settled(page)
        assert problem(page) == ""
        expect(page.get_by_role("heading", level=2)).to_have_text(re.compile(text))
        expect(page.get_by_text("A sample picture: nothing about it is recorded")).to_be_visible()
        expect(page.get_by_role("img", name=title)).to_be_visible()
        expect(page.locator(".cd-name")).to_have_text(re.compile("CC0|drawn for catsdogs"))
        for hidden in (".cd-feedback", ".cd-receipt"):
            expect(page.locator(hidden)).to_be_hidden()
    assert server.query(ROWS) == before
    bring(page, pictures["jpeg"])
    expect(page.locator(".cd-samples")).to_be_hidden()
    expect(page.locator(".cd-receipt")).to_be_visible()
    expect(page.get_by_role("list", name="Photos of this visit").get_by_role("button")).to_have_count(4)
    assert server.query(ROWS) != before


def middle_colour(map_: Locator) -> list[int]:
    """Return the colour in the middle of the map: red, green, blue, opacity (0..255)."""
    return map_.evaluate(  # type: ignore[no-any-return]
        "map => [...map.getContext('2d').getImageData(map.width / 2, map.height / 2, 1, 1).data]"
    )


def test_a_click_shows_the_activation_map_over_the_photo(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    page.emulate_media(reduced_motion="reduce")  # animations change the positions
    open_app(page, server)
    bring(page, pictures["jpeg"])
    button, map_ = page.get_by_role("button", name="What the model looked at"), page.locator(".cd-map")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(map_).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(map_).to_be_visible()
    expect(page.locator(".cd-legend")).to_have_text(re.compile("suggests a cat.*suggests a dog"))
    red, green, blue, opacity = middle_colour(map_)
    assert red > green > blue, "orange: a cat"
    assert opacity > 100
    assert map_.bounding_box() == page.locator(".cd-picture").bounding_box()
    corner = "map => map.getContext('2d').getImageData(0, map.height / 2, 1, 1).data[3]"
    assert map_.evaluate(corner) == 0, "outside of the square that the model received"

    listen(page)
    bring(page, pictures["tiff"], "cat.tiff")  # which the browser cannot show
    expect(button).to_be_hidden()
    expect(map_).to_be_hidden()
    page.get_by_role("list", name="Photos of this visit").get_by_role("button").first.click()
    expect(map_).to_be_visible()
    button.click()
    expect(map_).to_be_hidden()
    expect(page.locator(".cd-legend")).to_be_empty()


def test_waiting_photos_are_counted_and_cancelled_and_nothing_of_them_is_stored(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    agree(page)
    with suspended(server):
        choose(page, pictures["jpeg"], "first.jpg", "second.jpg", "third.jpg")
        expect(page.get_by_text("Looking at your photo…").first).to_be_visible()
        expect(page.get_by_text("Photos that wait: 2")).to_be_visible()
        expect(page.locator(".cd-name")).to_have_text("first.jpg")  # on its way
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(page.get_by_text("or drop it here, or paste it")).to_be_visible()
    bring(page, pictures["jpeg"], "kept.jpg")  # the cancelled photos are discarded before
    assert problem(page) == ""
    expect(page.locator(".cd-name")).to_have_text("kept.jpg")
    expect(page.get_by_role("list", name="Photos of this visit")).to_be_hidden()  # one alone is no list
    named = "SELECT filename FROM predictions_feedback WHERE filename IN ('first.jpg', 'second.jpg', 'third.jpg')"
    assert server.query(named) == []
    assert latest(server)["filename"] == "kept.jpg"


def test_of_several_photos_each_error_names_its_file(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    bring(page, pictures["words"], "alone.jpg")
    assert problem(page).startswith("This is not a picture that can be read.")
    name = "<b>one.png"
    with suspended(server):
        choose(page, pictures["half_jpeg"], "half.jpg")
        expect(page.locator(".cd-overlay")).to_be_visible()
        choose(page, pictures["words"], "words.jpg")
        choose(page, pictures["half_png"], name)
        expect(page.get_by_text("Photos that wait: 2")).to_be_visible()
    alert = page.locator(".cd-photo").get_by_role("alert")
    expect(alert).not_to_be_empty(timeout=READY)
    named = [sentence.partition(": ")[::2] for sentence in alert.inner_text().splitlines()]
    damaged, unknown = "This picture is damaged", "This is not a picture t"
    assert [(name, sentence[: len(damaged)]) for name, sentence in named] == [
        ("half.jpg", damaged),
        ("words.jpg", unknown),
        (name, damaged),
    ]
    bring(page, pictures["words"], "later.jpg")
    assert problem(page).startswith("later.jpg: This is not a picture")


def test_a_banner_shows_that_the_server_is_unreachable_and_the_request_is_answered_later(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    listen(page)
    with suspended(server):
        choose(page, pictures["jpeg"], "patient.jpg")
        expect(page.locator("#session-banner")).to_contain_text("cannot be reached", timeout=READY)
    settled(page)
    assert problem(page) == ""
    expect(page.locator("#session-banner")).to_be_hidden(timeout=READY)


def test_a_rate_limit_shows_an_error(page: Page, server: RunningServer, pictures: dict[str, bytes]) -> None:
    open_app(page, server)
    token = kernel_processes.environment(kernel_processes.kernel_of(page, server))[TOKEN_VARIABLE]
    for _ in range(200):
        answer = urllib3.request(
            "POST", f"{server.url}/api/update-feedback", headers={"Authorization": f"Bearer {token}"}, retries=False
        )
        if answer.status == 429:
            break
    bring(page, pictures["jpeg"])
    assert problem(page) == answer.json()["detail"] != ""
    expect(page.locator(".cd-answer")).to_be_hidden()


def test_a_person_sees_withdraws_and_erases_stored_data(
    page: Page, server: RunningServer, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    open_app(page, server)
    agree(page)
    name = "<i>mine.jpg"
    bring(page, pictures["jpeg"], name)
    identifier = latest(server)["id"]
    receipt = page.locator(".cd-code").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert receipt in saved.value.path().read_text()
    assert f"{server.url}/inference#my-data" in saved.value.path().read_text()

    page.get_by_role("button", name="See what is kept").click()
    data = page.locator(".cd-mydata")
    expect(data.locator(".cd-record")).to_contain_text(name)
    photo = data.get_by_role("img", name="The photo that is kept")
    expect(photo).to_be_visible()
    assert photo.evaluate("photo => photo.decode().then(() => photo.naturalWidth)") == 451
    with page.expect_download() as exported:
        data.get_by_role("button", name="Save everything as a file").click()
    everything = json.loads(exported.value.path().read_text())
    assert [row["filename"] for row in everything["predictions"]] == [name]

    withdraw = data.get_by_role("button", name="Withdraw", exact=True)
    expect(withdraw).to_have_count(2)
    withdraw.last.click()
    data.get_by_role("button", name="No, keep it").locator("visible=true").click()
    expect(photo).to_be_visible()
    withdraw.last.click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(data.get_by_role("status")).to_have_text(re.compile("This consent is withdrawn"))
    expect(data.get_by_text("No photo is kept.")).to_be_visible()
    expect(withdraw).to_have_count(1)
    assert server.query("SELECT 1 FROM photos WHERE prediction_id = :id", id=identifier) == []

    expect(data.get_by_text("what was kept for it is erased")).to_be_hidden()
    withdraw.click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(data.get_by_text("what was kept for it is erased")).to_be_visible()
    expect(data.locator(".cd-record")).not_to_contain_text(name)

    data.get_by_role("button", name="Erase everything").click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(data.get_by_role("status")).to_have_text(re.compile("Everything that was kept under this code is erased"))
    expect(page.locator(".cd-receipt")).to_be_hidden()
    expect(page.locator(".cd-feedback")).to_be_hidden()
    expect(page.locator(".cd-answer")).to_contain_text("What was kept about this photo is erased.")
    assert server.query("SELECT 1 FROM predictions_feedback WHERE id = :id", id=identifier) == []


def test_the_keyboard_focus_stays_where_the_page_changes(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)

    def press(button: Locator) -> None:
        button.focus()
        page.keyboard.press("Enter")

    bring(page, pictures["jpeg"], "first.jpg")
    bring(page, pictures["png"], "second.png")
    first = page.get_by_role("list", name="Photos of this visit").get_by_role("button").first
    press(first)
    expect(page.locator(".cd-name")).to_have_text("first.jpg")
    expect(first).to_have_attribute("aria-current", "true")
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="second.png: Cat")).to_be_focused()

    agree(page)
    bring(page, pictures["jpeg"], "third.jpg")
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
        box.check()
    page.get_by_role("checkbox").last.uncheck()
    press(page.get_by_role("button", name="Apply it to this photo, too"))
    expect(page.get_by_text("Your choice applies from your next photo on.")).to_be_hidden()
    expect(page.get_by_role("checkbox").last).to_be_focused()

    press(page.get_by_role("button", name="See what is kept"))
    data = page.locator(".cd-mydata")
    news = data.get_by_role("status")
    for action, said in (("Withdraw", "This consent is withdrawn"), ("Erase everything", "Everything that was kept")):
        press(data.get_by_role("button", name=action))
        page.keyboard.press("Shift+Tab")
        expect(data.get_by_role("button", name="Yes, do it").locator("visible=true")).to_be_focused()
        page.keyboard.press("Enter")
        expect(news).to_have_text(re.compile(said))
        expect(news).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(data.get_by_role("button", name="Show what is kept")).to_be_focused()


def test_changing_the_language_keeps_unsaved_receipts_and_ticked_boxes(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    def switch(name: str) -> None:
        page.get_by_role("link", name=name).click()
        expect(page.locator("html")).to_have_attribute("lang", name[:2].lower(), timeout=READY)
        expect(page.get_by_role("checkbox")).to_have_count(2, timeout=READY)
        assert page.evaluate("Object.keys(sessionStorage)") == []

    open_app(page, server)
    page.get_by_role("checkbox").last.check()
    receipt, codes = page.locator(".cd-receipt"), page.locator(".cd-receipt").locator(".cd-code:visible")
    bring(page, pictures["jpeg"], "lost.jpg")
    lost = codes.inner_text()
    bring(page, pictures["png"], "saved.png")
    saved = codes.inner_text()
    receipt.get_by_role("button", name="Save as a file").click()
    expect(receipt.get_by_role("status")).to_have_text("Saved.")

    switch("Français")
    expect(codes).to_have_text([lost])
    expect(page.locator(".cd-answer")).to_contain_text(Translator("fr")(PHOTOS_NOT_LISTED))
    boxes = page.get_by_role("checkbox")
    expect(boxes.first).not_to_be_checked()
    expect(boxes.last).to_be_checked()
    listen(page)
    choose(page, pictures["jpeg"], "new.jpg")
    expect(codes).to_have_count(2, timeout=READY)
    assert saved not in codes.all_inner_texts()
    assert server.query("SELECT 1 FROM photos WHERE prediction_id = :id", id=latest(server)["id"])

    switch("English")
    expect(codes).to_have_count(2)
    receipt.get_by_role("listitem").filter(has_text=lost).get_by_role("button").click()
    data = page.locator(".cd-mydata")
    data.get_by_role("button", name="Erase everything").click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(codes).to_have_count(1)
    new = codes.inner_text()
    assert new not in (lost, saved)
    with page.expect_download() as file:
        receipt.get_by_role("button", name="Save as a file").click()
    assert new in file.value.path().read_text()
    boxes.last.uncheck()
    page.evaluate("document.dispatchEvent(new Event('catsdogs:language'))")
    assert page.evaluate("Object.keys(sessionStorage)") == ["catsdogs-answers"], "no receipt, and no tick"


def test_a_receipt_code_opens_the_data_later_and_wrong_codes_share_one_error(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    page.get_by_role("checkbox").first.check()
    bring(page, pictures["jpeg"], "earlier.jpg")
    receipt = page.locator(".cd-code").inner_text()

    page.goto(server.url)
    page.get_by_role("link", name="See or erase my data").click()
    code = page.get_by_label("Receipt code")
    expect(code).to_be_focused(timeout=READY)
    data = page.locator(".cd-mydata")

    def enter(text: str) -> str:
        code.fill(text)
        page.keyboard.press("Enter")
        expect(data).not_to_have_attribute("aria-busy", "true", timeout=READY)
        return data.get_by_role("alert").inner_text()

    wrong = {enter(text) for text in ("0000-0000-0000-0000-0000-0000-0000", "<script>", receipt[:-1], "%00")}
    assert wrong == {
        "Nothing is held under this receipt code. Check that it is complete; it may also be erased already."
    }
    assert enter(" ") == "Type or paste the receipt code first."
    assert enter(receipt.lower().replace("-", " ")) == ""
    expect(data.locator(".cd-record")).to_contain_text("earlier.jpg")
    sentences = [enter("wrong") for _ in range(6)]
    assert sentences[-1].startswith("Too many receipt codes.")
    expect(data.locator(".cd-record")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "locale"), [("light", "fr-FR"), ("dark", "en-GB")])
def test_axe_finds_no_accessibility_violation_in_any_state(
    browser: Browser, server: RunningServer, pictures: dict[str, bytes], scheme: Literal["dark", "light"], locale: str
) -> None:
    _ = Translator(locale[:2])

    def violations() -> list[str]:
        return [violation["id"] for violation in Axe().run(page).response["violations"]]

    with browser.new_context(
        locale=locale, color_scheme=scheme, reduced_motion="reduce", viewport={"width": 360, "height": 740}
    ) as context:
        page = context.new_page()
        open_app(page, server, "#my-data")
        agree(page)
        page.locator(".cd-samples button").nth(1).click()
        expect(page.locator(".cd-answer")).to_be_visible()
        assert violations() == []
        with suspended(server):
            choose(page, pictures["jpeg"], "a.jpg", "b.jpg")
            expect(page.locator(".cd-overlay")).to_be_visible()
            assert violations() == []
        expect(page.locator(".cd-photo-list button")).to_have_count(3, timeout=READY)
        page.locator(".cd-caption [aria-pressed]").click()
        page.locator(".cd-receipt").get_by_role("button", name=_("See what is kept")).click()
        expect(page.locator(".cd-record img")).to_be_visible()
        for button in page.locator(".cd-grave").all():
            button.click()
        expect(page.locator(".cd-confirm").locator("visible=true")).to_have_count(3)
        assert violations() == []
        assert page.evaluate("document.documentElement.scrollWidth") == 360

        page.goto(f"{server.url}/info")
        page.locator("summary").click()
        assert violations() == []
        assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
def test_the_page_fits_every_width(page: Page, server: RunningServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_app(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#rendered_cells").evaluate("cells => cells.scrollWidth <= cells.clientWidth")
    drop = page.locator(".cd-drop").bounding_box()
    assert drop
    assert drop["width"] >= min(300, width * 0.8)
