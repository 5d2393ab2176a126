"""A sample of the predictions of a window, where there are more than a figure needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from catsdogs.database.tables import PredictionColumns

ENOUGH = 20_000
"""Predictions: the 95 % interval of a share is then at most 1.4 % wide."""

Condition = Callable[[sa.FromClause], sa.ColumnElement[bool]]
"""Says of rows with the columns of the table of predictions which are meant."""


class Sample(NamedTuple):
    """Some predictions of a window, or all of them."""

    rows: sa.CTE
    """With the columns of the table of predictions."""
    whole: bool


def sample(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    condition: Condition,
    enough: int = ENOUGH,
    name: str = "sample",
) -> Sample:
    """Take about `enough` of the predictions that meet `condition`, or all where they are not many more.

    Whole pages of the table are drawn (``TABLESAMPLE SYSTEM``), the same ones as long as it stays: the time taken does
    not grow with the window, and figures do not flicker.
    """
    query = sa.select(table).where(condition(table))
    estimate = _estimated_rows(connection, query)
    whole = estimate <= 2 * enough
    if not whole:
        drawn = table.tablesample(sa.func.system(100 * enough / estimate), seed=sa.literal(0), name="drawn")
        query = sa.select(drawn).where(condition(drawn))
    return Sample(query.cte(name).prefix_with("MATERIALIZED"), whole)


def _estimated_rows(connection: sa.Connection, query: sa.Select[Any]) -> int:
    """Ask the planner, which looks at its statistics, not at the rows."""
    compiled = query.compile(connection)
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar_one()
    return int(explained[0]["Plan"]["Plan Rows"])
