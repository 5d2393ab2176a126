"""A page on paper: Chromium prints it to PDF."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from catsdogs.errors import CatsDogsError, SettingsError
from catsdogs.i18n import N_

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
SECONDS = 120
"""How long printing may take."""

_QUIET = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--no-pdf-header-footer"),
    "--virtual-time-budget=10000",  # milliseconds of the page's own clock: it may finish drawing
)


def find_chromium() -> str:
    """Find the browser.

    Raises
    ------
    SettingsError
        There is none.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise SettingsError(
        "No Chromium or Chrome was found, which a PDF needs. Install one, or leave out --pdf: the HTML prints well."
    )


def print_page(page: Path, pdf: Path, chromium: str) -> None:
    """Print an HTML file that needs nothing else.

    Raises
    ------
    CatsDogsError
        The browser failed, or took longer than `SECONDS`.
    """
    with tempfile.TemporaryDirectory(prefix="catsdogs-pdf-") as profile:
        command = [chromium, *_QUIET, f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # Chromium refuses root otherwise; the page is our own
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 (our own words)
        except subprocess.TimeoutExpired as error:
            raise CatsDogsError(
                N_("Printing the report to PDF took longer than {seconds} s."), seconds=SECONDS
            ) from error
        if done.returncode or not pdf.is_file():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["?"]
            raise CatsDogsError(N_("The report could not be printed to PDF: {reason}"), reason=last[0])
