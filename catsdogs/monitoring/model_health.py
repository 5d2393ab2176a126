"""Is the model still good: accuracy with and without labels, reliability, drift, and versions side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.datetimes import iso
from catsdogs.errors import CatsDogsError
from catsdogs.model.card import ModelCard, read_card
from catsdogs.model.registry import ModelVersions
from catsdogs.monitoring import accuracy
from catsdogs.monitoring.drift import measure_drift
from catsdogs.monitoring.figures import AccuracyBucket, ModelHealth, VersionFigures
from catsdogs.monitoring.filter_condition import filter_condition
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.sampling import sample, sample_opinions
from catsdogs.monitoring.time_windows import HOUR, MAX_BUCKETS, bucket_seconds, floor
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
    prediction_filter: PredictionFilter = ALL_PREDICTIONS,
) -> ModelHealth:
    """Measure how good the answers that pass a filter are.

    Parameters
    ----------
    card_of
        See :func:`cards`.
    prediction_filter
        Its answer and listing are ignored: accuracy among the answers of one kind would be another figure.
    """
    chosen = replace(prediction_filter, answer=None)
    latest = latest_version(connection, table, chosen)
    card = card_of(latest) if latest else None
    reference = card.reference if card else None
    extent = _extent(connection, table, chosen)
    moments, step = _buckets(chosen, extent) if extent else ([], HOUR)
    some = sample(connection, table, chosen)
    said = sample_opinions(connection, table, chosen, extent)
    judged = accuracy.judged(connection, said.rows, step)
    estimated = accuracy.estimated(connection, some.rows, step)
    drift = []
    if reference and card:
        same = sa.select(some.rows).where(some.rows.c.model_version == latest).cte("same")
        drift = measure_drift(connection, same, reference, card.input_size)
    return ModelHealth(
        model_version=latest,
        reference=reference.photos if reference else None,
        reference_n=reference.n if reference else 0,
        judged=judged.total,
        estimated=estimated.total.estimated,
        timeline=[_bucket(moment, judged, estimated) for moment in moments],
        reliability=judged.reliability,
        drift=drift,
        versions=_versions(judged, estimated),
        whole=some.whole and said.whole,
    )


def latest_version(
    connection: sa.Connection, table: sa.Table[PredictionColumns], prediction_filter: PredictionFilter
) -> str | None:
    """Return the model version of the latest prediction that passes a filter."""
    condition = filter_condition(prediction_filter, table)
    query = sa.select(table.c.model_version).where(condition, table.c.model_version.is_not(None))
    return connection.scalar(query.order_by(table.c.timestamp.desc()).limit(1))


def _extent(connection: sa.Connection, table: sa.Table[PredictionColumns], chosen: PredictionFilter) -> Span | None:
    """Give the moments of the first and last predictions; ``None`` where there are none."""
    ends = sa.select(sa.func.min(table.c.timestamp), sa.func.max(table.c.timestamp)).where(
        filter_condition(chosen, table)
    )
    first, last = cast("tuple[Any, Any]", connection.execute(ends).one())
    return None if first is None else (first, last + timedelta(microseconds=1))


def _buckets(chosen: PredictionFilter, extent: Span) -> tuple[list[datetime], timedelta]:
    """Cut the window into at most about `POINTS` buckets: their starts, and their width."""
    since, until = chosen.start or extent[0], chosen.end or extent[1]
    step = timedelta(seconds=bucket_seconds((until - since).total_seconds() * MAX_BUCKETS / POINTS))
    begin = floor(since, step)
    return [begin + place * step for place in range(-((begin - until) // step))], step


def _bucket(moment: datetime, judged: accuracy.Judged, estimated: accuracy.Estimated) -> AccuracyBucket:
    group = estimated.by_bucket.get(moment)
    return AccuracyBucket(
        start=iso(moment),
        judged=judged.by_bucket.get(moment, accuracy.NOTHING),
        estimated=group.estimated if group else accuracy.NOTHING,
    )


def _versions(judged: accuracy.Judged, estimated: accuracy.Estimated) -> list[VersionFigures]:
    found = sorted(estimated.by_version.items(), key=lambda item: -item[1].n)
    return [
        VersionFigures(
            model_version=version,
            share=group.n / estimated.total.n,
            judged=judged.by_version.get(version, accuracy.NOTHING),
            estimated=group.estimated,
            neither_rate=group.neither_rate,
            mean_ms=group.mean_ms,
        )
        for version, group in found[:MOST_VERSIONS]
    ]
