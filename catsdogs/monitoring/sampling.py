"""A sample of the predictions of a window, where there are more than a figure needs.

The time that it takes does not grow with the table, and what was drawn once is drawn again: figures do not flicker.
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
from catsdogs.monitoring.filter_condition import filter_condition
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.time_windows import ORIGIN

ENOUGH = 20_000
"""Predictions: the 95 % interval of a share is then at most 1.4 % wide."""
SLICES = 500
"""Least number of short slices of time that opinions are drawn from."""


class Sample(NamedTuple):
    """Some predictions of a window, or all of them."""

    rows: sa.CTE
    """With the columns of the table of predictions."""
    whole: bool


def sample(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    enough: int = ENOUGH,
) -> Sample:
    """Take about `enough` of the predictions that pass a filter, or all where they are not many more.

    Whole pages of the table are drawn (``TABLESAMPLE SYSTEM``), wherever in the window they lie: a flood of
    predictions from a program, in minutes, is met as well as a trickle.
    """
    query = sa.select(table).where(filter_condition(prediction_filter, table))
    times = _estimated_rows(connection, query) / enough
    if times > 2:
        drawn = table.tablesample(sa.func.system(100 / times), seed=sa.literal(0), name="drawn")
        query = sa.select(drawn).where(filter_condition(prediction_filter, drawn))
    return Sample(query.cte("sample").prefix_with("MATERIALIZED"), whole=times <= 2)


def sample_opinions(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    extent: Span | None,
) -> Sample:
    """Take some of the predictions that have a feedback: from about `ENOUGH` to twice as many, or all.

    They are a small part of each page of the table, but indexes know them, and people do not flood: so short slices of
    time are drawn, one at a random place in each of many equal intervals.

    Parameters
    ----------
    extent
        From the first prediction to the last; ``None`` where there are none.
    """
    meant = filter_condition(prediction_filter, table)
    # each side has a partial index, which the condition must name as it stands
    condition = (meant & table.c.user_feedback.is_not(None)) | (meant & table.c.true_label.is_not(None))
    query = sa.select(table).where(condition)
    times = _estimated_rows(connection, query) / ENOUGH
    if extent and times > 2:
        starts, length = _slices(extent, times)
        slices = sa.select(sa.func.unnest(sa.cast(starts, ARRAY(sa.DateTime(timezone=True)))).label("start")).subquery()
        inside = (table.c.timestamp >= slices.c.start) & (table.c.timestamp < slices.c.start + length)
        drawn = sa.select(table).where(condition, inside).lateral("drawn")
        query = sa.select(drawn).select_from(slices.join(drawn, sa.true()))
    return Sample(query.cte("said").prefix_with("MATERIALIZED"), whole=times <= 2)


def _slices(extent: Span, times: float) -> tuple[list[datetime], timedelta]:
    """Place slices that make up one part in `times` of the time, or up to twice as much.

    Lengths are powers of two, and places depend on the date alone: a window that moves on keeps its slices.
    """
    start, end = extent
    seconds = max((end - start).total_seconds(), 1.0)
    interval = timedelta(seconds=2.0 ** math.floor(math.log2(seconds / SLICES)))
    length = interval / 2 ** math.floor(math.log2(times))
    numbers = range((start - ORIGIN) // interval, -((ORIGIN - end) // interval))
    return [ORIGIN + n * interval + random.Random(n).random() * (interval - length) for n in numbers], length  # noqa: S311


def _estimated_rows(connection: sa.Connection, query: sa.Select[Any]) -> int:
    """Ask the planner, which looks at its statistics, not at the rows."""
    compiled = query.compile(connection)
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    return int(explained[0]["Plan"]["Plan Rows"])
