"""The SQL condition of a :class:`~catsdogs.monitoring.prediction_filter.PredictionFilter`."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, FromClause, Table, exists, select, true

from catsdogs.database.demo_ids import is_demo
from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.monitoring.prediction_filter import PredictionFilter

VERSION_AND_ANSWER = (
    "(:model_version IS NULL OR model_version = :model_version) AND (:answer IS NULL OR prediction_result = :answer)"
)
"""The same for model version and answer, in a textual query; see :func:`version_and_answer`."""


def filter_condition(
    prediction_filter: PredictionFilter, rows: FromClause, window: Span | None = None
) -> ColumnElement[bool]:
    """Return the condition that `rows`, with the columns of the table of predictions, pass the filter.

    Parameters
    ----------
    prediction_filter
        Its listing is no part of the condition, see :mod:`catsdogs.monitoring.listings`.
    window
        In place of the filter's own window, and not checked: it may be empty.
    """
    condition: ColumnElement[bool] = true()
    start, end = window or (prediction_filter.start, prediction_filter.end)
    if start:
        condition &= rows.c.timestamp >= start
    if end:
        condition &= rows.c.timestamp < end
    if prediction_filter.model_version is not None:
        condition &= rows.c.model_version == prediction_filter.model_version
    if prediction_filter.of_people:
        condition &= ~is_demo(rows.c.id)
    if prediction_filter.answer is not None:
        condition &= rows.c.prediction_result == prediction_filter.answer
    return condition


def is_mixed(connection: Connection, table: Table[PredictionColumns]) -> bool:
    """Return whether there is demonstration data beside predictions of people."""
    found = is_demo(table.c.id)
    return bool(connection.scalar(select(exists().where(found) & exists().where(~found))))


def version_and_answer(prediction_filter: PredictionFilter) -> dict[str, str | None]:
    """Return the values of the parameters of :data:`VERSION_AND_ANSWER`."""
    return {"model_version": prediction_filter.model_version, "answer": prediction_filter.answer}
