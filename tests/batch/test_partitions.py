"""Part files of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.batch.run import run_locally, score_folder
from catsdogs.errors import InvalidInput
from catsdogs.settings import Settings


def test_a_damaged_part_is_named(folder: Path, settings: Settings, tmp_path: Path) -> None:
    score_folder(folder, tmp_path / "out", settings, run_locally)
    part = tmp_path / "out" / "part-000003.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(InvalidInput, match=r"part-000003\.parquet is damaged\. Delete it"):
        score_folder(folder, tmp_path / "out", settings, run_locally)
