"""Buckets of time curves, and arithmetic of intervals."""

from __future__ import annotations

import pytest

from catsdogs.monitoring.time_windows import HOUR, bucket_seconds, subtract
from tests.rows import NOW


@pytest.mark.parametrize("days", [0.01, 1 / 24, 0.3, 1, 2, 7, 30, 90, 365, 2000, 40_000, 300_000])
def test_a_window_has_30_to_120_buckets(days: float) -> None:
    span = days * 86400
    assert 30 <= span / bucket_seconds(span) <= 120


@pytest.mark.parametrize(
    ("span", "width"),
    [(1, 10), (1200, 10), (1201, 30), (120 * 172800, 172800), (120 * 172800 + 1, 604800), (121 * 604800, 2 * 604800)],
)
def test_the_smallest_width_that_gives_120_buckets_is_chosen(span: float, width: int) -> None:
    assert bucket_seconds(span) == width


def test_subtract_returns_the_parts_between_the_others() -> None:
    at = [NOW + n * HOUR for n in range(9)]
    assert subtract((at[1], at[5]), []) == [(at[1], at[5])]
    assert subtract((at[1], at[5]), [(at[0], at[2]), (at[3], at[4]), (at[5], at[6])]) == [
        (at[2], at[3]),
        (at[4], at[5]),
    ]
    assert subtract((at[1], at[5]), [(at[0], at[8])]) == []
    assert subtract((at[5], at[1]), []) == []
