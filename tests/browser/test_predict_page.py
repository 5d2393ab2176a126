"""Keyboard, languages, widths and accessibility of the prediction app, in a real browser."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from catsdogs import samples
from catsdogs.i18n import Translator
from tests.browser.app import (
    READY,
    agree,
    choose,
    open_app,
    suspended,
    tick,
    upload_photo,
    violations,
)
from tests.serving import RunningServer

pytestmark = pytest.mark.browser


def test_the_app_works_with_the_keyboard_alone(
    page: Page, server: RunningServer, tmp_path: Path, pictures: dict[str, bytes]
) -> None:
    photo = tmp_path / "cat.jpg"
    photo.write_bytes(pictures["jpeg"])
    # registered before the page is opened: Playwright begins to intercept choosers with a delay
    page.on("filechooser", lambda chooser: chooser.set_files(photo))
    open_app(page, server)

    def tab_to(role: str, name: str) -> None:
        wanted = page.get_by_role(role, name=name)  # type: ignore[arg-type]
        for _ in range(20):
            page.keyboard.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        pytest.fail(f"Tab does not reach {role} {name!r}")

    tab_to("button", "Choose a photo")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    expect(page.get_by_role("button", name="Yes")).to_be_enabled()
    tab_to("button", "Yes")
    page.keyboard.press("Space")
    expect(page.get_by_text("Thank you!")).to_be_visible()
    tab_to("checkbox", "Keep my photo to train the model")
    page.keyboard.press("Space")
    expect(page.get_by_text("The photo is kept.")).to_be_visible()
    expect(page.get_by_label("Keep my photo to train the model")).to_be_checked()


def test_the_keyboard_focus_stays_where_the_page_changes(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)

    def press(button: Locator) -> None:
        expect(button).to_be_enabled()
        button.focus()
        page.keyboard.press("Enter")

    upload_photo(page, pictures["jpeg"], "first.jpg")
    upload_photo(page, pictures["png"], "second.png")
    first = page.get_by_role("list", name="Photos of this visit").get_by_role("button").first
    press(first)
    expect(page.locator(".cd-name")).to_have_text("first.jpg")
    expect(first).to_have_attribute("aria-current", "true")
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="second.png: Cat")).to_be_focused()

    press(page.get_by_role("button", name="No", exact=True))
    label = page.get_by_role("button", name="A dog")
    press(label)
    expect(label).to_have_attribute("aria-pressed", "true")
    expect(label).to_be_focused()
    names, photo = page.get_by_role("checkbox").all()
    undo = page.get_by_role("button", name="Undo")
    names.focus()
    page.keyboard.press("Space")
    expect(undo).to_be_visible()
    expect(names).to_be_focused()
    press(undo)
    expect(names).not_to_be_checked()
    expect(names).to_be_focused()
    for box in (names, photo):
        tick(box)
    names.focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="No, keep it").locator("visible=true")).to_be_focused()
    page.keyboard.press("Enter")
    expect(names).to_be_focused()
    expect(names).to_be_checked()

    page.get_by_label("Anything to add?").fill("mine")
    press(page.get_by_role("button", name="Send the comment"))
    change = page.get_by_role("button", name="Change", exact=True)
    expect(change).to_be_focused()
    press(change)
    expect(page.get_by_label("Anything to add?")).to_be_focused()
    press(page.get_by_role("button", name="Cancel"))
    expect(change).to_be_focused()

    press(page.get_by_role("button", name="Show what is kept"))
    data = page.locator(".cd-mydata")
    status_line = data.get_by_role("status")
    for action, status in (("Withdraw", "This consent is withdrawn"), ("Erase everything", "Everything that was kept")):
        press(data.get_by_role("button", name=action).last)
        page.keyboard.press("Shift+Tab")
        expect(data.get_by_role("button", name="Yes, do it").locator("visible=true")).to_be_focused()
        page.keyboard.press("Enter")
        expect(status_line).to_have_text(re.compile(status))
        expect(status_line).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(data.get_by_role("button", name="Show what is kept")).to_be_focused()


@pytest.mark.parametrize(("locale", "query", "language"), [("fr-CA", "", "fr"), ("fr-CA", "?lang=en", "en")])
def test_the_page_is_in_the_visitors_language_on_a_phone(
    browser: Browser, server: RunningServer, pictures: dict[str, bytes], locale: str, query: str, language: str
) -> None:
    with browser.new_context(locale=locale, viewport={"width": 360, "height": 740}, color_scheme="dark") as context:
        page = context.new_page()
        open_app(page, server, query)
        page.set_input_files(
            "input[type=file]", {"name": "c.jpg", "mimeType": "image/jpeg", "buffer": pictures["jpeg"]}
        )
        figure = re.compile(r"^(<\s)?\d+,\d\s%$" if language == "fr" else r"^(<\s)?\d+\.\d%$")
        expect(page.locator(".cd-figure")).to_have_text([figure] * 3)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.locator("#rendered_cells").evaluate("cells => cells.scrollWidth <= cells.clientWidth")
        answer = page.locator(".cd-answer h2")
        expect(answer).to_be_in_viewport()  # the page has scrolled to it


@pytest.mark.parametrize(
    ("width", "height", "locale", "scheme"),
    [
        (360, 640, "fr-FR", "dark"),
        (640, 400, "fr-FR", "light"),  # 1280 x 800 at 200 %, or a phone that lies
        (820, 1180, "en-GB", "dark"),
        (1440, 900, "fr-FR", "light"),
    ],
)
def test_the_answer_and_its_question_are_visible_without_scrolling(
    browser: Browser,
    server: RunningServer,
    pictures: dict[str, bytes],
    width: int,
    height: int,
    locale: str,
    scheme: Literal["dark", "light"],
) -> None:
    _ = Translator(locale[:2])
    with browser.new_context(
        locale=locale, color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        open_app(page, server)
        for count, variant in enumerate(("jpeg", "png", "webp"), start=1):
            choose(page, pictures[variant], f"{variant}.jpg")
            expect(page.locator(".cd-photo-list button")).to_have_count(count, timeout=READY)
            expect(page.locator(".cd-name")).to_have_text(f"{variant}.jpg")
            for shown in (
                page.locator(".cd-answer h2"),
                *page.locator(".cd-choices").first.get_by_role("button").all(),
            ):
                expect(shown).to_be_in_viewport(ratio=1)
        choose(page, (samples.FOLDER / "both.jpg").read_bytes(), "both.jpg")
        expect(page.get_by_role("heading", name=_("What is it?"))).to_be_in_viewport(ratio=1, timeout=READY)
        expect(page.locator(".cd-answer h2")).to_be_in_viewport(ratio=1)
        for label in ("A cat", "A dog", "Both", "Neither"):
            expect(page.get_by_role("button", name=_(label), exact=True)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        too_wide = "buttons => buttons.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length"
        assert page.locator(".cd-caption button").evaluate_all(too_wide) == 0, "texts fit into their buttons"
        with suspended(server):
            choose(page, pictures["jpeg"], "next.jpg")
            expect(page.locator(".cd-progress")).to_be_in_viewport(ratio=1)
            page.get_by_role("button", name=_("Cancel"), exact=True).click(trial=True)


def test_french_has_a_space_before_the_colon_after_a_files_name(
    server: RunningServer, page: Page, pictures: dict[str, bytes]
) -> None:
    open_app(page, server, "?lang=fr")
    choose(page, pictures["jpeg"], "chat.jpg")
    entry = page.get_by_role("list", name="Photos de cette visite").get_by_role("button")
    expect(entry).to_have_attribute("aria-label", "chat.jpg\N{NO-BREAK SPACE}: Chat")
    choose(page, pictures["nothing"], "vide.jpg")
    problem = page.locator(".cd-photo").get_by_role("alert")
    expect(problem).to_have_text(re.compile("^vide.jpg\N{NO-BREAK SPACE}: Ce fichier est vide"))


def test_a_touch_screen_is_not_asked_to_drop_or_paste(browser: Browser, server: RunningServer) -> None:
    hint = "or drop it here, or paste it"
    for touch in (True, False):
        with browser.new_context(locale="en-GB", has_touch=touch, is_mobile=touch) as context:
            page = context.new_page()
            open_app(page, server)
            expect(page.get_by_text("Choose a photo", exact=True)).to_be_visible()
            expect(page.get_by_text(hint)).to_be_visible(visible=not touch)
            camera = page.get_by_role("button", name="Take a photo")
            expect(camera).to_be_visible(visible=touch)
            if touch:
                captures = (
                    "input => { input.addEventListener('click', () => input.seen = input.getAttribute('capture')); }"
                )
                field = page.locator("input[type=file]")
                field.evaluate(captures)
                with page.expect_file_chooser():
                    camera.tap()
                assert field.evaluate("input => input.seen") == "environment"
                with page.expect_file_chooser():
                    page.get_by_text("Choose a photo", exact=True).tap()
                assert field.evaluate("input => input.seen") is None, "the files, and not only the camera"
            page.goto("about:blank")  # ends the session


def test_ones_own_photo_is_enlarged_with_its_map_and_the_focus_returns(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    opened: list[str] = []
    page.on("filechooser", lambda _: opened.append("a file chooser"))
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "my cat.jpg")
    photo = page.get_by_role("button", name="my cat.jpg Enlarge")
    viewer = page.get_by_role("dialog", name="my cat.jpg")
    photo.click()
    expect(viewer.get_by_role("img", name="my cat.jpg")).to_be_in_viewport(ratio=1)
    expect(viewer.locator("canvas")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(photo).to_be_focused()

    page.get_by_role("button", name="What the model looked at").click()
    photo.focus()
    page.keyboard.press("Enter")
    expect(viewer.locator("canvas")).to_be_in_viewport(ratio=1)
    assert viewer.locator("canvas").bounding_box() == viewer.get_by_role("img").bounding_box()
    expect(viewer.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(viewer).to_be_hidden()
    expect(photo).to_be_focused()

    photo.click()
    expect(viewer).to_be_visible()
    choose(page, pictures["tiff"], "next.tiff")  # as by pasting: the dialog gives way to the next photo
    expect(viewer).to_be_hidden()
    expect(page.locator(".cd-enlarge")).to_be_hidden()  # the browser cannot show this picture
    assert opened == [], "a click on a photo opens no file chooser"
    with page.expect_file_chooser():
        page.get_by_role("button", name="Choose another photo").click()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_the_page_is_printed_whole_in_black_on_white(
    browser: Browser,
    server: RunningServer,
    pictures: dict[str, bytes],
    width: int,
    scheme: Literal["dark", "light"],
) -> None:
    with browser.new_context(
        locale="en-GB", color_scheme=scheme, viewport={"width": width, "height": 700}, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        open_app(page, server)
        upload_photo(page, pictures["jpeg"], "my cat.jpg")
        agree(page)
        code = page.locator(".cd-code").first
        expect(code).to_be_visible()

        printed = page.pdf(**PAPER)
        assert len(PAGE.findall(printed)) == 1
        assert re.search(rb"/Subtype\s*/Image", printed), "the photo"

        page.emulate_media(media="print")
        wanted = [page.get_by_role("heading", name="It is a cat!"), page.get_by_role("img", name="my cat.jpg"), code]
        wanted += [
            page.get_by_text(f"Where to use it: {server.url}/inference#my-data"),
            page.locator(".cd-name"),
            *page.locator(".cd-figure").all(),
        ]
        for part in wanted:
            expect(part).to_be_visible()
            assert part.evaluate(CLIPPING_ANCESTORS) == []
        for part in (page.locator("button:not(.cd-enlarge)"), page.locator("input"), page.locator("nav")):
            expect(part.locator("visible=true")).to_have_count(0)
        assert page.locator(".cd-receipt").evaluate("card => getComputedStyle(card).color") == "rgb(29, 29, 34)"
        edge = Image.open(io.BytesIO(page.screenshot())).convert("RGB").getpixel((1, 600))
        assert edge == (255, 255, 255)

        page.emulate_media(media="null")
        page.get_by_role("link", name="Français").click()  # the longer texts
        expect(page.get_by_role("heading", name="C’est un chat")).to_be_visible(timeout=READY)
        expect(code).to_be_visible()
        assert len(PAGE.findall(page.pdf(**PAPER))) == 1


PAPER: Any = {"format": "A4", "margin": dict.fromkeys(("top", "right", "bottom", "left"), "1cm")}
PAGE = re.compile(rb"/Type\s*/Page\b")

CLIPPING_ANCESTORS = """part => {
    const { right, bottom } = part.getBoundingClientRect();
    const clipping = [];
    for (let element = part.parentElement; element !== document.body; element = element.parentElement) {
        const box = element.getBoundingClientRect(), { display, overflow } = getComputedStyle(element);
        const clips = overflow !== "visible" && display !== "contents";
        if (clips && (box.right < right - 1 || box.bottom < bottom - 1)) clipping.push(element.id || element.className);
    }
    return clipping;
}"""


def test_the_page_fits_every_width(page: Page, server: RunningServer) -> None:
    open_app(page, server)
    for width in (360, 768, 1280, 3840):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("#rendered_cells").evaluate("cells => cells.scrollWidth <= cells.clientWidth")
        drop = page.locator(".cd-drop").bounding_box()
        assert drop
        assert drop["width"] >= min(300, width * 0.8)


def test_axe_finds_no_accessibility_violation(
    browser: Browser, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    with browser.new_context(locale="en-GB", reduced_motion="reduce") as context:
        page = context.new_page()
        open_app(page, server)
        assert violations(page) == []
        upload_photo(page, pictures["jpeg"])
        page.get_by_role("button", name="No", exact=True).click()
        tick(page.get_by_role("checkbox").first)
        page.get_by_role("checkbox").first.click()
        expect(page.locator(".cd-agreement .cd-confirm")).to_be_visible()
        page.get_by_text("What happens with my data?").click()
        assert violations(page) == []
        upload_photo(page, pictures["png"])
        expect(page.get_by_role("list", name="Photos of this visit")).to_be_visible()
        upload_photo(page, pictures["words"])
        assert violations(page) == []


def test_axe_finds_no_accessibility_violation_in_any_state(
    browser: Browser, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    _ = Translator("fr")  # the longer texts
    with browser.new_context(
        locale="fr-FR", reduced_motion="reduce", viewport={"width": 360, "height": 740}
    ) as context:
        page = context.new_page()
        open_app(page, server, "#my-data")
        page.locator(".cd-samples button").nth(1).click()
        expect(page.locator(".cd-answer")).to_be_visible()
        expect(page.locator("[aria-busy], .cd-locked").locator("visible=true")).to_have_count(0)
        assert violations(page) == []
        with suspended(server):
            choose(page, pictures["jpeg"], "a.jpg", "b.jpg")
            expect(page.locator(".cd-overlay")).to_be_visible()
            assert violations(page) == []
        expect(page.locator(".cd-photo-list button")).to_have_count(3, timeout=READY)
        page.locator(".cd-caption [aria-pressed]").click()
        page.locator(".cd-enlarge").click()
        expect(page.locator(".cd-viewer canvas")).to_be_visible()
        assert violations(page) == []
        page.keyboard.press("Escape")
        agree(page)
        page.locator(".cd-comment textarea").fill("mine")
        page.locator(".cd-comment [type=submit]").click()
        expect(page.locator(".cd-comment blockquote")).to_be_visible()
        page.locator(".cd-receipt").get_by_role("button", name=_("Show what is kept")).click()
        expect(page.locator(".cd-record img")).to_be_visible()
        for button in page.locator(".cd-grave").all():
            button.click()
        expect(page.locator(".cd-confirm").locator("visible=true")).to_have_count(4)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 360

        page.goto(f"{server.url}/info")
        page.locator("summary").click()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 360
