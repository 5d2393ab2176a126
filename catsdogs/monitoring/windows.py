"""Windows of time, and the buckets that a window is cut into."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Table, true

from catsdogs.database.tables import PredictionColumns
from catsdogs.errors import InvalidInput

MAX_BUCKETS = 120
"""A person reads a curve of 30 to 120 points."""
ORIGIN = datetime(2001, 1, 1, tzinfo=UTC)
"""Where buckets are counted from. A Monday: they start at round hours, days and weeks, in UTC."""

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


def window(table: Table[PredictionColumns], start: datetime | None, end: datetime | None) -> ColumnElement[bool]:
    """Give the condition of predictions made in ``[start, end)``.

    Raises
    ------
    InvalidInput
        `start` is not before `end`, or one is out of range.
    """
    since, until = (None if moment is None else utc(moment) for moment in (start, end))
    if since and until and since >= until:
        raise InvalidInput("The start of the window must be before its end.")
    after = true() if since is None else table.c.timestamp >= since
    return after if until is None else after & (table.c.timestamp < until)


def utc(moment: datetime) -> datetime:
    """Give `moment` in UTC; without a time zone it is taken as UTC.

    Raises
    ------
    InvalidInput
        The moment is not between the years 1970 and 2999.
    """
    if not 1970 <= moment.year <= 2999:
        raise InvalidInput("The date must be between the years 1970 and 2999.")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
