"""The report as its reader opens it: a file, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from catsdogs.feedback import FeedbackRecord
from catsdogs.recorder import Recorder

pytestmark = pytest.mark.browser


def test_it_opens_by_itself_and_fits_the_window(
    recorder: Recorder, make_record: Callable[..., Any], environment: dict[str, str], tmp_path: Path, page: Page
) -> None:
    record, _receipt = make_record()
    recorder.store(record.model_copy(update={"inference_time_ms": 1234.5}))
    recorder.give(FeedbackRecord.of(record.id, 1, None, None))
    command = [sys.executable, "-m", "catsdogs", "report", "--pdf", "--out", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment | {"CATSDOGS_LANG": "fr"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    address = Path(done.stdout.strip()).as_uri()
    page.goto(address)
    assert page.locator(".js-plotly-plot .main-svg:first-child").count() == 9
    assert asked == [address]
    assert complaints == []
    assert "1\N{NARROW NO-BREAK SPACE}234,5 ms" in page.locator(".words").first.inner_text()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.title() == Path(done.stdout.strip()).stem
    widths = page.locator(".figure").evaluate_all("all => all.map(figure => [figure.clientWidth, figure.scrollWidth])")
    assert all(clear == needed for clear, needed in widths)
    last = page.locator(".figure").last
    expect(last.locator(".main-svg").first).to_have_attribute("width", str(last.evaluate("box => box.clientWidth")))

    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # as Ctrl+P does: the charts become as wide as paper
    paper = 180 / 25.4 * 96
    assert page.locator("body").evaluate("body => body.clientWidth") == pytest.approx(paper, abs=1)
    assert page.locator(".main-svg").evaluate_all("all => Math.max(...all.map(svg => svg.clientWidth))") <= paper
    pdf = Path(done.stdout.strip()).with_suffix(".pdf").read_bytes()
    [box] = set(re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf))
    assert [float(side) for side in box] == pytest.approx([210 / 25.4 * 72, 297 / 25.4 * 72], abs=1)
