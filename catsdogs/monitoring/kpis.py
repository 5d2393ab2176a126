"""The key figures of a time window, computed by PostgreSQL from the table of predictions and its roll-ups.

Inference times are those of successful predictions: a photo that cannot be read takes no inference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, case, exists, func, literal, select, text

from catsdogs.database.demo_ids import is_demo
from catsdogs.database.probabilities import answer_probability
from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.datetimes import iso, parse_timestamp
from catsdogs.monitoring import aggregates
from catsdogs.monitoring.accuracy import accuracy
from catsdogs.monitoring.figures import Bucket, FeedbackPoint, Latency, Previous, Satisfaction, Statistics
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition
from catsdogs.monitoring.time_windows import bucket_seconds, round_down
from catsdogs.monitoring.worst_days import worst_days

MAX_EXACT_PREDICTIONS = 10_000
"""Largest number of predictions that are aggregated from their rows, with exact percentiles; more from roll-ups."""
MAX_EXACT_BUCKET_SECONDS = 300
"""Largest width of buckets that are always aggregated from rows, in seconds: their window is a few hours long."""
MAX_FEEDBACK_POINTS = 1500
"""Largest number of points of the feedback scatter: a browser draws them at once, and a reader can tell them apart."""


def statistics(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter = ALL_PREDICTIONS,
) -> Statistics:
    """Compute the KPIs of the predictions that pass a filter.

    Parameters
    ----------
    connection
        Connection whose transaction has not read yet: all figures come from one snapshot.
    table
        Table of predictions.
    prediction_filter
        Its listing is ignored.

    Returns
    -------
    Statistics
        The timeline has a bucket for every interval of the window, empty ones included.
    """
    _use_one_snapshot(connection)
    window = _window(connection, table, prediction_filter)
    few = _count(connection, table, replace(prediction_filter, answer=None)) <= MAX_EXACT_PREDICTIONS
    width, rows = _aggregate(connection, table, prediction_filter, window, few=few)
    total, *buckets = rows
    timeline = _timeline(buckets, window, width)
    return Statistics(
        total_predictions=total.predictions,
        successful_predictions=total.successes,
        rgpd_consents=total.consents,
        success_rate=100.0 * total.successes / total.predictions if total.predictions else 0.0,
        error_rate=None if prediction_filter.answer else _share(total.errors, total.predictions),
        consent_rate=_share(total.consents, total.predictions),
        answers={"cat": total.cat, "dog": total.dog, "neither": total.neither, "error": total.errors},
        inference_time_ms=_latency(total),
        satisfaction=_satisfaction(total),
        start=None if window[0] == window[1] else iso(window[0]),
        end=iso(window[1]),
        worst_days=worst_days(connection, table, prediction_filter, window),
        previous=_previous(connection, table, prediction_filter, window) if prediction_filter.start else None,
        bucket_seconds=width,
        timeline=timeline,
        feedback=_feedback(connection, table, prediction_filter, window, timeline),
        model_versions=_versions(connection, table, prediction_filter),
        demonstration=_has_demonstration(connection, table, prediction_filter),
    )


def _use_one_snapshot(connection: Connection) -> None:
    """Let all queries of the transaction read the same state of the database."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _window(connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter) -> Span:
    """Return both bounds of the window: an open start is the first prediction, an open end is now."""
    any_answer = filter_condition(replace(prediction_filter, answer=None), table)
    first, last, now = connection.execute(
        select(func.min(table.c.timestamp), func.max(table.c.timestamp), func.now()).where(any_answer)
    ).one()
    end = prediction_filter.end or max(now, (last or now) + timedelta(microseconds=1))
    return prediction_filter.start or first or end, end


def _count(connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter) -> int:
    """Count the predictions, but at most one more than :data:`MAX_EXACT_PREDICTIONS`."""
    condition = filter_condition(prediction_filter, table)
    found = select(literal(1)).select_from(table).where(condition).limit(MAX_EXACT_PREDICTIONS + 1)
    return connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def _aggregate(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
    *,
    few: bool,
) -> tuple[int, Sequence[Row[Any]]]:
    """Choose the width of the buckets, and aggregate from rows or from roll-ups."""
    start, end = window
    width = bucket_seconds((end - start).total_seconds())
    if few or width <= MAX_EXACT_BUCKET_SECONDS:
        return width, aggregates.aggregate_rows(connection, table, prediction_filter, window, width)
    width = max(width, 3600)
    return width, aggregates.aggregate_roll_ups(connection, table, prediction_filter, window, width)


def _previous(
    connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter, window: Span
) -> Previous:
    """Aggregate the window of the same length just before."""
    start, end = window
    total = aggregates.totals(connection, table, prediction_filter, (start - (end - start), start))
    return Previous(
        total_predictions=total.predictions,
        errors=total.errors,
        rgpd_consents=total.consents,
        mean_ms=total.mean,
        satisfaction=_satisfaction(total),
    )


def _versions(
    connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter
) -> list[str]:
    """List the model versions of a window with a loose index scan, which does not read every row."""
    query = f"""
        WITH RECURSIVE versions (name) AS (
            (SELECT min(model_version) FROM "{table.name}")
            UNION ALL
            SELECT (SELECT min(model_version) FROM "{table.name}" WHERE model_version > name)
            FROM versions WHERE name IS NOT NULL
        )
        SELECT name FROM versions WHERE EXISTS (
            SELECT FROM "{table.name}" WHERE model_version = name
            AND (:start IS NULL OR "timestamp" >= :start) AND (:end IS NULL OR "timestamp" < :end)
        )"""  # noqa: S608 (Settings has checked the letters of the table's name)
    window = {"start": prediction_filter.start, "end": prediction_filter.end}
    return sorted(connection.scalars(text(query), window))


def _has_demonstration(
    connection: Connection, table: Table[PredictionColumns], prediction_filter: PredictionFilter
) -> bool:
    condition = filter_condition(prediction_filter, table)
    return connection.execute(select(exists().where(is_demo(table.c.id), condition))).scalar_one()


def _feedback(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter,
    window: Span,
    timeline: list[Bucket],
) -> list[FeedbackPoint]:
    """Read the latest feedbacks, oldest first, from no more buckets of the timeline than needed."""
    start, end = window
    found = 0
    for bucket in reversed(timeline):
        begin = parse_timestamp(bucket["start"])
        found += bucket["satisfied"] + bucket["unsatisfied"]
        if not found:
            end = begin
        elif found >= MAX_FEEDBACK_POINTS:
            start = max(start, begin)
            break
    if not found:
        return []
    query = (
        select(
            table.c.timestamp,
            table.c.user_feedback,
            table.c.prediction_result,
            answer_probability(table).label("confidence"),
            with_consent(table, "user_comment"),
        )
        .where(filter_condition(prediction_filter, table, (start, end)), table.c.user_feedback.is_not(None))
        .order_by(table.c.timestamp.desc(), table.c.id.desc())
        .limit(MAX_FEEDBACK_POINTS)
    )
    rows = connection.execute(query).all()
    return [_feedback_point(row) for row in reversed(rows)]


def with_consent(table: Table[PredictionColumns], name: str) -> ColumnElement[str | None]:
    """Return a personal field, ``NULL`` without consent, even if the table's own constraint is missing."""
    return case((table.c.rgpd_consent, table.c[name])).label(name)


def _timeline(rows: Sequence[Row[Any]], window: Span, width: int) -> list[Bucket]:
    first, last = window
    if first == last:  # there is nothing at all
        return []
    step = timedelta(seconds=width)
    filled = {row.bucket: row for row in rows}
    start = round_down(first, step)
    timeline = []
    while start < last:
        timeline.append(_bucket(start, filled.get(start)))
        start += step
    return timeline


def _bucket(start: datetime, row: Row[Any] | None) -> Bucket:
    def count(name: str) -> int:
        return getattr(row, name) if row else 0

    return Bucket(
        start=iso(start),
        predictions=count("predictions"),
        cat=count("cat"),
        dog=count("dog"),
        neither=count("neither"),
        errors=count("errors"),
        satisfied=count("satisfied"),
        unsatisfied=count("unsatisfied"),
        **_latency(row),
    )


def _latency(row: Row[Any] | None) -> Latency:
    if row is None or row.mean is None:
        return Latency(mean=None, min=None, max=None, p50=None, p95=None, p99=None)
    p50, p95, p99 = row.percentiles
    return Latency(mean=row.mean, min=row.fastest, max=row.slowest, p50=p50, p95=p95, p99=p99)


def _satisfaction(row: Row[Any]) -> Satisfaction:
    rate = accuracy(row.satisfied, row.satisfied + row.unsatisfied)
    return Satisfaction(**rate, satisfied=row.satisfied, unsatisfied=row.unsatisfied)


def _feedback_point(row: Any) -> FeedbackPoint:
    return FeedbackPoint(
        timestamp=iso(row.timestamp),
        user_feedback=row.user_feedback,
        prediction_result=row.prediction_result,
        confidence=row.confidence,
        user_comment=row.user_comment,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
