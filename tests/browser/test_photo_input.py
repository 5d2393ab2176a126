"""Sample pictures, activation map, queue and errors of the prediction app, in a real browser."""

from __future__ import annotations

import re

import pytest
import urllib3
from playwright.sync_api import Locator, Page, expect

from catsdogs.service import TOKEN_VARIABLE
from tests import kernel_processes
from tests.browser.app import (
    READY,
    agree,
    choose,
    clear_messages,
    error_message,
    latest_row,
    open_app,
    suspended,
    upload_photo,
    wait_for_answer,
)
from tests.serving import RunningServer

pytestmark = pytest.mark.browser

ROWS = "SELECT count(*) FROM predictions_feedback"


def strongest_colour(map_: Locator) -> list[int]:
    """Return the strongest colour of the map, without its black and white frame: red, green, blue, opacity (0..255)."""
    return map_.evaluate(  # type: ignore[no-any-return]
        """map => {
            const data = map.getContext("2d").getImageData(0, 0, map.width, map.height).data;
            const strength = at => Math.abs(data[at] - data[at + 2]) * data[at + 3];
            let strongest = 0;
            for (let at = 0; at < data.length; at += 4) if (strength(at) > strength(strongest)) strongest = at;
            return [...data.slice(strongest, strongest + 4)];
        }"""
    )


def test_sample_pictures_are_predicted_in_one_click_and_nothing_is_stored(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    before = server.query(ROWS)
    for title, text in (
        ("Chelsea, a cat", "It is a cat!"),
        ("A German shepherd", "It is a dog!"),
        ("A cat and a dog", "A cat and a dog?"),
        ("A drawing of a dog", "Neither"),
    ):
        clear_messages(page)
        page.get_by_role("button", name=title, exact=True).click()
        wait_for_answer(page)
        assert error_message(page) == ""
        expect(page.get_by_role("heading", level=2)).to_have_text(re.compile(text))
        expect(page.get_by_text("A sample picture: nothing about it is recorded")).to_be_visible()
        expect(page.get_by_text("a drawn dog is not a dog")).to_be_visible(visible="drawing" in title)
        expect(page.get_by_role("img", name=title)).to_be_visible()
        expect(page.locator(".cd-name")).to_have_text(re.compile("CC0|public domain|drawn for catsdogs"))
        for hidden in (".cd-feedback", ".cd-agreement", ".cd-comment", ".cd-receipt"):
            expect(page.locator(hidden)).to_be_hidden()
    assert server.query(ROWS) == before
    upload_photo(page, pictures["jpeg"])
    expect(page.locator(".cd-samples")).to_be_hidden()
    expect(page.locator(".cd-feedback")).to_be_visible()
    expect(page.get_by_role("list", name="Photos of this visit").get_by_role("button")).to_have_count(5)
    assert server.query(ROWS) != before


def test_a_click_shows_the_activation_map_over_the_photo(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    page.emulate_media(reduced_motion="reduce")  # animations change the positions
    open_app(page, server)
    upload_photo(page, pictures["jpeg"])
    button, map_ = page.get_by_role("button", name="What the model looked at"), page.locator(".cd-map")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(map_).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(map_).to_be_visible()
    expect(page.locator(".cd-legend")).to_have_text(re.compile("suggests a cat.*suggests a dog"))
    red, green, blue, opacity = strongest_colour(map_)
    assert red > green > blue, "orange: a cat"
    assert opacity > 100
    assert map_.bounding_box() == page.locator(".cd-picture").bounding_box()
    corner = "map => map.getContext('2d').getImageData(0, map.height / 2, 1, 1).data[3]"
    assert map_.evaluate(corner) == 0, "outside of the square that the model received"

    clear_messages(page)
    upload_photo(page, pictures["tiff"], "cat.tiff")  # which the browser cannot show
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
    expect(page.locator("body")).to_have_attribute("data-kernel-status", "idle", timeout=READY)
    with suspended(server):
        choose(page, pictures["jpeg"], *(f"given up {number}.jpg" for number in (1, 2, 3)))
        expect(page.get_by_text("Your photo is being sent…").first).to_be_visible()
        expect(page.get_by_text("Photos that wait: 2")).to_be_visible()
        expect(page.locator(".cd-name")).to_have_text("given up 1.jpg")  # on its way
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(page.get_by_text("or drop it here, or paste it")).to_be_visible()
    upload_photo(page, pictures["jpeg"], "kept.jpg")  # the cancelled photos are discarded before
    assert error_message(page) == ""
    expect(page.locator(".cd-name")).to_have_text("kept.jpg")
    expect(page.get_by_role("list", name="Photos of this visit").get_by_role("button")).to_have_count(1)
    agree(page)
    assert server.query("SELECT 1 FROM predictions_feedback WHERE filename LIKE 'given up%'") == []
    assert latest_row(server)["filename"] == "kept.jpg"


def test_of_several_photos_each_error_names_its_file(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    upload_photo(page, pictures["words"], "alone.jpg")
    assert error_message(page).startswith("This is not a picture that can be read.")
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
        ("half.jpg", "Too much of this picture"[: len(damaged)]),
        ("words.jpg", unknown),
        (name, damaged),
    ]
    upload_photo(page, pictures["words"], "later.jpg")
    assert error_message(page).startswith("later.jpg: This is not a picture")


def test_a_banner_shows_that_the_server_is_unreachable_and_the_request_is_answered_later(
    page: Page, server: RunningServer, pictures: dict[str, bytes]
) -> None:
    open_app(page, server)
    clear_messages(page)
    with suspended(server):
        choose(page, pictures["jpeg"], "patient.jpg")
        expect(page.locator("#session-banner")).to_contain_text("cannot be reached", timeout=READY)
    wait_for_answer(page)
    assert error_message(page) == ""
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
    upload_photo(page, pictures["jpeg"])
    assert error_message(page) == answer.json()["detail"] != ""
    expect(page.locator(".cd-answer")).to_be_hidden()
