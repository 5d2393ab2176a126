"""Helpers of the tests of the prediction app in a browser."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Dialog, FilePayload, Locator, Page, expect

from tests.serving import RunningServer

READY = 30_000
"""A page starts a kernel: milliseconds until it must be usable on a busy machine."""
TYPES = {"png": "image/png", "webp": "image/webp", "gif": "image/gif", "tiff": "image/tiff"}


def open_app(page: Page, server: RunningServer, query: str = "") -> None:
    page.goto(f"{server.url}/inference{query}")
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    wait_for_kernel(page)


def wait_for_kernel(page: Page) -> None:
    """Wait until the kernel's widgets have replaced the preloaded parts of the page."""
    expect(page.locator("#preload")).to_have_count(0, timeout=READY)


def choose(page: Page, photo: bytes, *names: str) -> None:
    """Choose files with the same content, without waiting for an answer."""
    kinds = [TYPES.get(name.rpartition(".")[2], "image/jpeg") for name in names]
    files: list[FilePayload] = [
        {"name": name, "mimeType": kind, "buffer": photo} for name, kind in zip(names, kinds, strict=True)
    ]
    page.set_input_files("input[type=file]", files)


def upload_photo(page: Page, content: bytes, name: str = "cat.jpg") -> None:
    """Choose a file, and wait until the page has an answer or an error for it."""
    clear_messages(page)
    choose(page, content, name)
    wait_for_answer(page)


def clear_messages(page: Page) -> None:
    """Clear the status and error texts of the page, so that `wait_for_answer` waits for new ones."""
    page.locator(".cd-photo").evaluate(
        "photo => photo.querySelectorAll('[role=status], [role=alert]').forEach(one => one.textContent = '')"
    )


def wait_for_answer(page: Page) -> None:
    """Wait until the page has an answer, or an error."""
    texts = page.locator(".cd-photo").locator("[role=status]:text-is('Done.'), [role=alert]:not(:empty)")
    expect(texts).to_have_count(1, timeout=READY)


def error_message(page: Page) -> str:
    """Return the error below the photo, or ""."""
    return page.locator(".cd-photo").get_by_role("alert").inner_text()


def violations(page: Page) -> list[str]:
    """Return what axe finds: all rules in the light theme, and the contrast, which alone depends on it, in the dark."""
    page.emulate_media(color_scheme="dark")
    dark = Axe().run(page, options={"runOnly": ["color-contrast"], "resultTypes": ["violations"]})
    page.emulate_media(color_scheme="light")
    found = dark.response["violations"] + Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def latest_row(server: RunningServer) -> dict[str, Any]:
    """Return the row of the last prediction."""
    [row] = server.query("SELECT * FROM predictions_feedback ORDER BY timestamp DESC LIMIT 1")
    return dict(row)


def drop(page: Page, path: Path) -> None:
    """Drop a file or folder on the page, as from a file manager."""
    box = page.locator(".cd-drop").bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {
                "type": event,
                "x": box["x"] + 50,
                "y": box["y"] + 50,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )


def collect_dialogs(page: Page) -> list[str]:
    """Dismiss the dialogs that scripts open; return the list that their messages are added to."""
    messages: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        messages.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    return messages


@contextmanager
def suspended(server: RunningServer) -> Iterator[None]:
    """Suspend the server; it answers the requests of that time afterwards."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def agree(page: Page) -> None:
    """Rate the photo shown, if that was not done, and tick all boxes of the consent form."""
    boxes = page.get_by_role("checkbox")
    if boxes.count() == 0:
        page.get_by_role("button", name="Yes").or_(page.get_by_role("button", name="Oui")).click()
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        tick(box)


def tick(box: Locator) -> None:
    """Tick a box, and wait until that is recorded."""
    box.check()
    expect(box).not_to_have_attribute("aria-busy", "true")
    expect(box).to_be_checked()
