"""Printing of an HTML page to PDF with Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from catsdogs.errors import CatsDogsError, SettingsError
from catsdogs.i18n import N_

_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
TIMEOUT_SECONDS = 120
"""Longest time for printing."""

_OPTIONS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--no-pdf-header-footer"),
    "--virtual-time-budget=10000",  # milliseconds of the page's clock, in which it draws its charts
)


def find_chromium() -> str:
    """Return the path of an installed Chromium or Chrome.

    Raises
    ------
    SettingsError
        None was found.
    """
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise SettingsError(
        "No Chromium or Chrome was found, which a PDF needs. Install one, or leave out --pdf: the HTML prints well."
    )


def print_page(page: Path, pdf: Path, chromium: str) -> None:
    """Print an HTML file that loads no other files.

    Raises
    ------
    CatsDogsError
        The browser failed, or took longer than `TIMEOUT_SECONDS`.
    """
    with tempfile.TemporaryDirectory(prefix="catsdogs-pdf-") as profile:
        command = [chromium, *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        if os.geteuid() == 0:  # as root, Chromium runs only without its sandbox; the page is from this program
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603 (no input from outside)
        except subprocess.TimeoutExpired as error:
            raise CatsDogsError(
                N_("Printing the report to PDF took longer than {seconds} s."), seconds=TIMEOUT_SECONDS
            ) from error
        if done.returncode or not pdf.is_file():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["?"]
            raise CatsDogsError(N_("The report could not be printed to PDF: {reason}"), reason=last[0])
