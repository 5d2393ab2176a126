"""Consent, receipts and stored data in the prediction app, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import (
    READY,
    agree,
    collect_dialogs,
    latest_row,
    open_app,
    tick,
    upload_photo,
)
from tests.serving import RunningServer

pytestmark = pytest.mark.browser


def test_without_consent_nothing_personal_is_stored_and_a_rating_takes_one_click(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "secret name.jpg")
    expect(page.locator(".cd-receipt")).to_be_hidden()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Thank you!")).to_be_visible()
    for box in page.get_by_role("checkbox").all():
        expect(box).not_to_be_checked()
    expect(page.get_by_label("Anything to add?")).to_be_hidden()
    row = latest_row(server)
    kept = {name: row[name] for name in ("rgpd_consent", "filename", "user_comment", "consent_id", "user_feedback")}
    assert kept == {
        "rgpd_consent": False,
        "filename": None,
        "user_comment": None,
        "consent_id": None,
        "user_feedback": 1,
    }
    assert server.query("SELECT 1 FROM photos WHERE prediction_id = :id", id=row["id"]) == []


def test_consent_stores_what_its_purpose_names_and_nothing_else(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    name = "<img src=x onerror=alert(1)>.jpg"
    dialogs = collect_dialogs(page)
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], name)
    expect(page.locator(".cd-name")).to_have_text(name)
    page.get_by_role("button", name="No", exact=True).click()
    page.get_by_role("button", name="A dog").click()
    expect(page.get_by_role("button", name="A dog")).to_have_attribute("aria-pressed", "true")
    names, photo = page.get_by_role("checkbox").all()
    tick(names)
    code = page.locator(".cd-code")
    expect(code).to_have_text(re.compile(r"\S{16,}"))
    receipt = code.inner_text()
    comment = page.get_by_label("Anything to add?")
    comment.fill("<script>alert(2)</script> she is called Chelsea")
    page.get_by_role("button", name="Send the comment").click()
    expect(page.get_by_text("Thank you, your comment was kept.")).to_be_visible()
    row = latest_row(server)
    assert (row["rgpd_consent"], row["filename"], row["user_feedback"], row["true_label"], row["user_comment"]) == (
        True,
        name,
        0,
        "dog",
        "<script>alert(2)</script> she is called Chelsea",
    )
    assert server.query("SELECT 1 FROM photos WHERE prediction_id = :id", id=row["id"]) == []  # the other box

    tick(photo)
    wider = latest_row(server)
    changed = {column for column in row if row[column] != wider[column]}
    assert changed <= {"consent_id"}, "nothing is lost"
    expect(code).to_have_text(receipt)
    [kept] = server.query("SELECT width, height FROM photos WHERE prediction_id = :id", id=row["id"])
    assert kept["width"] > kept["height"]

    names.click()
    question = page.locator(".cd-agreement .cd-confirm")
    expect(question).to_contain_text("Delete the file's name and your comment?")
    expect(names).to_be_checked()
    question.get_by_role("button", name="Yes, delete it").click()
    expect(names).not_to_be_checked()
    expect(page.get_by_text("Name and comment are deleted.")).to_be_visible()
    expect(page.locator(".cd-comment")).to_be_hidden()
    narrower = latest_row(server)
    assert (narrower["filename"], narrower["user_comment"], narrower["true_label"]) == (None, None, "dog")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".cd-comment blockquote")).to_have_text(row["user_comment"])
    assert latest_row(server)["filename"] == name
    expect(code).to_have_text(receipt)
    assert dialogs == []


def test_a_person_sees_withdraws_and_erases_stored_data(
    page: Page, server: RunningServer, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    open_app(page, server)
    name = "<i>mine.jpg"
    upload_photo(page, pictures["jpeg"], name)
    agree(page)
    identifier = latest_row(server)["id"]
    receipt = page.locator(".cd-code").inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    assert receipt in saved.value.path().read_text()
    assert f"{server.url}/inference#my-data" in saved.value.path().read_text()

    page.get_by_role("button", name="Show what is kept").click()
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

    expect(data.get_by_text("Withdrawn on")).to_be_hidden()
    withdraw.click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(data.get_by_text("Withdrawn on")).to_be_visible()
    expect(data.locator(".cd-record")).not_to_contain_text(name)

    data.get_by_role("button", name="Erase everything").click()
    data.get_by_role("button", name="Yes, do it").locator("visible=true").click()
    expect(data.get_by_role("status")).to_have_text(re.compile("Everything that was kept under this code is erased"))
    expect(page.locator(".cd-receipt")).to_be_hidden()
    for form in (".cd-feedback", ".cd-agreement", ".cd-comment"):
        expect(page.locator(form)).to_be_hidden()
    expect(page.locator(".cd-answer")).to_contain_text("What was kept about this photo is erased.")
    assert server.query("SELECT 1 FROM predictions_feedback WHERE id = :id", id=identifier) == []


def test_a_receipt_code_opens_the_data_later_and_wrong_codes_share_one_error(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["jpeg"], "earlier.jpg")
    agree(page)
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
        "Nothing is kept under this receipt code. Check that it is complete; or everything was already erased."
    }
    assert enter(" ") == "Type or paste the receipt code first."
    assert enter(receipt.lower().replace("-", " ")) == ""
    expect(data.locator(".cd-record")).to_contain_text("earlier.jpg")
    sentences = [enter("wrong") for _ in range(7)]
    assert sentences[-1].startswith("Too many wrong receipt codes.")
    expect(data.locator(".cd-record")).to_be_hidden()
