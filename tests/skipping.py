"""Skip a test whose browser is not installed, unless the environment says that it must be."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = "CATSDOGS_REQUIRE_BROWSERS"


def skip_without(browser: str, package: str) -> NoReturn:
    """Skip the test, or let it fail where ``CATSDOGS_REQUIRE_BROWSERS`` names its browser.

    Parameters
    ----------
    browser
        One of ``chromium``, ``firefox`` and ``webkit``.
    package
        What to install, as the reason says it.
    """
    reason = f"no {browser}: install {package}"
    if browser in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(f"{reason} ({REQUIRED} names it)")
    pytest.skip(reason)
