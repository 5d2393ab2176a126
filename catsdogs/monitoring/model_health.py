"""The model's health: accuracy with and without labels, reliability, drift, and versions side by side."""

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
from catsdogs.monitoring import accuracy, aggregates
from catsdogs.monitoring.drift import NO_REFERENCE, find_reference, measure_drift
from catsdogs.monitoring.figures import AccuracyBucket, ModelHealth, VersionFigures
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition
from catsdogs.monitoring.sampling import draw_feedback_sample, draw_sample
from catsdogs.monitoring.time_windows import HOUR, MAX_BUCKETS, bucket_seconds, round_down
from catsdogs.settings import Settings

MAX_POINTS = 20
"""Largest number of points of the accuracy curve: fewer than other curves have, so that each has more feedbacks."""
MAX_VERSIONS = 20
"""Largest number of model versions listed, those with most predictions."""

CardOf = Callable[[str], ModelCard | None]


def cards(settings: Settings) -> CardOf:
    """Return a function that reads the card of a model version; ``None`` where this machine does not have it."""
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
    reference_period: Span | None = None,
) -> ModelHealth:
    """Measure how good the answers that pass a filter are.

    Parameters
    ----------
    card_of
        See :func:`cards`.
    prediction_filter
        Its answer and listing are ignored: accuracy among the answers of one kind would be another figure.
    reference_period
        See :func:`catsdogs.monitoring.drift.find_reference`.
    """
    chosen = replace(prediction_filter, answer=None)
    latest = latest_version(connection, table, chosen)
    card = card_of(latest) if latest else None
    found = find_reference(connection, table, latest, card, reference_period) if latest else NO_REFERENCE
    kind, reference, chosen_n = found
    extent = _extent(connection, table, chosen)
    starts, width = _buckets(chosen, extent) if extent else ([], HOUR)
    predictions = draw_sample(connection, table, chosen)
    feedbacks = draw_feedback_sample(connection, table, chosen, extent)
    judged = accuracy.judged_accuracy(connection, feedbacks.rows, width)
    estimated = accuracy.estimated_accuracy(connection, predictions.rows, width)
    drift = []
    if reference and card:
        of_latest = sa.select(predictions.rows).where(predictions.rows.c.model_version == latest).cte("of_latest")
        drift = measure_drift(connection, of_latest, reference, card.input_size)
    return ModelHealth(
        model_version=latest,
        reference_kind=kind,
        reference=reference.photos if reference else None,
        reference_n=reference.n if reference else 0,
        chosen_reference_n=chosen_n,
        judged=judged.total,
        judged_of=judged.total["n"] if feedbacks.is_complete else _count_judged(connection, table, chosen, extent),
        estimated=estimated.total.estimated,
        estimated_from=estimated.total.n,
        estimated_of=estimated.total.n if predictions.is_complete else _count(connection, table, chosen, extent),
        bucket_seconds=round(width.total_seconds()),
        timeline=[_bucket(start, judged, estimated) for start in starts],
        reliability=judged.reliability,
        calibration=accuracy.calibration(judged.reliability),
        drift=drift,
        versions=_versions(judged, estimated),
    )


def latest_version(
    connection: sa.Connection, table: sa.Table[PredictionColumns], prediction_filter: PredictionFilter
) -> str | None:
    """Return the model version of the latest prediction that passes a filter."""
    condition = filter_condition(prediction_filter, table)
    query = sa.select(table.c.model_version).where(condition, table.c.model_version.is_not(None))
    return connection.scalar(query.order_by(table.c.timestamp.desc()).limit(1))


def _extent(connection: sa.Connection, table: sa.Table[PredictionColumns], chosen: PredictionFilter) -> Span | None:
    """Return the span of the predictions, from the first to the last; ``None`` where there are none."""
    ends = sa.select(sa.func.min(table.c.timestamp), sa.func.max(table.c.timestamp))
    first, last = cast("tuple[Any, Any]", connection.execute(ends.where(filter_condition(chosen, table))).one())
    return None if first is None else (first, last + timedelta(microseconds=1))


def _count(
    connection: sa.Connection, table: sa.Table[PredictionColumns], chosen: PredictionFilter, extent: Span | None
) -> int:
    """Count the predictions, from roll-ups: they are many."""
    return int(aggregates.totals(connection, table, chosen, extent).predictions) if extent else 0


def _count_judged(
    connection: sa.Connection, table: sa.Table[PredictionColumns], chosen: PredictionFilter, extent: Span | None
) -> int:
    """Count the judged answers: those rated from roll-ups, and those that have only a label."""
    if extent is None:
        return 0
    rated = aggregates.totals(connection, table, chosen, extent)
    labelled = table.c.true_label.is_not(None) & table.c.user_feedback.is_(None)
    only_labelled = sa.select(sa.func.count()).where(filter_condition(chosen, table), labelled)
    return int(rated.satisfied + rated.unsatisfied) + connection.execute(only_labelled).scalar_one()


def _buckets(chosen: PredictionFilter, extent: Span) -> tuple[list[datetime], timedelta]:
    """Cut the window into at most about :data:`MAX_POINTS` buckets: their starts, and their width."""
    since, until = chosen.start or extent[0], chosen.end or extent[1]
    width = timedelta(seconds=bucket_seconds((until - since).total_seconds() * MAX_BUCKETS / MAX_POINTS))
    first = round_down(since, width)
    return [first + number * width for number in range(-((first - until) // width))], width


def _bucket(start: datetime, judged: accuracy.JudgedAccuracy, estimated: accuracy.EstimatedAccuracy) -> AccuracyBucket:
    unlabelled = estimated.by_bucket.get(start)
    return AccuracyBucket(
        start=iso(start),
        judged=judged.by_bucket.get(start, accuracy.NO_ACCURACY),
        estimated=unlabelled.estimated if unlabelled else accuracy.NO_ACCURACY,
    )


def _versions(judged: accuracy.JudgedAccuracy, estimated: accuracy.EstimatedAccuracy) -> list[VersionFigures]:
    by_size = sorted(estimated.by_version.items(), key=lambda item: -item[1].n)
    return [
        VersionFigures(
            model_version=version,
            share=unlabelled.n / estimated.total.n,
            judged=judged.by_version.get(version, accuracy.NO_ACCURACY),
            estimated=unlabelled.estimated,
            neither_rate=unlabelled.neither_rate,
            mean_ms=unlabelled.mean_ms,
        )
        for version, unlabelled in by_size[:MAX_VERSIONS]
    ]
