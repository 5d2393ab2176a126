"""The buckets that a time window is cut into, and arithmetic of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from catsdogs.database.roll_ups import Span

MAX_BUCKETS = 120
"""Largest number of points of a time curve: a person reads one of 30 to 120 points."""
ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)
"""Time that buckets are counted from. A Monday: they start at full hours, days and weeks, in UTC."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_WIDTHS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
_WEEK = 604800


def bucket_seconds(span: float) -> int:
    """Choose the width of a time curve's buckets.

    Parameters
    ----------
    span
        Length of the window, in seconds.

    Returns
    -------
    int
        The smallest round width, in seconds, that cuts `span` into at most :data:`MAX_BUCKETS`.
    """
    for width in _WIDTHS:
        if span <= width * MAX_BUCKETS:
            return width
    return _WEEK * max(1, -int(-span // (_WEEK * MAX_BUCKETS)))


def round_down(moment: datetime, width: timedelta) -> datetime:
    """Return the start of the interval that `moment` is in, counted from :data:`ORIGIN`."""
    return ORIGIN + (moment - ORIGIN) // width * width


def round_up(moment: datetime, width: timedelta) -> datetime:
    """Return the first start of an interval that is not before `moment`."""
    return ORIGIN - (ORIGIN - moment) // width * width


def subtract(span: Span, others: Sequence[Span]) -> list[Span]:
    """Return the parts of a span that lie in none of the others, which are in order and do not overlap."""
    parts: list[Span] = []
    first, last = span
    for start, end in others:
        if first < min(start, last):
            parts.append((first, min(start, last)))
        first = max(first, end)
    return [*parts, (first, last)] if first < last else parts
