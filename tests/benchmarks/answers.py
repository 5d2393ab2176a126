"""Time from a dropped 12-megapixel photo to its answer on the page, compared with its two necessary parts."""

from __future__ import annotations

import base64
import statistics
import tempfile
import time
from importlib import resources
from pathlib import Path

import urllib3
from playwright.sync_api import Page

from catsdogs.widgets.upload_texts import PHOTO_LIMITS
from tests.benchmarks._measuring import Row
from tests.benchmarks.model import photo
from tests.serving import chromium, served

REPEATS = 9
TOKEN = "benchmark benchmark"
MOST_RATIO, MOST_MS = 1.5, 500

KEEP = """([base64, limits]) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    window.photo = new File([bytes], "photo.jpg", { type: "image/jpeg" });
    window.limits = limits;
}"""
SCALED = """async () => {
    const { blob } = await prepare(window.photo, window.limits);
    const reader = new FileReader();
    await new Promise((resolve) => { reader.onload = resolve; reader.readAsDataURL(blob); });
    return reader.result.split(",")[1];
}"""
SCALE = """async () => {
    const begun = performance.now();
    await prepare(window.photo, window.limits);
    return performance.now() - begun;
}"""
ANSWER = """() => new Promise((resolve) => {
    const dropped = new DataTransfer();
    dropped.items.add(window.photo);
    const answer = document.querySelector(".cd-answer");
    const watch = new MutationObserver(() => {
        if (answer.hidden) return;
        watch.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - begun));
    });
    const begun = performance.now();
    document.querySelector(".cd-drop").dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true }));
    watch.observe(answer, { attributes: true, childList: true, subtree: true });
})"""


def measure(*, tiny: bool = False) -> list[Row]:
    large = photo(4000, 3000)
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder,
        served(Path(folder), API_TOKEN=TOKEN) as (url, _),
        chromium() as browser,
        browser.new_context() as context,
    ):
        page = context.new_page()
        page.goto(f"{url}/inference")
        page.locator(".cd-drop").wait_for()
        code = (resources.files("catsdogs.widgets") / "static" / "photo_file.js").read_text()
        page.add_script_tag(content=code)
        page.evaluate(KEEP, [base64.b64encode(large).decode(), PHOTO_LIMITS])
        scaled = base64.b64decode(page.evaluate(SCALED))
        rounds = [one_round(page, url, scaled) for _ in range(2 if tiny else REPEATS + 1)][1:]
    scaling, server, shown = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = shown / (scaling + server)
    return [
        Row("12-megapixel JPEG, scaled by the browser", f"{scaling:.0f} ms"),
        Row("the scaled photo, answered over HTTP", f"{server:.0f} ms"),
        Row(
            "12-megapixel JPEG, dropped to answer shown",
            f"{shown:.0f} ms (target: {MOST_MS})",
            f"{ratio:.2f} x both (target: {MOST_RATIO})",
        ),
    ]


def one_round(page: Page, url: str, scaled: bytes) -> tuple[float, float, float]:
    """Measure scaling, server and page once each, one after the other; return milliseconds."""
    scaling = page.evaluate(SCALE)
    begun = time.perf_counter()
    fields = {"file": ("photo.jpg", scaled, "image/jpeg")}
    answer = urllib3.request("POST", f"{url}/api/predict", fields=fields, headers={"Authorization": f"Bearer {TOKEN}"})
    server = 1000 * (time.perf_counter() - begun)
    assert answer.status == 200, answer.data
    return scaling, server, page.evaluate(ANSWER)
