"""The names of a report's files, and their place; `tests/notebooks/test_jobs.py` runs the notebook."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from catsdogs.reporting.build import _copy, _format_for_file_name
from tests.small_disk import small_disk


@pytest.mark.parametrize(
    ("moment", "part"),
    [
        ("2026-03-18", "2026-03-18"),
        ("2026-03-18T10:00", "2026-03-18T1000"),
        ("2026-03-18T10:00:30", "2026-03-18T100030"),
        ("2026-03-18T10:00:30.5", "2026-03-18T100030.500000"),
    ],
)
def test_moments_of_two_reports_give_two_names(moment: str, part: str) -> None:
    assert _format_for_file_name(datetime.fromisoformat(moment)) == part


def test_where_one_file_finds_no_room_none_is_written(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("report.html", "report.ipynb")]
    for file in files:
        file.write_bytes(bytes(700_000))
    with small_disk(tmp_path / "small", "1m") as disk:
        with pytest.raises(OSError, match="No space left"):
            _copy(files, disk / "a" / "reports")
        assert list(disk.iterdir()) == []
        _copy(files[:1], disk / "a" / "reports")
        assert [path.name for path in (disk / "a" / "reports").iterdir()] == ["report.html"]
