"""Single predictions, for who wants to look at them: the latest, the least sure, the disputed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, Table, func, select, true

from catsdogs.database.tables import PredictionColumns
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.figures import LEAST_SURE_OF, Listing, RecentPrediction
from catsdogs.monitoring.kpis import confidence, iso, with_consent
from catsdogs.monitoring.time_windows import Slice

MAX_LISTED = 1000


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
    """List predictions of a window; the least sure are those of its latest :data:`LEAST_SURE_OF`.

    Parameters
    ----------
    table
        Of predictions.
    limit
        1..1000.
    listing
        One of :class:`~catsdogs.monitoring.figures.Listing`.
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
    if model_version is not None:  # an old version's last prediction is found at once; from now on back, it is far
        last = connection.scalar(
            select(func.max(column.timestamp)).where(replace(chosen, answer=None).condition(table))
        )
        chosen = replace(chosen, end=last + timedelta(microseconds=1)) if last else chosen
    wanted = {
        Listing.LATEST: true(),
        Listing.LEAST_SURE: confidence(table).is_not(None),
        Listing.DISPUTED: column.user_feedback == 0,
    }
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
        .where(chosen.condition(table), wanted[Listing(listing)])
        .order_by(column.timestamp.desc(), column.id.desc())
        .limit(LEAST_SURE_OF if listing == Listing.LEAST_SURE else limit)
    )
    if listing == Listing.LEAST_SURE:
        found = latest.subquery()
        latest = select(found).order_by(found.c.confidence, found.c.id).limit(limit)
    return [
        cast(
            "RecentPrediction",
            {**row, "id": str(row["id"]), "timestamp": iso(row["timestamp"])},
        )
        for row in connection.execute(latest).mappings()
    ]


def news(connection: Connection) -> str:
    """Give a text that differs from an earlier one if anything was recorded between.

    It is PostgreSQL's list of transactions that write: reading it costs nothing, and it moves with every writer
    of the server. So it may differ without news, but there is no news without a difference.
    """
    return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
