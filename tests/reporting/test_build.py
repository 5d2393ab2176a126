"""The names of the report's files; running the notebook is tested in `tests/notebooks/test_jobs.py`."""

from __future__ import annotations

from datetime import datetime

import pytest

from catsdogs.reporting.build import _format_for_file_name


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
