from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.bombs import bombs
from tests.fuzz.measured import Decoder, decoder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak memory of a process is read from /proc")

EVERY = dict(bombs())
SLOW_TO_MAKE = (
    *("TIFF: one strip", "TIFF: 49 megapixels", "TIFF: large compressed", "PNG: 49", "PNG: tall", "PNG: white"),
    *("GIF: one", "GIF: transparent animation", "WebP: 49", "AVIF: 49", "AVIF: noise", "AVIF: animation"),
)
"""Beginnings of the names of files that take seconds to make; `make fuzz` makes them, too."""
EXAMPLES = ("PNG: 49 megapixels, 2, 16 bits", "TIFF: 49 megapixels, F, zstd", "TIFF: 49 megapixels, 1, group4")
"""Some of them that are always tried."""


@pytest.fixture(scope="module")
def decoding() -> Iterator[Decoder]:
    with decoder() as process:
        yield process


def test_there_are_many_bombs() -> None:
    assert len(EVERY) > 130


@pytest.mark.parametrize("name", [name for name in EVERY if name in EXAMPLES or not name.startswith(SLOW_TO_MAKE)])
def test_no_file_takes_more_than_two_seconds_or_300_megabytes(decoding: Decoder, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(EVERY[name]())
    measured = decoding.decode(path)
    assert measured.is_within_the_limits(), measured
