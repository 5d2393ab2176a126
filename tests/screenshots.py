"""Take the README's screenshots from the running apps: ``make screenshots``.

The cat is Chelsea (scikit-image, CC0); the predictions behind the monitoring app are demonstration data.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import skimage.data
from PIL import Image
from playwright.sync_api import Page

from catsdogs.database import Database, setup
from catsdogs.demo import storage
from catsdogs.settings import Settings
from tests.serving import chromium, served

IMAGES = Path(__file__).parent.parent / ".github" / "images"
PASSWORD = "open sesame"  # of a server that runs for a minute only

LOOKS: Any = {"locale": "en-GB", "reduced_motion": "reduce"}
"""Options of a browser context; without motion, nothing has to come to rest first."""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="catsdogs-screenshots-") as name:
        folder = Path(name)
        fill(Settings(_env_file=None, CATSDOGS_DATA_DIR=folder / "data"))
        Image.fromarray(skimage.data.chelsea()).save(folder / "chelsea.jpg", quality=92)
        with served(folder, CATSDOGS_OPERATOR_PASSWORD=PASSWORD) as (url, _), chromium() as browser:
            with browser.new_context(viewport={"width": 1280, "height": 800}, **LOOKS) as context:
                predict(context.new_page(), url, folder / "chelsea.jpg")
            with browser.new_context(viewport={"width": 1280, "height": 1000}, **LOOKS) as context:
                monitor(context.new_page(), url)


def predict(page: Page, url: str, photo: Path) -> None:
    page.goto(f"{url}/inference")
    page.set_input_files(".catsdogs input[type=file]", photo)
    page.get_by_text("It is a cat!").wait_for()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("Good to know").wait_for()
    page.screenshot(path=IMAGES / "predict.png", animations="disabled")


def monitor(page: Page, url: str) -> None:
    page.goto(f"{url}/monitoring?window=30d")
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".cd-plot .main-svg").first.wait_for()
    page.locator(".cd-plot:not(:has(.main-svg))").first.wait_for(state="detached")
    page.locator(".cd-controls:not([aria-busy])").wait_for()
    page.screenshot(path=IMAGES / "monitoring.png", animations="disabled")


def fill(settings: Settings) -> None:
    """Fill the database with demonstration data."""
    database = Database(settings)
    try:
        setup.ensure(database)
        storage.fill(database, datetime.now(UTC))
    finally:
        database.close()


if __name__ == "__main__":
    main()
