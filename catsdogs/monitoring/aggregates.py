"""Two ways to aggregate predictions, over a window and by time buckets: from the rows, or from the roll-ups.

Both return the same columns: first the row of the whole window, then one row for each bucket that is not empty.
Inference times are those of successful predictions: a photo that cannot be read takes no inference.
"""

# ruff: noqa: S608 (the names in the statements are those of tables, whose letters Settings has checked)

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Table, case, exc, func, literal, select, tuple_

from catsdogs.database import roll_ups
from catsdogs.database.roll_ups import BIN_GROWTH, ZERO_BIN, Span, lies_within, merge_intervals, roll_up_query
from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Answer
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import VERSION_AND_ANSWER, filter_condition, version_and_answer
from catsdogs.monitoring.time_windows import DAY, HOUR, ORIGIN, round_down, round_up, subtract

PERCENTILES = (0.5, 0.95, 0.99)
"""Percentiles of the inference time that are computed: p50, p95 and p99."""

_BROKEN = exc.DataError, exc.InternalError, OverflowError, ValueError
"""What reading a broken roll-up raises: a number or a date out of range."""

_log = logging.getLogger(__name__)

_SUMS = """coalesce(sum(predictions), 0) AS predictions,
    coalesce(sum(predictions) FILTER (WHERE prediction_result <> 'error'), 0) AS successes,
    coalesce(sum(consents), 0) AS consents,
    coalesce(sum(predictions) FILTER (WHERE prediction_result = 'cat'), 0) AS cat,
    coalesce(sum(predictions) FILTER (WHERE prediction_result = 'dog'), 0) AS dog,
    coalesce(sum(predictions) FILTER (WHERE prediction_result = 'neither'), 0) AS neither,
    coalesce(sum(predictions) FILTER (WHERE prediction_result = 'error'), 0) AS errors,
    coalesce(sum(satisfied), 0) AS satisfied,
    coalesce(sum(unsatisfied), 0) AS unsatisfied,
    sum(milliseconds) / sum(predictions) FILTER (WHERE prediction_result <> 'error') AS mean,
    min(fastest) AS fastest,
    max(slowest) AS slowest"""


def aggregate_rows(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
    width: int,
) -> Sequence[Row[Any]]:
    """Aggregate the rows, with exact percentiles, in buckets of `width` seconds."""
    rows = (
        select(
            func.date_bin(timedelta(seconds=width), table.c.timestamp, ORIGIN).label("bucket"),
            table.c.success,
            table.c.prediction_result,
            table.c.rgpd_consent,
            table.c.user_feedback,
            case((table.c.success, table.c.inference_time_ms)).label("latency"),
        )
        .where(filter_condition(prediction_filter, table, window))
        .cte("rows")
    )
    column = rows.c

    def count(where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return func.count().filter(where)

    query = (
        select(
            column.bucket,
            func.count().label("predictions"),
            count(column.success).label("successes"),
            count(column.rgpd_consent).label("consents"),
            *(count(column.prediction_result == answer).label(answer) for answer in ("cat", "dog", "neither")),
            count(column.prediction_result == Answer.ERROR).label("errors"),
            count(column.user_feedback == 1).label("satisfied"),
            count(column.user_feedback == 0).label("unsatisfied"),
            func.avg(column.latency).label("mean"),
            func.min(column.latency).label("fastest"),
            func.max(column.latency).label("slowest"),
            func.percentile_cont(literal(list(PERCENTILES))).within_group(column.latency).label("percentiles"),
        )
        .group_by(func.grouping_sets(tuple_(), tuple_(column.bucket)))
        .order_by(func.grouping(column.bucket).desc(), column.bucket)
    )
    return connection.execute(query).all()


def aggregate_roll_ups(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
    width: int,
) -> Sequence[Row[Any]]:
    """Aggregate the roll-ups, and rows only where there is no roll-up; percentiles are within 2 %.

    Where a roll-up is broken, the rows are aggregated instead.

    Parameters
    ----------
    prediction_filter
        Model version and answer.
    window
        Used in place of the filter's own, which may be open.
    width
        Width of a bucket, in seconds: whole hours.
    """
    try:
        with connection.begin_nested():
            return _read_roll_ups(connection, table, prediction_filter, window, width)
    except _BROKEN as error:
        _report_broken(error)
        return aggregate_rows(connection, table, prediction_filter, window, width)


def _read_roll_ups(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
    width: int,
) -> Sequence[Row[Any]]:
    query = f"""
        WITH parts AS MATERIALIZED (
            SELECT date_bin('{width} seconds', start, '{roll_ups.BIN_ORIGIN}') AS bucket, parts_of_window.*
            FROM ({_parts(connection, table, window, whole_days=width % 86400 == 0)}) AS parts_of_window
        ), sums AS (
            SELECT grouping(bucket) AS is_total, bucket, {_SUMS} FROM parts GROUP BY GROUPING SETS ((), (bucket))
        ), histograms AS (
            SELECT grouping(bucket) AS is_total, bucket, bin, sum(n) AS n
            FROM parts, unnest(bins, counts) AS histogram (bin, n) GROUP BY GROUPING SETS ((bin), (bucket, bin))
        ), ranks AS (
            SELECT is_total, bucket,
                CASE bin WHEN {ZERO_BIN} THEN 0
                    ELSE 2 * power({BIN_GROWTH!r}::float8, bin) / ({BIN_GROWTH!r} + 1) END AS time,
                sum(n) OVER (PARTITION BY is_total, bucket ORDER BY bin) AS upto,
                (sum(n) OVER (PARTITION BY is_total, bucket) - 1)::float8 AS last
            FROM histograms
        ), neighbours AS (  -- the times next to each percentile's rank
            SELECT is_total, bucket, share, share * last - floor(share * last) AS fraction,
                min(time) FILTER (WHERE upto > floor(share * last)) AS lower,
                min(time) FILTER (WHERE upto > least(floor(share * last) + 1, last)) AS upper
            FROM ranks, unnest(ARRAY{list(PERCENTILES)}::float8[]) AS share GROUP BY is_total, bucket, share, last
        )
        SELECT sums.*, (
            SELECT array_agg(greatest(fastest, least(slowest, lower + (upper - lower) * fraction)) ORDER BY share)
            FROM neighbours
            WHERE neighbours.is_total = sums.is_total AND neighbours.bucket IS NOT DISTINCT FROM sums.bucket
        ) AS percentiles
        FROM sums ORDER BY is_total DESC, bucket"""
    return connection.execute(sa.text(query), version_and_answer(prediction_filter)).all()


def totals(
    connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter, window: Span
) -> Row[Any]:
    """Aggregate a whole window, without percentiles; the parameters are those of :func:`aggregate_roll_ups`."""
    try:
        with connection.begin_nested():
            query = f"SELECT {_SUMS} FROM ({_parts(connection, table, window, whole_days=True)}) AS parts_of_window"
            return connection.execute(sa.text(query), version_and_answer(prediction_filter)).one()
    except _BROKEN as error:
        _report_broken(error)
        return aggregate_rows(connection, table, prediction_filter, window, width=86400)[0]


def by_day(
    connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter, window: Span
) -> Sequence[Row[Any]]:
    """Aggregate each day that is not empty, without percentiles; the row's ``day`` is its date.

    An hour counts to the day on which it begins, in the time zone of the filter.
    """
    zone = prediction_filter.zone if _is_known(connection, prediction_filter.zone) else "UTC"
    parts = _parts(connection, table, window, whole_days=False)
    query = f"""SELECT (start AT TIME ZONE :zone)::date AS day, {_SUMS}
        FROM ({parts}) AS parts_of_window GROUP BY day ORDER BY day"""
    try:
        with connection.begin_nested():
            return connection.execute(sa.text(query), {"zone": zone, **version_and_answer(prediction_filter)}).all()
    except _BROKEN as error:
        _report_broken(error)
        return []


def _is_known(connection: Connection, zone: str) -> bool:
    """Return whether PostgreSQL, too, knows a time zone: its list may be another than that of Python."""
    try:
        with connection.begin_nested():
            connection.execute(sa.text("SELECT now() AT TIME ZONE :zone"), {"zone": zone})
    except exc.DBAPIError:
        return False
    return True


def _report_broken(error: Exception) -> None:
    _log.error("a roll-up is broken (%s): the rows are read in its place, which takes longer", type(error).__name__)


def _parts(connection: Connection, table: Table[PredictionColumns], window: Span, *, whole_days: bool) -> str:
    """Return the query of the parts of a window: roll-ups of days and of hours, and rows."""
    within = f'SELECT DISTINCT start FROM "{table.name}_stale" WHERE {lies_within("start", [window_of_days(window)])}'
    stale = connection.scalars(sa.text(within)).all()
    days, hours, rows = split_window(window, stale, whole_days=whole_days)
    filters = f" AND {VERSION_AND_ANSWER}"
    summary = f'SELECT * FROM "{table.name}_summary" WHERE hours = '
    within_rows = lies_within('"timestamp"', rows) + filters
    return " UNION ALL ".join(
        (
            f"{summary} 24 AND {lies_within('start', days)}{filters}",
            f"{summary} 1 AND {lies_within('start', hours)}{filters}",
            roll_up_query(table.name, 1, within_rows),
        )
    )


def window_of_days(span: Span) -> Span:
    """Return the whole days that a span touches: a stale hour outside them changes nothing in it."""
    start, end = span
    return round_down(start, DAY), round_up(end, DAY)


def split_window(
    span: Span, stale: Sequence[datetime], *, whole_days: bool
) -> tuple[list[Span], list[Span], list[Span]]:
    """Split a window into the parts that are read from roll-ups of days, from roll-ups of hours, and from rows.

    Parameters
    ----------
    span
        The window, in UTC.
    stale
        Starts of the hours whose roll-up is stale.
    whole_days
        Whether roll-ups of days may be read.

    Returns
    -------
    tuple of list of Span
        Days, hours, rows: together they are the window, and they do not overlap.
    """
    start, end = span
    first, last = round_up(start, HOUR), round_down(end, HOUR)
    if first >= last:
        return [], [], [span]
    missing = merge_intervals((hour for hour in stale if first <= hour < last), HOUR)
    stale_days = merge_intervals({round_down(hour, DAY) for hour in stale}, DAY)
    days = subtract((round_up(first, DAY), round_down(last, DAY)), stale_days) if whole_days else []
    hours = subtract((first, last), sorted(days + missing))
    edges = subtract((start, end), [(first, last)])
    return days, hours, edges + missing
