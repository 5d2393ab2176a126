"""The migrations: up and down on a filled database, and two processes at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from catsdogs.database import Database, setup
from catsdogs.settings import Settings


def constraints(connection: sa.Connection) -> set[tuple[str, str, str]]:
    query = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 'catsdogs_version'::regclass"""
    return {(row[0], row[1], row[2]) for row in connection.execute(sa.text(query))}


def test_migrated_tables_are_those_the_code_describes(database: Settings) -> None:
    migrated = Database(database)
    options = {"version_table": setup.VERSION_TABLE, "compare_server_default": True}
    differences = migrated.run(
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts=options), migrated.tables.metadata
        )
    )
    assert differences == []

    expected = migrated.run(constraints)
    migrated.run(migrated.tables.metadata.drop_all)
    migrated.run(migrated.tables.metadata.create_all)
    assert migrated.run(constraints) == expected  # Alembic does not compare CHECK constraints
    migrated.close()
