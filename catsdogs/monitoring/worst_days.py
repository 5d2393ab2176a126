"""The worst days of a long window: a mean over weeks hides one bad day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.monitoring import aggregates
from catsdogs.monitoring.figures import WorstDay, WorstDays
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.trends import MIN_COUNT
from catsdogs.stats import wilson_interval

STANDARD_ERRORS = 3.0
"""Half the length of these intervals, in standard errors: of a hundred days, several are beyond two by chance."""
LONG_WINDOW = timedelta(days=2)
"""Length above which a window is long: a shorter one is seen whole in its charts."""


def worst_days(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
) -> WorstDays | None:
    """Find the days of a window with the slowest answers, the most errors, and the least satisfied people.

    Shares are compared by the end of their interval that speaks for the day, so that a day with few ratings must be
    very bad to be the worst, see `STANDARD_ERRORS`; inference times only of days with at least `MIN_COUNT` predictions.

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
    failed = [day for day in days if day.errors] if prediction_filter.answer is None else []
    rated = [day for day in days if day.unsatisfied]
    return WorstDays(
        latency=_worst(timed, lambda day: day.mean, lambda day: (day.mean, day.successes)),
        errors=_worst(
            failed,
            lambda day: _interval(day.errors, day.predictions)[0],
            lambda day: (day.errors / day.predictions, day.predictions),
        ),
        satisfaction=_worst(
            rated,
            lambda day: -_interval(day.satisfied, day.satisfied + day.unsatisfied)[1],
            lambda day: (day.satisfied / (day.satisfied + day.unsatisfied), day.satisfied + day.unsatisfied),
        ),
    )


def _interval(part: int, whole: int) -> tuple[float, float]:
    return wilson_interval(part, whole, STANDARD_ERRORS) or (0.0, 1.0)


def _worst(
    days: Sequence[sa.Row[Any]],
    badness: Callable[[sa.Row[Any]], float],
    figure: Callable[[sa.Row[Any]], tuple[float, int]],
) -> WorstDay | None:
    if not days:
        return None
    worst = max(days, key=badness)
    value, n = figure(worst)
    return WorstDay(day=worst.day.isoformat(), value=value, n=n)
