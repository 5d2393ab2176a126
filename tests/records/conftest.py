"""A folder for a server of a test's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, because that of a socket is limited."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        yield Path(name)
