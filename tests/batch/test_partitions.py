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


@pytest.mark.parametrize("change", ["changed", "came", "went"])
def test_files_that_changed_came_or_went_are_noticed(
    settings: Settings, tmp_path: Path, cat_jpeg: bytes, change: str
) -> None:
    """While the command runs, and when it is repeated after a stop."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(cat_jpeg)

    def meddle(done: int, of: int) -> None:
        if done < of:
            return
        if change == "went":
            (photos / "a.jpg").unlink()
        else:
            (photos / ("a.jpg" if change == "changed" else "c.jpg")).write_bytes(cat_jpeg + b"\0")

    with pytest.raises(InvalidInput, match=r"changed, added or removed meanwhile\. Delete .*out, and"):
        score_folder(photos, tmp_path / "out", settings, run_locally, meddle)
    with pytest.raises(InvalidInput, match="other photos, for photos that were changed since"):
        score_folder(photos, tmp_path / "out", settings, run_locally)
