"""Which predictions are looked at, and the buckets that a window of time is cut into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, FromClause, true

from catsdogs.database.roll_ups import Span
from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput

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


@dataclass(frozen=True, slots=True)
class Slice:
    """The predictions of a window of time, one model version and one answer; ``None`` for all."""

    start: datetime | None = None
    end: datetime | None = None
    model_version: str | None = None
    answer: Answer | None = None

    @classmethod
    def of(
        cls, start: datetime | None, end: datetime | None, model_version: str | None = None, answer: str | None = None
    ) -> Slice:
        """Check what was asked for; bounds without a time zone are taken as UTC.

        Raises
        ------
        InvalidInput
            `start` is not before `end`, or something is out of range.
        """
        since, until = (None if moment is None else utc(moment) for moment in (start, end))
        if since and until and since >= until:
            raise InvalidInput("The start of the window must be before its end.")
        if model_version is not None and "\0" in model_version:  # PostgreSQL has no such text
            raise InvalidInput("This is not a model version.")
        try:
            return cls(since, until, model_version, None if answer is None else Answer(answer))
        except ValueError:
            raise InvalidInput("The answer must be cat, dog, neither or error.") from None

    @property
    def span(self) -> Span:
        """Start and end, where both are known."""
        assert self.start is not None
        assert self.end is not None
        return self.start, self.end

    def condition(self, table: FromClause) -> ColumnElement[bool]:
        """Give the condition of these predictions among rows with the columns of their table."""
        found: ColumnElement[bool] = true()
        if self.start:
            found &= table.c.timestamp >= self.start
        if self.end:
            found &= table.c.timestamp < self.end
        if self.model_version is not None:
            found &= table.c.model_version == self.model_version
        if self.answer is not None:
            found &= table.c.prediction_result == self.answer
        return found


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
