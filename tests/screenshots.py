"""Take the README's screenshots and its animation from the running apps: ``make screenshots``.

The cat is Chelsea (scikit-image, CC0); the predictions behind the monitoring app are demonstration data.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
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
FRAME = (800, 500)
"""Width and height of the animation."""
MOST_BYTES = 1_000_000
"""Largest size of the animation."""


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="catsdogs-screenshots-") as name:
        folder = Path(name)
        fill(Settings(_env_file=None, CATSDOGS_DATA_DIR=folder / "data"))
        Image.fromarray(skimage.data.chelsea()).save(folder / "chelsea.jpg", quality=92)
        with served(folder, CATSDOGS_OPERATOR_PASSWORD=PASSWORD) as (url, _), chromium() as browser:
            with browser.new_context(viewport={"width": 1280, "height": 800}, **LOOKS) as context:
                page = context.new_page()
                frames = [*predict(page, url, folder / "chelsea.jpg"), *monitor(page, url)]
            animate(frames, IMAGES / "apps.webp")


def predict(page: Page, url: str, photo: Path) -> Iterator[bytes]:
    """Yield pictures of the prediction app: before a photo, with its answer, rated, and with a receipt."""
    page.goto(f"{url}/inference")
    page.locator("#preload").wait_for(state="detached")
    yield page.screenshot(animations="disabled")
    page.set_input_files(".catsdogs input[type=file]", photo)
    page.get_by_text("It is a cat!").wait_for()
    yield page.screenshot(animations="disabled")
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("Good to know").wait_for()
    yield page.screenshot(path=IMAGES / "predict.png", animations="disabled")
    page.get_by_label("Keep my photo to train the model").check()
    receipt = page.locator(".cd-receipt code").first
    receipt.wait_for()
    receipt.evaluate("code => code.scrollIntoView({block: 'center'})")
    yield page.screenshot(animations="disabled")


def monitor(page: Page, url: str) -> Iterator[bytes]:
    """Yield a picture of the dashboard."""
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{url}/monitoring?window=30d")
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".cd-plot .main-svg").first.wait_for()
    page.locator(".cd-plot:not(:has(.main-svg))").first.wait_for(state="detached")
    page.locator(".cd-controls:not([aria-busy])").wait_for()
    yield page.screenshot(path=IMAGES / "monitoring.png", animations="disabled")


def animate(pictures: list[bytes], path: Path) -> None:
    """Write pictures as an animated WebP, each shown for two seconds; of a higher one, the top is shown."""
    frames = []
    for picture in pictures:
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        top = image.crop((0, 0, image.width, image.width * FRAME[1] // FRAME[0]))
        frames.append(top.resize(FRAME, Image.Resampling.LANCZOS))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=2000, loop=0, quality=80, method=6)
    assert path.stat().st_size < MOST_BYTES


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
