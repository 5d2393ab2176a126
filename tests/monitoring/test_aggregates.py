"""A window is split into roll-ups and rows; tests/database/test_roll_ups.py compares what both give."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from catsdogs.monitoring import aggregates
from catsdogs.monitoring.time_windows import HOUR, round_down
from tests.rows import NOW


@pytest.mark.parametrize("whole_days", [True, False])
@pytest.mark.parametrize("length", [timedelta(minutes=20), timedelta(hours=5), timedelta(days=6, hours=7, minutes=9)])
def test_the_parts_of_a_window_cover_it_without_overlap(length: timedelta, whole_days: bool) -> None:
    start = NOW - length
    stale = [round_down(NOW - n * timedelta(hours=11), HOUR) for n in range(-3, 6, 2)]
    days, hours, rows = aggregates.split_window((start, NOW), stale, whole_days=whole_days)
    spans = sorted([*days, *hours, *rows])
    assert spans[0][0] == start
    assert spans[-1][1] == NOW
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert bool(days) is (whole_days and length > timedelta(days=5))
    assert not [hour for hour in stale for first, last in (*days, *hours) if first <= hour < last]
