"""The prediction app in the hands of a visitor: what its tests have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

READY = 30_000
"""A page starts a kernel: milliseconds until it must be usable on a busy machine."""
TYPES = {"png": "image/png", "webp": "image/webp", "gif": "image/gif", "tiff": "image/tiff"}


def open_app(page: Page, server: Any, query: str = "") -> None:
    page.goto(f"{server.url}/inference{query}")
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    live(page)


def live(page: Page) -> None:
    """Wait until the kernel's own widgets have taken over from what the page showed before."""
    expect(page.locator("#preload")).to_have_count(0, timeout=READY)


def bring(page: Page, content: bytes, name: str = "cat.jpg") -> None:
    """Choose a file, and wait until the page has something to say about it."""
    kind = TYPES.get(name.rpartition(".")[2], "image/jpeg")
    listen(page)
    page.set_input_files("input[type=file]", {"name": name, "mimeType": kind, "buffer": content})
    settled(page)


def listen(page: Page) -> None:
    """Forget what the page said before, so that `settled` does not take it for what comes."""
    page.locator(".cd-photo").evaluate("part => part.querySelectorAll('[role]').forEach(one => one.textContent = '')")


def settled(page: Page) -> None:
    """Wait until the page has answered, or said why it cannot."""
    said = page.locator(".cd-photo").locator("[role=status]:text-is('Done.'), [role=alert]:not(:empty)")
    expect(said).to_have_count(1, timeout=READY)


def problem(page: Page) -> str:
    return page.locator(".cd-photo").get_by_role("alert").inner_text()


def latest(server: Any) -> dict[str, Any]:
    [row] = server.query("SELECT * FROM predictions_feedback ORDER BY timestamp DESC LIMIT 1")
    return dict(row)


def drop(page: Page, path: Path) -> None:
    """Drop what is at `path`, as from a file manager."""
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
