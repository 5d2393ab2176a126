"""The buckets that a time window is cut into, and arithmetic of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from catsdogs.database.roll_ups import Span

MAX_BUCKETS = 120
"""A person reads a curve of 30 to 120 points."""
ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)
"""Where buckets are counted from. A Monday: they start at round hours, days and weeks, in UTC."""

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


def floor(moment: datetime, width: timedelta) -> datetime:
    """Give the start of the interval that `moment` is in, counted from :data:`ORIGIN`."""
    return ORIGIN + (moment - ORIGIN) // width * width


def ceil(moment: datetime, width: timedelta) -> datetime:
    """Give the first start of an interval that is not before `moment`."""
    return ORIGIN - (ORIGIN - moment) // width * width


def without(span: Span, holes: Sequence[Span]) -> list[Span]:
    """Give what is left of a span without some others, which are in order and apart."""
    left: list[Span] = []
    first, last = span
    for start, end in holes:
        if first < min(start, last):
            left.append((first, min(start, last)))
        first = max(first, end)
    return [*left, (first, last)] if first < last else left
