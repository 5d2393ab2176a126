"""The review notebook: real JupyterLab, real database, real Chromium."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Page, expect

from catsdogs.domain import Consent, TrueLabel
from catsdogs.files import notebooks
from catsdogs.records.review_queue import ReviewQueue
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.serving import free_port
from tests.waiting import until

pytestmark = pytest.mark.browser

READY = 60_000
"""JupyterLab and a kernel start: milliseconds until they must be usable on a busy machine."""
REVIEWED = {"waiting": 1, "cat": 0, "dog": 1, "neither": 0, "left_out": 1}


@pytest.fixture
def queue(database: Settings, cat_jpeg: bytes) -> Iterator[ReviewQueue]:
    """A queue with three photos that wait for review."""
    with Local.open(database) as service:
        for label in TrueLabel.DOG, TrueLabel.BOTH, TrueLabel.NEITHER:
            outcome = service.predict(cat_jpeg, consent=Consent(photo=True))
            service.give_feedback(outcome.feedback_id, true_label=label)
    queue = ReviewQueue.open(database)
    yield queue
    queue.close()


@pytest.fixture
def notebook(queue: ReviewQueue, environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Start JupyterLab with a copy of the notebook; yield its address and the path of the copy."""
    copy = Path(shutil.copy(notebooks() / "lab" / "review.ipynb", tmp_path))
    port = free_port()
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--IdentityProvider.token=",
        f"--notebook-dir={tmp_path}",
    ]
    folders = {name: str(tmp_path / "jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(tmp_path / "jupyter" / name) for name in ("SETTINGS", "WORKSPACES")}
    with (tmp_path / "lab.log").open("wb") as log:
        lab = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options],
            env=environment | folders,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"

    def responds() -> bool:
        assert lab.poll() is None, (tmp_path / "lab.log").read_text()
        return bool(urllib3.request("GET", f"{url}/api", retries=False).status)

    until(
        responds,
        "JupyterLab does not start",
        timeout=READY / 1000,
        interval=0.1,
        retry_on=urllib3.exceptions.HTTPError,
    )
    yield f"{url}/lab/tree/{copy.name}", copy
    lab.terminate()
    lab.wait(timeout=30)


def choose(page: Page, menu: str, command: str) -> None:
    """Choose a command from a menu of JupyterLab."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(f".lm-Menu [data-command='{command}']").click()


def test_photos_are_reviewed_by_keyboard_and_mouse(page: Page, notebook: tuple[str, Path], queue: ReviewQueue) -> None:
    url, copy = notebook
    page.goto(url)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=READY)
    choose(page, "Run", "runmenu:run-all")
    review = page.locator(".cd-review")
    photo = review.get_by_role("img", name="The photo to review")
    expect(photo).to_be_visible(timeout=READY)
    assert photo.evaluate("photo => photo.decode().then(() => photo.naturalWidth)") == 451
    expect(review.get_by_text("Reviewed: 0. Waiting: 3.")).to_be_visible()
    cells = page.locator(".jp-Cell").count()

    review.get_by_role("button", name="Leave it out").click()
    expect(review.get_by_text("Reviewed: 1. Waiting: 2.")).to_be_visible(timeout=READY)
    for key in "ax2":  # in JupyterLab, a adds a cell and x cuts one
        page.keyboard.press(key)
    expect(review.get_by_text("Reviewed: 2. Waiting: 1.")).to_be_visible(timeout=READY)
    assert queue.counts() == REVIEWED
    page.keyboard.press("1")
    expect(review.get_by_text("No photo waits for review.")).to_be_visible(timeout=READY)
    expect(photo).to_be_hidden()
    expect(review.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Backspace")
    expect(photo).to_be_visible(timeout=READY)
    assert queue.counts() == REVIEWED
    page.keyboard.press("3")
    expect(review.get_by_text("Reviewed: 3. Waiting: 0.")).to_be_visible(timeout=READY)
    review.get_by_role("button", name="Undo").click()
    expect(review.get_by_text("Reviewed: 2. Waiting: 1.")).to_be_visible(timeout=READY)
    assert page.locator(".jp-Cell").count() == cells

    choose(page, "File", "docmanager:save")
    until(lambda: "widget-view+json" in copy.read_text(), "the notebook is not saved", timeout=READY / 1000)
    [waiting] = queue.waiting()
    assert base64.b64encode(waiting.jpeg[:300]).decode() not in copy.read_text()
    assert "image/" not in copy.read_text()
