"""The running application, for scripts: benchmarks and screenshots. Tests have the fixture `server`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run ``catsdogs serve`` in `folder`, with its data there; give its address and process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "catsdogs", "serve", "--port", str(port)],
        cwd=folder,
        env=os.environ | {"CATSDOGS_DATA_DIR": str(folder / "data")} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        while "catsdogs is ready" not in (line := process.stdout.readline()):
            assert line, "the server does not start"
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser of the browser tests."""
    path = os.environ.get("CATSDOGS_TEST_BROWSER") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
