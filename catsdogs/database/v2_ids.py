"""The integers by which V2 named predictions: its table, which the migration renamed, still has them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database.engine import BRIEF, PATIENT, Database, TimeLimits

ID_COLUMN = "catsdogs_id"
"""Column that the migration adds to V2's table: the `id` in ours."""
_MOST_DIGITS = 18
"""Number of digits that always fit into PostgreSQL's ``bigint``."""


def prediction_id(database: Database, number: str) -> UUID | None:
    """Return the identifier of the prediction that V2 named by an integer; None where there is none."""
    if len(number) > _MOST_DIGITS:
        return None
    found = _select(database, "id = CAST(:number AS bigint)", {"number": number}, BRIEF)
    return found[0][0] if found else None


def numbers(database: Database, identifiers: Collection[str]) -> dict[str, int]:
    """Return V2's integers of those of the predictions that have one."""
    found = _select(
        database, f"{ID_COLUMN} = ANY(CAST(:identifiers AS uuid[]))", {"identifiers": [*identifiers]}, PATIENT
    )
    return {str(identifier): number for identifier, number in found}


def _select(
    database: Database, condition: str, values: dict[str, object], limits: TimeLimits
) -> list[tuple[UUID, int]]:
    table = f"{database.tables.predictions.name}_v2"

    def work(connection: sa.Connection) -> list[tuple[UUID, int]]:
        if connection.scalar(sa.text("SELECT to_regclass(:table)"), {"table": f'"{table}"'}) is None:
            return []
        query = f'SELECT {ID_COLUMN}, id FROM "{table}" WHERE {condition}'  # noqa: S608 (no text of a request)
        return [(row[0], row[1]) for row in connection.execute(sa.text(query), values)]

    return database.run(work, limits)
