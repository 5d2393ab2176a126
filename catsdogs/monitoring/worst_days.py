"""The worst days of a long window: a mean over weeks hides one bad day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.monitoring import aggregates
from catsdogs.monitoring.figures import WorstDay, WorstDays
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.trends import MIN_COUNT
from catsdogs.stats import likelihood_ratio

MIN_DAY_COUNT = 10
"""Smallest number of predictions or ratings of a day whose share can be the worst: of two ratings, both may be bad."""
LONG_WINDOW = timedelta(days=2)
"""Length above which a window is long: a shorter one is seen whole in its charts."""


def worst_days(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
) -> WorstDays | None:
    """Find the days of a window with the slowest answers, the most errors, and the least satisfied people.

    Of shares, the worst day is the one that chance explains least, given the share of the whole window: neither three
    bad ratings nor a small difference hide a bad day. Inference times are compared only of days with at least
    `MIN_COUNT` predictions.

    Parameters
    ----------
    prediction_filter
        Days are those of its time zone.
    window
        Used in place of the filter's own, which may be open.

    Returns
    -------
    WorstDays or None
        ``None`` where the window is at most `LONG_WINDOW` long.
    """
    if window[1] - window[0] <= LONG_WINDOW:
        return None
    days = aggregates.by_day(connection, table, prediction_filter, window)
    timed = [day for day in days if day.successes >= MIN_COUNT]
    slowest = max(timed, key=lambda day: day.mean, default=None)
    failed = [_Share(day.day, day.errors, day.predictions) for day in days] if prediction_filter.answer is None else []
    rated = [_Share(day.day, day.unsatisfied, day.satisfied + day.unsatisfied) for day in days]
    errors, unsatisfied = _worst(failed), _worst(rated)
    return WorstDays(
        latency=_worst_day(slowest.day, slowest.mean, slowest.successes) if slowest else None,
        errors=_worst_day(errors.day, errors.bad / errors.n, errors.n) if errors else None,
        satisfaction=_worst_day(unsatisfied.day, 1 - unsatisfied.bad / unsatisfied.n, unsatisfied.n)
        if unsatisfied
        else None,
    )


class _Share(NamedTuple):
    """How many predictions or ratings of a day were bad."""

    day: date
    bad: int
    n: int


def _worst(days: Sequence[_Share]) -> _Share | None:
    """Return the day that is worse than the whole window, and explained least by chance."""
    total = sum(day.n for day in days)
    share = sum(day.bad for day in days) / total if total else 0.0

    def badness(day: _Share) -> float:
        found = likelihood_ratio(day.bad, day.n, share)
        return found if day.bad >= share * day.n else -found

    return max((day for day in days if day.bad and day.n >= MIN_DAY_COUNT), key=badness, default=None)


def _worst_day(day: date, value: float, n: int) -> WorstDay:
    return WorstDay(day=day.isoformat(), value=value, n=n)
