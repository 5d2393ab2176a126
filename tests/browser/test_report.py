"""The page of a report in the browser: one file, which loads nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catsdogs.model.card import SHIPPED
from catsdogs.records.feedback import FeedbackRecord
from tests.storage import Storage

pytestmark = pytest.mark.browser


def run(environment: dict[str, str], folder: Path, *arguments: str) -> Path:
    command = [sys.executable, "-m", "catsdogs", "report", "--out", str(folder), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator("html")).to_have_js_property("scrollWidth", 360)  # after the charts are resized
    boxes = page.locator(".box")
    assert boxes.count() == 3  # drift, versions, answers
    assert boxes.evaluate_all("all => all.some(box => box.scrollWidth > box.clientWidth)")
    boxes.first.focus()  # so that the keyboard scrolls it
    expect(boxes.first).to_be_focused()


def test_the_page_loads_no_other_file_and_fits_window_and_paper(
    storage: Storage, make_record: Callable[..., Any], environment: dict[str, str], tmp_path: Path, page: Page
) -> None:
    record, _receipt = make_record()
    storage.writer.store_prediction(
        record.model_copy(update={"inference_time_ms": 1234.5, "model_version": SHIPPED.name})
    )
    storage.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, None))
    made = run(environment, tmp_path, "--lang", "fr", "--pdf")
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    address = made.as_uri()
    page.goto(address)
    assert page.locator(".js-plotly-plot .main-svg:first-child").count() == 9
    assert requests == [address]
    assert messages == []
    assert "1\N{NARROW NO-BREAK SPACE}234,5 ms" in page.locator(".words").nth(1).inner_text()  # after what changed
    assert page.locator("html").get_attribute("lang") == "fr"
    title = f"{page.locator('h1').inner_text()} · {page.locator('.period').inner_text()}"
    assert page.title() == title
    widths = page.locator(".figure").evaluate_all("all => all.map(figure => [figure.clientWidth, figure.scrollWidth])")
    assert widths
    assert all(clear == needed for clear, needed in widths)
    last = page.locator(".figure").last
    expect(last.locator(".main-svg").first).to_have_attribute("width", str(last.evaluate("box => box.clientWidth")))

    fits_a_phone(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as Ctrl+P does: the charts become as wide as paper
    paper = 180 / 25.4 * 96
    assert page.locator("body").evaluate("body => body.clientWidth") == pytest.approx(paper, abs=1)
    assert page.locator(".main-svg").evaluate_all("all => Math.max(...all.map(svg => svg.clientWidth))") <= paper
    heights = page.locator(".figure > div").evaluate_all("all => all.map(figure => figure.clientHeight)")
    assert len(set(heights)) == 2  # all but the last one, which has a row of its own, are lower than on the screen
    assert heights[-1] == max(heights)
    assert page.locator(".main-svg:first-child").evaluate_all("all => all.map(svg => svg.clientHeight)") == heights
    pdf = made.with_suffix(".pdf").read_bytes()
    assert title.encode("utf-16-be").hex().upper().encode() in pdf
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 4
    [box] = set(re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf))
    assert [float(side) for side in box] == pytest.approx([210 / 25.4 * 72, 297 / 25.4 * 72], abs=1)

    page.goto(run(environment, tmp_path, "--lang", "en").as_uri())  # other texts are longer
    fits_a_phone(page)
