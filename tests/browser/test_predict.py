"""Photos in the prediction app: real server, real database, real Chromium."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Browser, FilePayload, Page, WebSocket, expect

from catsdogs.database.embedded import USER, EmbeddedServer
from catsdogs.database.postgres import PORT
from tests import large_images
from tests.browser.app import (
    READY,
    TYPES,
    clear_messages,
    drop,
    error_message,
    latest_row,
    open_app,
    tick,
    upload_photo,
    wait_for_answer,
    wait_for_kernel,
)
from tests.serving import Launch, RunningServer
from tests.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shared_page(browser: Browser, server: RunningServer) -> Iterator[Page]:
    """One session for the tests that send one photo after the other; without consent."""
    with browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        open_app(page, server)
        yield page


def test_the_start_page_leads_to_the_app_and_all_requests_go_to_the_server(page: Page, server: RunningServer) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.get_by_role("link", name="Try a photo").click()
    expect(page.get_by_role("heading", name="Cat or dog?", level=1)).to_be_visible(timeout=READY)
    expect(page.get_by_text("Choose a photo", exact=True)).to_be_visible()
    wait_for_kernel(page)
    expect(page.get_by_role("checkbox")).to_have_count(0)  # nothing is decided in advance
    page.get_by_text("What happens with my data?").click()
    expect(page.get_by_text("each for the purpose beside its box, we keep")).to_be_visible()
    assert [url for url in asked if not url.startswith((server.url, "blob:", "data:"))] == []


@pytest.mark.parametrize(
    "variant", ["jpeg", "png", "webp", "cmyk", "sixteen_bit", "palette", "transparent", "lying", "large", "tiff"]
)
def test_a_photo_is_predicted(
    shared_page: Page, server: RunningServer, pictures: dict[str, bytes], variant: str
) -> None:
    name = f"{variant}.{variant if variant in TYPES else 'jpg'}"
    upload_photo(shared_page, pictures[variant], name)
    assert error_message(shared_page) == ""
    expect(shared_page.get_by_role("heading", level=2)).to_have_text(re.compile("a cat"))
    expect(shared_page.locator(".cd-figure")).to_have_text([re.compile(r"^(<\s)?\d+\.\d%$")] * 3)
    expect(shared_page.locator(".cd-time")).to_have_text(re.compile(r"^\d+\.\d ms$"))
    expect(shared_page.locator(".cd-name")).to_have_text(name)
    row = latest_row(server)
    assert (row["prediction_result"], row["success"], row["rgpd_consent"], row["filename"]) == (
        "cat",
        True,
        False,
        None,
    )
    assert row["width"] > row["height"]  # upright, however it lay in the file
    if variant != "tiff":  # which Chromium cannot show
        expect(shared_page.get_by_role("img", name=name)).to_be_visible()
        assert shared_page.locator(".cd-picture").evaluate("image => image.naturalWidth") == row["width"]


def test_of_an_animation_the_first_picture_is_used(shared_page: Page, pictures: dict[str, bytes]) -> None:
    upload_photo(shared_page, pictures["gif"], "cat.gif")
    expect(shared_page.locator(".cd-answer")).to_contain_text("only its first picture was used")
    expect(shared_page.get_by_role("heading", level=2)).to_have_text(re.compile("a cat"))


def test_an_incomplete_photo_is_shown_and_kept_and_answered_with_a_note(shared_page: Page, cat_jpeg: bytes) -> None:
    errors: list[str] = []
    shared_page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    upload_photo(shared_page, cat_jpeg[: len(cat_jpeg) * 9 // 10], "cut.jpg")
    expect(shared_page.locator(".cd-answer")).to_contain_text("The picture is incomplete")
    expect(shared_page.get_by_role("img", name="cut.jpg")).to_be_visible()
    kept = "sessionStorage['catsdogs-visit-picture-' + sessionStorage['catsdogs-visit-last']]"
    until(lambda: shared_page.evaluate(f"Boolean({kept})"), "the small picture is not kept")
    assert errors == []


def test_a_heic_is_sent_as_it_is(shared_page: Page) -> None:
    heic = Path(__file__).parents[1] / "pictures" / "quarters.heic"
    upload_photo(shared_page, heic.read_bytes(), "photo.heic")
    expect(shared_page.locator(".cd-answer")).to_be_visible()
    assert error_message(shared_page) == ""


@pytest.mark.parametrize(
    ("variant", "name", "sentence"),
    [
        ("words", "cat.jpg", "This is not a picture that can be read."),
        ("half_jpeg", "cat.jpg", "Too much of this picture is missing."),
        ("half_png", "cat.png", "This picture is damaged or incomplete."),
        ("half_webp", "cat.webp", "This picture is damaged or incomplete."),
        ("bomb", "cat.png", "This picture is too large: at most 50 megapixels"),
    ],
)
def test_an_unreadable_photo_shows_an_error_and_the_next_photo_is_predicted(
    shared_page: Page, server: RunningServer, pictures: dict[str, bytes], variant: str, name: str, sentence: str
) -> None:
    upload_photo(shared_page, pictures[variant], name)
    assert error_message(shared_page).removeprefix(f"{name}: ").startswith(sentence)
    expect(shared_page.locator(".cd-answer")).to_be_hidden()
    assert (latest_row(server)["prediction_result"], latest_row(server)["error_type"]) == ("error", "InvalidImage")
    upload_photo(shared_page, pictures["jpeg"])
    assert error_message(shared_page) == ""
    expect(shared_page.locator(".cd-answer")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "photo", "taken"),
    [
        ("phone.jpg", large_images.jpeg(12_000, 9_000), True),
        ("larger.jpg", large_images.jpeg(16_000, 16_000), False),
        ("progressive.jpg", large_images.progressive_jpeg(9_000, 7_000), False),
        ("large.png", large_images.png(9_000, 7_000), False),
        ("large.bmp", large_images.bmp(9_000, 7_000), False),
    ],
)
def test_the_app_and_the_rest_api_accept_pictures_of_the_same_sizes(
    shared_page: Page, server: RunningServer, name: str, photo: bytes, taken: bool
) -> None:
    upload_photo(shared_page, photo, name)
    answer = urllib3.request(
        "POST",
        f"{server.url}/api/predict",
        fields={"file": (name, photo)},
        headers={"Authorization": f"Bearer {server.api_token}"},
    )
    assert (answer.status, error_message(shared_page) == "") == (200 if taken else 400, taken)
    if not taken:
        assert error_message(shared_page).removeprefix(f"{name}: ") == answer.json()["detail"]
        assert "This picture is too large" in error_message(shared_page)


def test_a_file_that_is_not_a_photo_is_not_sent(shared_page: Page, server: RunningServer, tmp_path: Path) -> None:
    rows = "SELECT count(*) FROM predictions_feedback"
    before = server.query(rows)
    alert = shared_page.locator(".cd-photo").get_by_role("alert")
    shared_page.set_input_files("input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b""})
    expect(alert).to_have_text("a.jpg: This file is empty. Choose another photo.")
    shared_page.set_input_files("input[type=file]", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    unknown = "This is not a picture that can be read. Choose a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
    expect(alert).to_have_text(f"a.pdf: {unknown}")
    large = tmp_path / "a.heic"
    large.write_bytes(bytes(32 * 2**20 + 1))
    shared_page.set_input_files("input[type=file]", large)
    expect(alert).to_have_text("a.heic: This file is too large: at most 32 MB.")
    several: list[FilePayload] = [
        {"name": "void.jpg", "mimeType": "image/jpeg", "buffer": b""},
        {"name": "words.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"},
    ]
    shared_page.set_input_files("input[type=file]", several)
    expect(alert).to_have_text(f"void.jpg: This file is empty. Choose another photo. words.pdf: {unknown}")
    assert server.query(rows) == before


def test_a_dropped_photo_and_the_photos_of_a_dropped_folder_are_predicted(
    shared_page: Page, tmp_path: Path, pictures: dict[str, bytes]
) -> None:
    photo = tmp_path / "dropped.jpg"
    photo.write_bytes(pictures["jpeg"])
    clear_messages(shared_page)
    drop(shared_page, photo)
    expect(shared_page.locator(".cd-name")).to_have_text("dropped.jpg")
    wait_for_answer(shared_page)
    assert error_message(shared_page) == ""
    alert = shared_page.locator(".cd-photo").get_by_role("alert")
    folder = tmp_path / "folder"
    (folder / ".hidden").mkdir(parents=True)
    for name in ("desktop.ini", ".DS_Store", "._dot.jpg", ".hidden/hidden.jpg", "notes.txt"):
        (folder / name).write_bytes(pictures["jpeg"])
    drop(shared_page, folder)
    expect(alert).to_have_text("There is no photo in this folder.")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "second.JPG").write_bytes(pictures["jpeg"])
    (folder / "first.png").write_bytes(pictures["png"])
    thumbnails = shared_page.get_by_role("list", name="Photos of this visit").get_by_role("button")
    count = thumbnails.count()
    clear_messages(shared_page)
    drop(shared_page, folder)
    expect(thumbnails).to_have_count(count + 2)
    expect(shared_page.locator(".cd-overlay")).to_be_hidden()
    assert error_message(shared_page) == ""
    expect(thumbnails.nth(count)).to_have_accessible_name("second.JPG: Cat")
    expect(thumbnails.last).to_have_accessible_name("first.png: Cat")


LINK_GESTURES = {
    "a picture of another page": {"text/uri-list": "https://example.org/cat.jpg", "text/html": "<img src='cat.jpg'>"},
    "a link": {"text/plain": "https://example.org/cat.jpg"},
    "HTML with a picture": {"text/html": "<p><img src='https://example.org/cat.jpg'></p>"},
}


@pytest.mark.parametrize("kind", ["drop", "paste"])
@pytest.mark.parametrize("gesture", LINK_GESTURES)
def test_a_link_in_place_of_a_photo_is_explained_and_the_page_stays(shared_page: Page, kind: str, gesture: str) -> None:
    clear_messages(shared_page)
    address = shared_page.url
    is_prevented = shared_page.evaluate(
        """([kind, data]) => {
            const transfer = new DataTransfer();
            for (const [type, text] of Object.entries(data)) transfer.setData(type, text);
            const fields = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
            const create = (name) => name === "paste" ? new ClipboardEvent(name, fields) : new DragEvent(name, fields);
            const kinds = kind === "drop" ? ["dragover", "drop"] : ["paste"];
            return kinds.map(name => !document.querySelector("h1").dispatchEvent(create(name)));
        }""",
        [kind, LINK_GESTURES[gesture]],
    )
    prevented = [True, True] if kind == "drop" else [False]
    assert is_prevented == prevented, "the browser would leave the page to open what is dropped"
    expect(shared_page.locator(".cd-photo").get_by_role("alert")).to_have_text(
        "Only a link arrived, not the picture. Save the picture on your device first, then choose it here."
    )
    assert shared_page.url == address


def test_a_link_is_dropped_or_pasted_into_a_text_field_as_everywhere(shared_page: Page) -> None:
    clear_messages(shared_page)
    is_prevented = shared_page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.setData("text/uri-list", "https://example.org");
            const field = document.querySelector(".cd-my-data input, .cd-mydata input, input[type=text]");
            const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer });
            return !field.dispatchEvent(event);
        }"""
    )
    assert not is_prevented
    assert error_message(shared_page) == ""


@pytest.mark.parametrize(
    ("name", "kind"), [("no type", ""), ("bytes.bin", "application/octet-stream"), ("letter.txt", "text/plain")]
)
def test_a_photo_is_judged_by_its_bytes(shared_page: Page, pictures: dict[str, bytes], name: str, kind: str) -> None:
    clear_messages(shared_page)
    shared_page.set_input_files("input[type=file]", {"name": name, "mimeType": kind, "buffer": pictures["jpeg"]})
    wait_for_answer(shared_page)
    assert error_message(shared_page) == ""
    expect(shared_page.locator(".cd-name")).to_have_text(name)


def test_a_pasted_photo_is_predicted(shared_page: Page, pictures: dict[str, bytes]) -> None:
    clear_messages(shared_page)
    shared_page.evaluate(
        """bytes => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        list(pictures["png"]),
    )
    expect(shared_page.locator(".cd-name")).to_have_text("pasted.png")
    wait_for_answer(shared_page)
    assert error_message(shared_page) == ""


def test_a_photo_is_sent_scaled_down_and_without_metadata(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    sent: list[bytes] = []

    def record(socket: WebSocket) -> None:
        socket.on("framesent", lambda data: sent.append(data if isinstance(data, bytes) else data.encode()))

    page.on("websocket", record)
    open_app(page, server)
    sent.clear()
    upload_photo(page, pictures["lying"])
    upload_photo(page, pictures["large"])
    photos = [frame for frame in sent if b"\xff\xd8\xff" in frame]
    assert len(photos) == 2
    assert b"Secret Camera" in pictures["lying"]
    assert not any(b"Secret Camera" in frame for frame in photos)
    assert len(photos[1]) < len(pictures["large"]) / 2
    upload_photo(page, pictures["cmyk"])  # Chromium shows inks paler than their profile says
    assert any(pictures["cmyk"] in frame for frame in sent)


def test_several_photos_are_queued_and_an_earlier_one_can_be_shown_again(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    files: list[FilePayload] = [
        {"name": name, "mimeType": "image/jpeg", "buffer": pictures[variant]}
        for name, variant in (("first.jpg", "jpeg"), ("words.jpg", "words"), ("last.png", "png"))
    ]
    clear_messages(page)
    page.set_input_files("input[type=file]", files)
    expect(page.locator(".cd-photo").get_by_role("alert")).to_have_text(
        re.compile(r"^words\.jpg: This is not a picture"), timeout=READY
    )
    expect(page.locator(".cd-name")).to_have_text("last.png")
    photos = page.get_by_role("list", name="Photos of this visit").get_by_role("button")
    expect(photos).to_have_count(2)
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    photos.first.click()
    expect(page.locator(".cd-name")).to_have_text("first.jpg")
    expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "false")
    photos.last.click()
    expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")


def test_without_a_database_the_answer_is_stored_later(page: Page, launch: Launch, pictures: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="catsdogs-away-") as folder:
        postgresql = EmbeddedServer(Path(folder))
        postgresql.start()
        server = launch(DB_HOST=str(postgresql.socket_dir), DB_PORT=str(PORT), DB_USER=USER)
        open_app(page, server)
        upload_photo(page, pictures["jpeg"], "stored.jpg")
        page.get_by_role("button", name="Yes").click()
        names = page.get_by_role("checkbox", name="name and my comment")
        expect(names).to_be_visible()
        postgresql.stop()
        names.click()
        expect(page.locator(".cd-consent").get_by_role("alert")).to_have_text(
            "The database cannot be reached, so nothing was changed. Try again later."
        )
        expect(names).not_to_be_checked()
        expect(page.locator(".cd-receipt")).to_be_hidden()

        upload_photo(page, pictures["jpeg"], "waiting.jpg")
        expect(page.get_by_text("Your answer is safe, and will be stored")).to_be_visible()
        page.get_by_role("button", name="Yes").click()
        expect(page.locator(".cd-feedback").get_by_text("What you said is safe, and will be stored")).to_be_visible()
        tick(names)
        expect(page.locator(".cd-consent").get_by_text("What you said is safe, and will be stored")).to_be_visible()
        page.get_by_label("Anything to add?").fill("mine")
        page.get_by_role("button", name="Send the comment").click()
        expect(page.locator(".cd-comment").get_by_text("What you said is safe, and will be stored")).to_be_visible()
        receipt = page.locator(".cd-receipt code").inner_text()
        postgresql.start()
        found = until(
            lambda: server.query("SELECT filename, user_comment FROM predictions_feedback WHERE user_comment <> ''"),
            "the spooled records are not stored",
        )
        assert found == [{"filename": "waiting.jpg", "user_comment": "mine"}]
        page.get_by_role("list", name="Photos of this visit").get_by_role("button").first.click()
        expect(page.locator(".cd-consent").get_by_role("alert")).to_be_visible()
        tick(names)
        expect(page.locator(".cd-receipt code")).to_have_count(2)
        expect(page.locator(".cd-receipt code").last).to_have_text(receipt)
        server.stop()
        postgresql.stop()
