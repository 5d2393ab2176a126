"""Lists of single predictions: the latest, those of lowest confidence, and the disputed."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from sqlalchemy import ColumnElement, Connection, Table, func, select, true

from catsdogs.database.probabilities import answer_probability
from catsdogs.database.tables import PredictionColumns
from catsdogs.datetimes import iso
from catsdogs.monitoring.accuracy import is_right
from catsdogs.monitoring.figures import RecentPrediction
from catsdogs.monitoring.kpis import with_consent
from catsdogs.monitoring.prediction_filter import (
    ALL_PREDICTIONS,
    DEFAULT_LISTED,
    LEAST_SURE_OF,
    Listing,
    PredictionFilter,
    check_limit,
)
from catsdogs.monitoring.prediction_filter_sql import filter_condition


def list_predictions(
    connection: Connection,
    table: Table[PredictionColumns],
    prediction_filter: PredictionFilter = ALL_PREDICTIONS,
    limit: int = DEFAULT_LISTED,
) -> list[RecentPrediction]:
    """List predictions that pass a filter; the least sure are those of the window's latest :data:`LEAST_SURE_OF`.

    Parameters
    ----------
    table
        Table of predictions.
    limit
        1..:data:`MAX_LISTED`.

    Raises
    ------
    InvalidInput
        `limit` is out of range.
    """
    limit, listing = check_limit(limit), prediction_filter.listing
    column, condition = table.c, filter_condition(prediction_filter, table)
    if prediction_filter.model_version is not None:
        # an old version's last prediction is found at once by the index; a scan back from now would be long
        any_answer = filter_condition(replace(prediction_filter, answer=None), table)
        last = connection.scalar(select(func.max(column.timestamp)).where(any_answer))
        condition &= column.timestamp <= last if last else true()
    wanted = {
        Listing.LATEST: true(),
        Listing.LEAST_SURE: answer_probability(table).is_not(None),
        Listing.DISPUTED: (column.user_feedback == 0) | _is_contradicted_without_rating(table),
    }
    latest = (
        select(
            column.id,
            column.timestamp,
            column.prediction_result,
            column.proba_cat,
            column.proba_dog,
            answer_probability(table).label("confidence"),
            column.inference_time_ms,
            column.success,
            column.rgpd_consent,
            with_consent(table, "filename"),
            column.user_feedback,
            with_consent(table, "user_comment"),
            column.true_label,
            column.model_version,
        )
        .where(condition, wanted[listing])
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


def _is_contradicted_without_rating(table: Table[PredictionColumns]) -> ColumnElement[bool]:
    """Return the SQL condition that a person gave another label than the answer, which says that it is wrong."""
    return table.c.true_label.is_not(None) & table.c.user_feedback.is_(None) & ~is_right(table)


def change_token(connection: Connection) -> str:
    """Return a text that differs from an earlier one if anything was recorded in between, as an ETag does.

    It is PostgreSQL's snapshot of the transactions that write: cheap to read, and changed by every writer of the
    server. So it may differ although nothing was recorded, but whatever was recorded makes it differ.
    """
    return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())
