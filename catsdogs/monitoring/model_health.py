"""Is the model still good: accuracy with and without labels, reliability, drift, and versions side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import AccuracyBucket, Answer, ModelHealth, VersionFigures
from catsdogs.errors import CatsDogsError
from catsdogs.model_version import ModelCard, read_card
from catsdogs.model_versions import ModelVersions
from catsdogs.monitoring import accuracy
from catsdogs.monitoring.drift import measure_drift
from catsdogs.monitoring.samples import Sample, sample
from catsdogs.monitoring.windows import MAX_BUCKETS, ORIGIN, bucket_seconds, utc, window
from catsdogs.settings import Settings

POINTS = 20
"""Most buckets of the accuracy curve: fewer than others have, so that each stands on more judgements."""
MOST_VERSIONS = 20

CardOf = Callable[[str], ModelCard | None]


def cards(settings: Settings) -> CardOf:
    """Give a function that finds the card of a model version, where this machine has it."""
    versions = ModelVersions(settings.data_dir)

    def card_of(version: str) -> ModelCard | None:
        try:
            return read_card(versions.folder(version))
        except CatsDogsError:
            return None

    return card_of


def model_health(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    card_of: CardOf,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    model_version: str | None = None,
) -> ModelHealth:
    """Say how good the answers of ``[start, end)`` are, by one model or all.

    Parameters
    ----------
    card_of
        See :func:`cards`.

    Raises
    ------
    InvalidInput
        `start` is not before `end`, or a parameter is out of range.
    """

    def chosen(rows: sa.FromClause) -> sa.ColumnElement[bool]:
        in_window = window(cast("sa.Table[PredictionColumns]", rows), start, end)
        return in_window if model_version is None else in_window & (rows.c.model_version == model_version)

    condition = chosen(table)
    latest = latest_version(connection, table, condition)
    card = card_of(latest) if latest else None
    reference = card.reference if card else None
    some = sample(connection, table, chosen)
    drift = []
    if reference and card:
        same = sa.select(some.rows).where(some.rows.c.model_version == latest).cte("same")
        drift = measure_drift(connection, same, reference, card.input_size)
    return ModelHealth(
        model_version=latest,
        reference=reference.photos if reference else None,
        reference_n=reference.n if reference else 0,
        judged=accuracy.judged(connection, table, condition),
        estimated=accuracy.estimated(connection, some.rows),
        timeline=_timeline(connection, table, condition, some, start, end),
        reliability=accuracy.reliability(connection, table, condition),
        drift=drift,
        versions=_versions(connection, table, condition, some),
        whole=some.whole,
    )


def latest_version(
    connection: sa.Connection, table: sa.Table[PredictionColumns], condition: sa.ColumnElement[bool]
) -> str | None:
    """Name the model version of the latest prediction that meets `condition`."""
    query = sa.select(table.c.model_version).where(condition, table.c.model_version.is_not(None))
    return connection.scalar(query.order_by(table.c.timestamp.desc()).limit(1))


def _timeline(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    condition: Any,
    some: Sample,
    start: datetime | None,
    end: datetime | None,
) -> list[AccuracyBucket]:
    ends = sa.select(sa.func.min(table.c.timestamp), sa.func.max(table.c.timestamp)).where(condition)
    first, last = cast("tuple[Any, Any]", connection.execute(ends).one())
    if first is None:
        return []
    since, until = utc(start) if start else first, utc(end) if end else last + timedelta(microseconds=1)
    step = timedelta(seconds=bucket_seconds((until - since).total_seconds() * MAX_BUCKETS / POINTS))
    judged = accuracy.judged_by(connection, table, condition, accuracy.by_bucket(step))
    estimated = accuracy.estimated_by(connection, some.rows, accuracy.by_bucket(step))
    timeline, moment = [], ORIGIN + (since - ORIGIN) // step * step
    while moment < until:
        timeline.append(
            AccuracyBucket(
                start=moment.astimezone(UTC).isoformat(),
                judged=accuracy.accuracy(*judged.get(moment, (0, 0))),
                estimated=estimated.get(moment, accuracy.NOTHING),
            )
        )
        moment += step
    return timeline


def _versions(
    connection: sa.Connection, table: sa.Table[PredictionColumns], condition: Any, some: Sample
) -> list[VersionFigures]:
    column = some.rows.c
    figures = (
        sa.select(
            column.model_version,
            sa.func.avg(sa.cast(column.prediction_result == Answer.NEITHER, sa.Integer))
            .filter(column.success)
            .label("neither_rate"),
            sa.func.avg(column.inference_time_ms).filter(column.success).label("mean_ms"),
        )
        .where(column.model_version.is_not(None))
        .group_by(column.model_version)
    )
    counts = (
        sa.select(table.c.model_version, sa.func.count().label("n")).where(condition).group_by(table.c.model_version)
    )
    predictions = {row.model_version: row.n for row in connection.execute(counts)}
    found = sorted(connection.execute(figures), key=lambda row: -predictions.get(row.model_version, 0))
    judged = accuracy.judged_by(connection, table, condition, accuracy.by_version)
    estimated = accuracy.estimated_by(connection, some.rows, accuracy.by_version)
    return [
        VersionFigures(
            model_version=row.model_version,
            predictions=predictions.get(row.model_version, 0),
            judged=accuracy.accuracy(*judged.get(row.model_version, (0, 0))),
            estimated=estimated[row.model_version],
            neither_rate=None if row.neither_rate is None else float(row.neither_rate),
            mean_ms=row.mean_ms,
        )
        for row in found[:MOST_VERSIONS]
    ]
