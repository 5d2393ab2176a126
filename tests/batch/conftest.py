"""A folder of photos, scored in small parts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catsdogs.batch import partitions
from catsdogs.settings import Settings

N = 19
"""Files in the folder."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, CATSDOGS_DATA_DIR=tmp_path / "data")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five parts."""
    monkeypatch.setattr(partitions, "PART_SIZE", 4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, cat_jpeg: bytes) -> Path:
    """Photos in folders, one of them truncated, one no photo, one with a name in Latin-1."""
    folder = tmp_path_factory.mktemp("holiday")
    (folder / "second").mkdir()
    for number in range(N - 3):
        (folder / ("second" if number % 2 else "") / f"{number:02}.jpg").write_bytes(cat_jpeg)
    (folder / "half.jpg").write_bytes(cat_jpeg[:5000])
    (folder / "words.txt").write_text("no photo")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(cat_jpeg)
    return folder
