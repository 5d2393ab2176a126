"""Predictions as a pandas DataFrame, for who explores them."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.monitoring.windows import window
from catsdogs.settings import Settings

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


def read_predictions(
    start: datetime | None = None, end: datetime | None = None, *, settings: Settings | None = None
) -> pd.DataFrame:
    """Read the predictions made in ``[start, end)``, oldest first; file names and comments stay where they are.

    Parameters
    ----------
    start, end
        Without a time zone they are taken as UTC; ``None`` for all.
    settings
        Default: those of the environment.

    Returns
    -------
    pandas.DataFrame
        One row a prediction: probabilities and scores 0..1, `inference_time_ms` in milliseconds, `width` and
        `height` in pixels, `timestamp` in UTC. What is not known is missing (``NaN``, ``NA``).

    Raises
    ------
    InvalidInput, SettingsError, DatabaseError
    """
    database = Database(settings or Settings.load())
    table = database.tables.predictions
    query = (
        sa.select(*(table.c[name] for name in _TYPES))
        .where(window(table, start, end))
        .order_by(table.c.timestamp, table.c.id)
    )
    try:
        database.start()
        rows = database.run(lambda connection: connection.execute(query).all())
    finally:
        database.close()
    return pd.DataFrame.from_records(rows, columns=list(_TYPES)).astype(_TYPES)
