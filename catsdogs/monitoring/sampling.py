"""Samples of the predictions of a window, where there are more than a figure needs.

The time to draw one does not grow with the table. Samples are reproducible, so that figures do not change from one
reading to the next.
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition
from catsdogs.monitoring.time_windows import ORIGIN

SAMPLE_SIZE = 20_000
"""Number of predictions with which the 95 % interval of a share is at most 1.4 % wide."""
MIN_INTERVALS = 500
"""Smallest number of short time intervals that feedbacks are drawn from."""


class PredictionSample(NamedTuple):
    """Some predictions of a window, or all of them."""

    rows: sa.CTE
    """Rows with the columns of the table of predictions."""
    is_complete: bool
    """Whether all predictions of the window are in it."""


def draw_sample(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    size: int = SAMPLE_SIZE,
) -> PredictionSample:
    """Draw about `size` of the predictions that pass a filter, or all where they are fewer than twice as many.

    Whole pages of the table are drawn (``TABLESAMPLE SYSTEM``), wherever in the window they lie: thousands of
    predictions in a few minutes are sampled as well as a few a day.
    """
    query = sa.select(table).where(filter_condition(prediction_filter, table))
    times = _estimated_rows(connection, query) / size
    if times > 2:
        drawn = table.tablesample(sa.func.system(100 / times), seed=sa.literal(0), name="drawn")
        query = sa.select(drawn).where(filter_condition(prediction_filter, drawn))
    return PredictionSample(query.cte("sample").prefix_with("MATERIALIZED"), is_complete=times <= 2)


def draw_feedback_sample(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    extent: Span | None,
) -> PredictionSample:
    """Draw from about :data:`SAMPLE_SIZE` to twice as many of the predictions that have a feedback, or all.

    They are a small part of each page of the table, but they have indexes, and people's feedbacks are spread over
    time. So short time intervals are drawn: one at a random position in each of many equal periods.

    Parameters
    ----------
    extent
        From the first prediction to the last; ``None`` where there are none.
    """
    meant = filter_condition(prediction_filter, table)
    # each side has a partial index, which the condition must name as it stands
    condition = (meant & table.c.user_feedback.is_not(None)) | (meant & table.c.true_label.is_not(None))
    query = sa.select(table).where(condition)
    times = _estimated_rows(connection, query) / SAMPLE_SIZE
    if extent and times > 2:
        starts, length = _draw_intervals(extent, times)
        intervals = sa.select(
            sa.func.unnest(sa.cast(starts, ARRAY(sa.DateTime(timezone=True)))).label("start")
        ).subquery()
        inside = (table.c.timestamp >= intervals.c.start) & (table.c.timestamp < intervals.c.start + length)
        drawn = sa.select(table).where(condition, inside).lateral("drawn")
        query = sa.select(drawn).select_from(intervals.join(drawn, sa.true()))
    return PredictionSample(query.cte("feedback_sample").prefix_with("MATERIALIZED"), is_complete=times <= 2)


def _draw_intervals(extent: Span, times: float) -> tuple[list[datetime], timedelta]:
    """Draw intervals that make up one part in `times` of the time, or up to twice as much: their starts, and length.

    Lengths are powers of two, and positions depend on the date alone: a window that moves on keeps its intervals.
    """
    start, end = extent
    seconds = max((end - start).total_seconds(), 1.0)
    period = timedelta(seconds=2.0 ** math.floor(math.log2(seconds / MIN_INTERVALS)))
    length = period / 2 ** math.floor(math.log2(times))
    numbers = range((start - ORIGIN) // period, -((ORIGIN - end) // period))
    return [ORIGIN + n * period + random.Random(n).random() * (period - length) for n in numbers], length  # noqa: S311


def _estimated_rows(connection: sa.Connection, query: sa.Select[Any]) -> int:
    """Return the planner's estimate of the number of rows, which reads its statistics and not the rows."""
    compiled = query.compile(connection)
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    return int(explained[0]["Plan"]["Plan Rows"])
