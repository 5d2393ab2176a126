"""The key figures of a window of time, computed by PostgreSQL over the table of predictions.

One query aggregates the window, as a whole and by buckets of time, in one pass (``GROUPING SETS``); Python
only names the results. Inference times are those of successful predictions: what was refused took no inference.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    case,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
)

from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Answer, Bucket, FeedbackPoint, Latency, RecentPrediction, Satisfaction, Statistics
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.intervals import wilson
from catsdogs.monitoring.windows import ORIGIN, bucket_seconds, utc, window

MAX_FEEDBACK = 2000
MAX_RECENT = 1000


def statistics(
    connection: Connection,
    table: Table[PredictionColumns],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    model_version: str | None = None,
) -> Statistics:
    """Compute the KPIs of predictions made in ``[start, end)``, by one model or all.

    Parameters
    ----------
    connection
        To a database whose transaction has not begun to read: everything comes from one snapshot.
    table
        Of predictions.
    start, end
        Bounds of ``timestamp``; ``None`` for all. Without a time zone they are taken as UTC.
    model_version
        ``None`` for all.

    Returns
    -------
    Statistics
        The timeline has a bucket for every interval of the window, empty ones included.

    Raises
    ------
    InvalidInput
        `start` is not before `end`, or a parameter is out of range.
    """
    in_window = window(table, start, end)
    by_model = true() if model_version is None else table.c.model_version == _version(model_version)

    _freeze(connection)
    first, last, now = connection.execute(
        select(func.min(table.c.timestamp), func.max(table.c.timestamp), func.now()).where(in_window, by_model)
    ).one()
    since = utc(start) if start else first
    until = utc(end) if end else max(now, (last or now) + timedelta(microseconds=1))
    width = bucket_seconds((until - since).total_seconds() if since else 0.0)

    total, *buckets = connection.execute(_aggregates(table, width, in_window & by_model)).all()
    feedback = connection.execute(_feedback(table, in_window & by_model)).all()
    versions = connection.execute(select(table.c.model_version).where(in_window).distinct()).scalars()

    return Statistics(
        total_predictions=total.predictions,
        successful_predictions=total.successes,
        rgpd_consents=total.consents,
        success_rate=100.0 * total.successes / total.predictions if total.predictions else 0.0,
        error_rate=_share(total.errors, total.predictions),
        consent_rate=_share(total.consents, total.predictions),
        answers={"cat": total.cat, "dog": total.dog, "neither": total.neither, "error": total.errors},
        inference_time_ms=_latency(total),
        satisfaction=_satisfaction(total),
        bucket_seconds=width,
        timeline=_timeline(buckets, since, until, width),
        feedback=[_feedback_point(row) for row in reversed(feedback)],
        model_versions=sorted(version for version in versions if version is not None),
    )


def recent_predictions(
    connection: Connection, table: Table[PredictionColumns], limit: int = 10
) -> list[RecentPrediction]:
    """List the latest predictions, newest first.

    Parameters
    ----------
    table
        Of predictions.
    limit
        1..1000.

    Raises
    ------
    InvalidInput
        `limit` is out of range.
    """
    if not 1 <= limit <= MAX_RECENT:
        raise InvalidInput("The limit must be between 1 and {most}.", most=MAX_RECENT)
    column = table.c
    query = (
        select(
            column.id,
            column.timestamp,
            column.prediction_result,
            column.proba_cat,
            column.proba_dog,
            column.inference_time_ms,
            column.success,
            column.rgpd_consent,
            _with_consent(table, "filename"),
            column.user_feedback,
            _with_consent(table, "user_comment"),
            column.model_version,
        )
        .order_by(column.timestamp.desc(), column.id.desc())
        .limit(limit)
    )
    return [
        RecentPrediction(
            id=str(row.id),
            timestamp=_iso(row.timestamp),
            prediction_result=row.prediction_result,
            proba_cat=row.proba_cat,
            proba_dog=row.proba_dog,
            inference_time_ms=row.inference_time_ms,
            success=row.success,
            rgpd_consent=row.rgpd_consent,
            filename=row.filename,
            user_feedback=row.user_feedback,
            user_comment=row.user_comment,
            model_version=row.model_version,
        )
        for row in connection.execute(query)
    ]


def _version(model_version: str) -> str:
    if "\0" in model_version:  # PostgreSQL has no such text
        raise InvalidInput("This is not a model version.")
    return model_version


def _freeze(connection: Connection) -> None:
    """Let all that the transaction reads be of one moment."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _aggregates(table: Table[PredictionColumns], width: int, condition: ColumnElement[bool]) -> Any:
    """Build the query: first the row of the whole window, then one a bucket that is not empty."""
    rows = (
        select(
            func.date_bin(timedelta(seconds=width), table.c.timestamp, ORIGIN).label("bucket"),
            table.c.success,
            table.c.prediction_result,
            table.c.rgpd_consent,
            table.c.user_feedback,
            case((table.c.success, table.c.inference_time_ms)).label("latency"),
        )
        .where(condition)
        .cte("rows")
    )
    column = rows.c

    def count(where: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(where)

    return (
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
            func.percentile_cont(literal([0.5, 0.95, 0.99])).within_group(column.latency).label("percentiles"),
        )
        .group_by(func.grouping_sets(tuple_(), tuple_(column.bucket)))
        .order_by(func.grouping(column.bucket).desc(), column.bucket)
    )


def _feedback(table: Table[PredictionColumns], condition: ColumnElement[bool]) -> Any:
    return (
        select(
            table.c.timestamp,
            table.c.user_feedback,
            table.c.prediction_result,
            case(
                (table.c.prediction_result == Answer.NEITHER, table.c.neither_score),
                else_=func.greatest(table.c.proba_cat, table.c.proba_dog),
            ).label("confidence"),
            _with_consent(table, "user_comment"),
        )
        .where(condition, table.c.user_feedback.is_not(None))
        .order_by(table.c.timestamp.desc(), table.c.id.desc())
        .limit(MAX_FEEDBACK)
    )


def _with_consent(table: Table[PredictionColumns], name: str) -> ColumnElement[str | None]:
    """Hide a personal field without consent, should the table's own constraint be missing."""
    return case((table.c.rgpd_consent, table.c[name])).label(name)


def _timeline(rows: list[Row[Any]], since: datetime | None, until: datetime, width: int) -> list[Bucket]:
    if since is None:
        return []
    step = timedelta(seconds=width)
    filled = {row.bucket: row for row in rows}
    start = ORIGIN + (since - ORIGIN) // step * step
    timeline = []
    while start < until:
        row = filled.get(start)
        timeline.append(_bucket(start, row) if row else _empty_bucket(start))
        start += step
    return timeline


def _bucket(start: datetime, row: Row[Any]) -> Bucket:
    return Bucket(
        start=_iso(start),
        predictions=row.predictions,
        cat=row.cat,
        dog=row.dog,
        neither=row.neither,
        errors=row.errors,
        satisfied=row.satisfied,
        unsatisfied=row.unsatisfied,
        **_latency(row),
    )


def _empty_bucket(start: datetime) -> Bucket:
    return Bucket(
        start=_iso(start),
        predictions=0,
        cat=0,
        dog=0,
        neither=0,
        errors=0,
        satisfied=0,
        unsatisfied=0,
        mean=None,
        min=None,
        max=None,
        p50=None,
        p95=None,
        p99=None,
    )


def _latency(row: Row[Any]) -> Latency:
    p50, p95, p99 = row.percentiles or (None, None, None)
    return Latency(mean=row.mean, min=row.fastest, max=row.slowest, p50=p50, p95=p95, p99=p99)


def _satisfaction(row: Row[Any]) -> Satisfaction:
    n = row.satisfied + row.unsatisfied
    low, high = wilson(row.satisfied, n) or (None, None)
    return Satisfaction(
        rate=_share(row.satisfied, n), low=low, high=high, n=n, satisfied=row.satisfied, unsatisfied=row.unsatisfied
    )


def _feedback_point(row: Row[Any]) -> FeedbackPoint:
    return FeedbackPoint(
        timestamp=_iso(row.timestamp),
        user_feedback=row.user_feedback,
        prediction_result=row.prediction_result,
        confidence=row.confidence,
        user_comment=row.user_comment,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
