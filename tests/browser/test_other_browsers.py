"""The main path through both apps in Firefox and WebKit: real server, real database, real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.browser.app import latest_row
from tests.browser.webdriver import DRIVERS, Window, missing_packages
from tests.serving import RunningServer
from tests.skipping import skip_without

pytestmark = pytest.mark.browser

NARROW = (500, 640)
"""The size of a small window, in pixels; the two browsers refuse the width of a phone."""


@pytest.fixture(scope="module", params=DRIVERS)
def window(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A window of the browser; where it is not installed, the test is skipped."""
    name: str = request.param
    if missing := missing_packages(name):
        skip_without(name, " and ".join(missing))
    with DRIVERS[name](tmp_path_factory.mktemp(name)) as driver:
        yield Window(driver)


def fits(window: Window) -> bool:
    """Return whether nothing of the page is wider than the window."""
    return bool(window.run("document.documentElement.scrollWidth <= innerWidth"))


def test_a_person_gets_an_answer_and_can_say_keep_see_and_erase(
    window: Window, server: RunningServer, pictures: dict[str, bytes], tmp_path: Path
) -> None:
    photo = tmp_path / "chelsea.jpg"
    photo.write_bytes(pictures["lying"])
    window.driver.set_window_size(*NARROW)
    window.open(f"{server.url}/inference")
    window.expect_none("#preload")
    window.type("input[type=file]", str(photo))
    window.expect(".cd-answer h2", "a cat")
    size = "((picture) => [picture.naturalWidth, picture.naturalHeight])(document.querySelector('.cd-picture'))"
    assert window.run(size) == [451, 300]  # upright, although it lies in the file

    window.click("button", "No")
    window.click("button", "A dog")
    window.expect("button[data-value=dog][aria-pressed=true]", "A dog")
    window.click(".cd-consent input[name=filename_and_comment]")
    window.type(".cd-comment textarea", "she is called Chelsea")
    window.click("button", "Send the comment")
    window.expect(".cd-comment .cd-thanks", "your comment was kept")
    row = latest_row(server)
    kept = [
        row[name] for name in ("prediction_result", "width", "user_feedback", "true_label", "filename", "user_comment")
    ]
    assert kept == ["cat", 451, 0, "dog", "chelsea.jpg", "she is called Chelsea"]

    receipt = window.expect(".cd-code", r"\S{16,}")
    window.click("button", "Copy")
    window.expect(".cd-receipt [role=status]", "Copied")
    assert fits(window)

    def go_away_and_back() -> None:
        window.open(f"{server.url}/info")
        window.driver.back()

    for leave in (window.driver.refresh, go_away_and_back):
        assert window.run("problems") == []
        leave()
        window.note_problems()
        window.expect(".cd-answer h2", "a cat")
        window.expect(".cd-code", receipt)
        window.expect("button[data-value=dog][aria-pressed=true]", "A dog")
    assert latest_row(server) == row  # the photo was not sent again

    window.open(f"{server.url}/inference#my-data")
    window.type(".cd-mydata input", receipt)
    window.click("button", "Show what is kept")
    window.expect(".cd-record", "chelsea.jpg")
    window.click("button", "Erase everything")
    window.click("button", "Yes, do it")
    window.expect(".cd-mydata [role=status]", "Everything that was kept under this code is erased")
    assert server.query("SELECT 1 FROM predictions_feedback WHERE id = :id", id=row["id"]) == []
    assert window.run("problems") == []


def test_the_operator_signs_in_and_sees_figures(window: Window, server: RunningServer, cat_jpeg: bytes) -> None:
    urllib3.request(
        "POST",
        f"{server.url}/api/predict",
        fields={"file": ("cat.jpg", cat_jpeg)},
        headers={"Authorization": f"Bearer {server.api_token}"},
    )
    window.driver.set_window_size(1280, 900)
    window.open(f"{server.url}/monitoring")
    window.type("#password", server.operator_password)
    window.click("button", "Sign in")
    window.expect("body[data-voila] h1", "How the service is doing")
    window.note_problems()
    for choice, condition in (("1 hour", "timestamp > now() - interval '1 hour'"), ("All", "true")):
        window.click("button", choice)
        [row] = server.query(f"SELECT count(*) AS n FROM predictions_feedback WHERE {condition}")
        window.expect(".cd-tile[data-name=total] .cd-headline", f"^{row['n']}$")
        window.expect("[data-name=answers] .cd-plot", "Cat")
    assert window.run("document.querySelectorAll('.cd-plot .main-svg path').length") > 10
    assert fits(window)
    window.driver.set_window_size(*NARROW)
    window.expect(".cd-tile[data-name=total] .cd-headline", r"\d")
    assert fits(window)
    assert window.run("problems") == []
