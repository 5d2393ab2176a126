"""Single predictions, for who wants to look at them: the latest, the least sure, the disputed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, Table, func, select

from catsdogs.database.tables import PredictionColumns
from catsdogs.errors import InvalidInput
from catsdogs.figures import Listing, RecentPrediction
from catsdogs.monitoring.kpis import confidence, iso, with_consent
from catsdogs.monitoring.windows import Slice

MAX_LISTED = 1000
LOOKED_AT = 10_000
"""Predictions that are looked through: of a longer window, the latest."""


def predictions(
    connection: Connection,
    table: Table[PredictionColumns],
    limit: int = 10,
    *,
    listing: str = Listing.LATEST,
    start: datetime | None = None,
    end: datetime | None = None,
    model_version: str | None = None,
    answer: str | None = None,
) -> list[RecentPrediction]:
    """List predictions, among the latest :data:`LOOKED_AT` of a window.

    Parameters
    ----------
    table
        Of predictions.
    limit
        1..1000.
    listing
        One of :class:`~catsdogs.figures.Listing`.
    start, end, model_version, answer
        See :func:`catsdogs.monitoring.kpis.statistics`.

    Raises
    ------
    InvalidInput
        A parameter is out of range.
    """
    if not 1 <= limit <= MAX_LISTED:
        raise InvalidInput("The limit must be between 1 and {most}.", most=MAX_LISTED)
    if listing not in set(Listing):
        raise InvalidInput("The list must be latest, least_sure or disputed.")
    chosen = Slice.of(start, end, model_version, answer)
    column = table.c
    looked_at = replace(chosen, answer=None)
    if model_version is not None:  # an old version's last prediction is found at once; from now on back, it is far
        last = connection.scalar(select(func.max(column.timestamp)).where(looked_at.condition(table)))
        looked_at = replace(looked_at, end=last + timedelta(microseconds=1)) if last else looked_at
    latest = (
        select(
            column.id,
            column.timestamp,
            column.prediction_result,
            column.proba_cat,
            column.proba_dog,
            confidence(table).label("confidence"),
            column.inference_time_ms,
            column.success,
            column.rgpd_consent,
            with_consent(table, "filename"),
            column.user_feedback,
            with_consent(table, "user_comment"),
            column.true_label,
            column.model_version,
        )
        .where(looked_at.condition(table))
        .order_by(column.timestamp.desc(), column.id.desc())
        .limit(LOOKED_AT)
    )
    if listing == Listing.DISPUTED:
        latest = latest.where(column.user_feedback.is_not(None))
    candidates = latest.subquery()
    found = candidates.c
    query = select(candidates).order_by(found.timestamp.desc(), found.id.desc()).limit(limit)
    if chosen.answer:
        query = query.where(found.prediction_result == chosen.answer)
    if listing == Listing.DISPUTED:
        query = query.where(found.user_feedback == 0)
    if listing == Listing.LEAST_SURE:
        query = query.where(found.confidence.is_not(None)).order_by(None).order_by(found.confidence, found.id)
    return [
        cast(
            "RecentPrediction",
            {**row, "id": str(row["id"]), "timestamp": iso(row["timestamp"])},
        )
        for row in connection.execute(query).mappings()
    ]


def news(connection: Connection) -> str:
    """Give a text that differs from an earlier one if anything was recorded between.

    It is PostgreSQL's list of transactions that write: reading it costs nothing, and it moves with every writer
    of the server. So it may differ without news, but there is no news without a difference.
    """
    return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
