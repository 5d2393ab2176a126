"""Take the README's screenshots from the running apps: ``make screenshots``.

The cat is Chelsea (scikit-image, CC0); the predictions behind the monitoring app are random.
"""

from __future__ import annotations

import math
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import skimage.data
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Page

from catsdogs.database import Database, setup
from catsdogs.settings import Settings
from tests.serving import chromium, served

IMAGES = Path(__file__).parent.parent / ".github" / "images"
PASSWORD = "open sesame"  # of a server that runs for a minute only
DAYS = 28
PREDICTIONS = 3000

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
    """Store random predictions of four weeks: more by day than by night, with a new model version in the middle."""
    generator = random.Random(1)
    now = datetime.now(UTC)
    rows: list[dict[str, object]] = []
    while len(rows) < PREDICTIONS:
        moment = now - timedelta(days=DAYS * generator.random())
        daylight = max(0.1, math.sin((moment.hour - 6) / 24 * 2 * math.pi))
        if generator.random() > daylight:
            continue
        answer = generator.choices(["cat", "dog", "neither", "error"], [50, 38, 9, 3])[0]
        sure = 1 / (1 + math.exp(-abs(generator.gauss(4, 2))))
        proba_cat = sure if answer == "cat" else 1 - sure
        read = answer != "error"
        rated = read and generator.random() < 0.3
        old = (now - moment).days >= DAYS // 2
        rows.append(
            {
                "id": UUID(int=generator.getrandbits(128)),
                "timestamp": moment,
                "inference_time_ms": generator.lognormvariate(2.3 if old else 2.0, 0.35) if read else None,
                "success": read,
                "prediction_result": answer,
                "proba_cat": proba_cat if read else None,
                "proba_dog": 1 - proba_cat if read else None,
                "neither_score": (0.8 if answer == "neither" else 0.1) if read else None,
                "rgpd_consent": False,
                "user_feedback": int(generator.random() < (0.9 if old else 0.96)) if rated else None,
                "feedback_at": moment if rated else None,
                "model_version": "1.0" if old else "1.1",
                "error_type": None if read else "InvalidImage",
            }
        )
    database = Database(settings)
    try:
        setup.ensure(database)
        database.run(lambda connection: connection.execute(sa.insert(database.tables.predictions), rows))
    finally:
        database.close()


if __name__ == "__main__":
    main()
