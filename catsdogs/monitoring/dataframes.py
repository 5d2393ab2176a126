"""Predictions as a pandas DataFrame, for who explores them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.errors import InvalidInput, SettingsError
from catsdogs.extras import install_command
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition
from catsdogs.settings import Settings

try:
    import pandas as pd
except ImportError as error:
    raise SettingsError("DataFrames need more packages. Run: {command}", command=install_command("lab")) from error

_TYPES = {
    "id": "string",
    "timestamp": "datetime64[us, UTC]",
    "success": "bool",
    "prediction_result": "category",
    "proba_cat": "float64",
    "proba_dog": "float64",
    "neither_score": "float64",
    "inference_time_ms": "float64",
    "user_feedback": "Int8",
    "true_label": "category",
    "rgpd_consent": "bool",
    "model_version": "category",
    "error_type": "category",
    "width": "Int32",
    "height": "Int32",
    "brightness": "float64",
    "sharpness": "float64",
}
"""Columns, none of them personal, and how pandas holds them."""


CHUNK = 50_000
"""Predictions that one query reads: 20 MB of them, in a tenth of the time that queries may take."""


def read_predictions(
    prediction_filter: PredictionFilter = ALL_PREDICTIONS, *, settings: Settings | None = None
) -> pd.DataFrame:
    """Read the predictions that pass a filter, oldest first, without file names and comments.

    A million take about 150 MB; where there are more, prefer :func:`prediction_chunks`.

    Parameters
    ----------
    prediction_filter
        Its listing is ignored.
    settings
        Default: those of the environment.

    Returns
    -------
    pandas.DataFrame
        One row a prediction: probabilities and scores 0..1, `inference_time_ms` in milliseconds, `width` and
        `height` in pixels, `timestamp` in UTC. What is not known is missing (``NaN``, ``NA``).

    Raises
    ------
    SettingsError, DatabaseError
    """
    chunks = list(prediction_chunks(prediction_filter, settings=settings))
    return pd.concat(chunks, ignore_index=True).astype(_TYPES) if chunks else _frame([])


def prediction_chunks(
    prediction_filter: PredictionFilter = ALL_PREDICTIONS,
    *,
    size: int = CHUNK,
    settings: Settings | None = None,
) -> Iterator[pd.DataFrame]:
    """Do as :func:`read_predictions`, `size` rows at a time, so that no more than those are in memory."""
    if size < 1:
        raise InvalidInput("The size of a chunk must be at least 1.")
    database = Database(settings or Settings.load())
    table = database.tables.predictions
    query = (
        sa.select(*(table.c[name] for name in _TYPES))
        .where(filter_condition(prediction_filter, table))
        .order_by(table.c.timestamp, table.c.id)
        .limit(size)
    )
    try:
        database.start()
        rows = _rows(database, query)
        while rows:
            yield _frame(rows)
            seen = sa.tuple_(sa.literal(rows[-1].timestamp), sa.literal(rows[-1].id))
            rows = _rows(database, query.where(sa.tuple_(table.c.timestamp, table.c.id) > seen))
    finally:
        database.close()


def _rows(database: Database, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    return database.run(lambda connection: connection.execute(query).all(), has_period=True)


def _frame(rows: Sequence[sa.Row[Any]]) -> pd.DataFrame:
    return pd.DataFrame.from_records(rows, columns=list(_TYPES)).astype(_TYPES)
