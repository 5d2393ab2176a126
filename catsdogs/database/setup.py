"""The three set-up steps of a database: check, create, migrate. Each is safe to repeat."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import exc

from catsdogs.database.engine import MAINTENANCE_DATABASE, PATIENT, UNLIMITED, Database, create_engine, time_limit
from catsdogs.errors import DatabaseError, DatabaseUnavailable

OLDEST_SERVER = 15
"""PostgreSQL releases before this one are not supported."""
VERSION_TABLE = "catsdogs_version"
SLOW_SECONDS = 5.0
"""Time after which a migration that goes on is mentioned."""

_SCRIPTS = "catsdogs.database:migrations"
_DUPLICATE_DATABASE = "42P04"
_INSUFFICIENT_PRIVILEGE = "42501"
_LOCK = 7_228_321_665_102  # an arbitrary number: the advisory lock held during a migration

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class NewerTables(DatabaseError):
    """The tables have a version that this catsdogs does not know."""


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """State of server, database and tables, as :func:`check` found it."""

    server: str
    """Name of the server, for messages."""
    server_version: str | None
    database_exists: bool
    encoding: str | None
    revision: str | None
    """Version of the tables, ``None`` before the first migration."""
    latest: str
    tables: dict[str, bool]
    """For each table, whether it exists."""

    is_newer: bool = False
    """Whether the tables have a version that this catsdogs does not know."""

    @property
    def ready(self) -> bool:
        """Whether nothing is left to set up."""
        return self.database_exists and self.revision == self.latest and all(self.tables.values())


def check(database: Database) -> DatabaseStatus:
    """Check server, database and tables. Changes nothing, but starts the embedded server.

    Raises
    ------
    DatabaseUnavailable
        The server cannot be reached, or refuses the user.
    DatabaseError
        The server is too old, or the database is not in UTF-8.
    """
    database.start()
    exists = _exists(database)
    names = [table.name for table in database.tables.metadata.sorted_tables]
    latest = _scripts().get_current_head() or ""

    def read_status(connection: sa.Connection) -> DatabaseStatus:
        version = str(connection.scalar(sa.text("SHOW server_version")))
        if int(version.split(".")[0]) < OLDEST_SERVER:
            raise DatabaseError(
                "This is PostgreSQL {version}; {oldest} or newer is needed.", version=version, oldest=OLDEST_SERVER
            )
        if not exists:
            return DatabaseStatus(database.server_name, version, False, None, None, latest, dict.fromkeys(names, False))
        encoding = _require_utf8(connection, database.settings.db_name)
        found = set(sa.inspect(connection).get_table_names())
        revision = _revision(connection)
        return DatabaseStatus(
            database.server_name,
            version,
            True,
            encoding,
            revision,
            latest,
            {name: name in found for name in names},
            is_newer=_is_unknown(revision),
        )

    return database.run(read_status) if exists else _run_in_maintenance_database(database, read_status)


def create(database: Database) -> bool:
    """Create the database, in UTF-8, unless it exists.

    Returns
    -------
    bool
        Whether it was created.

    Raises
    ------
    DatabaseError
        The server cannot be reached, or the user may not create databases.
    """
    database.start()
    if _exists(database):
        return False

    def create_database(connection: sa.Connection) -> bool:
        name = connection.dialect.identifier_preparer.quote(database.settings.db_name)
        try:
            # template0: the only template that takes another encoding than the server's own
            connection.execute(sa.text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
        except exc.ProgrammingError as error:
            code = getattr(error.orig, "pgcode", None)
            if code == _INSUFFICIENT_PRIVILEGE:
                raise DatabaseError(
                    "The user {user} may not create databases. "
                    "Have the administrator create {name} in UTF-8, owned by that user.",
                    user=database.settings.db_user,
                    name=database.settings.db_name,
                ) from error
            if code != _DUPLICATE_DATABASE:
                raise
            return False
        except exc.IntegrityError:  # another process has just created it
            return False
        return True

    return _run_in_maintenance_database(database, create_database)


def migrate(database: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate the tables to a version; of several processes, one at a time does it.

    Returns
    -------
    tuple of str or None
        Version before and version after.

    Raises
    ------
    DatabaseError
    """
    database.start()

    def run_migrations(connection: sa.Connection) -> tuple[str | None, str | None]:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        _require_utf8(connection, database.settings.db_name)
        before = _revision(connection)
        scripts = _scripts()
        if _is_unknown(before):
            raise NewerTables(
                "The tables are of version {found}, newer than this catsdogs. Install a newer one.", found=before
            )
        target = str(scripts.as_revision_number(revision) or "")
        config = Config()
        config.set_main_option("script_location", _SCRIPTS)
        config.attributes.update(
            connection=connection, version_table=VERSION_TABLE, table=database.settings.db_table_monitoring
        )
        if target > (before or ""):  # revisions are numbered
            command.upgrade(config, revision)
        elif target < (before or ""):
            command.downgrade(config, revision)
        return before, _revision(connection)

    with _say_that_it_takes_long():
        try:
            return database.run(run_migrations, UNLIMITED)
        except DatabaseUnavailable as error:
            raise (database.run(_missing_right) or error) from error


def _missing_right(connection: sa.Connection) -> DatabaseError | None:
    """Return the error of a user who may not create tables, as is usual from PostgreSQL 15 on; None for others."""
    row = connection.execute(
        sa.text("SELECT current_user, current_schema(), has_schema_privilege(current_schema(), 'CREATE')")
    ).one()
    user, schema, may_create = row
    if schema is None or may_create:
        return None
    quote = connection.dialect.identifier_preparer.quote
    return DatabaseError(
        "The user {user} may not create tables in this database. Have its administrator execute there: "
        "GRANT CREATE ON SCHEMA {schema} TO {quoted};",
        user=user,
        schema=quote(schema),
        quoted=quote(user),
    )


def ensure(database: Database) -> None:
    """Start the server, create the database and migrate the tables, where needed; accept tables of a newer version.

    A migration only adds columns and tables: what an older catsdogs does not write is nullable or has a default. So
    replicas can be updated one after the other, while older ones continue to run and may even be restarted. (What an
    older one must not write any more is refused: a rating that contradicts its label.)

    Raises
    ------
    SettingsError, DatabaseError
    """
    create(database)
    if database.run(_revision) == _scripts().get_current_head():
        return
    try:
        migrate(database)
    except NewerTables as error:
        _log.warning("%s", error)


@contextmanager
def _say_that_it_takes_long() -> Iterator[None]:
    timer = threading.Timer(
        SLOW_SECONDS,
        _log.warning,
        ["the tables are still being migrated: they are large, or another program uses them, and is waited for"],
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return ScriptDirectory.from_config(config)


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _is_unknown(revision: str | None) -> bool:
    return revision is not None and revision not in {script.revision for script in _scripts().walk_revisions()}


def _require_utf8(connection: sa.Connection, name: str) -> str:
    """Raise DatabaseError for another encoding, which could not store every comment; return the encoding."""
    encoding = str(connection.scalar(sa.text("SHOW server_encoding")))
    if encoding != "UTF8":
        raise DatabaseError(
            "The database {name} is in {encoding}, not in UTF-8. "
            "Choose another name with DB_NAME, and run `catsdogs db create`.",
            name=name,
            encoding=encoding,
        )
    return encoding


def _exists(database: Database) -> bool:
    """Return whether the database exists; query the maintenance database only if it cannot be used."""

    def usable() -> bool:
        return database.run(lambda connection: connection.scalar(sa.text("SELECT true"))) is True

    try:
        return usable()
    except DatabaseUnavailable:
        if database.was_silent:
            raise
        named = sa.text("SELECT count(*) FROM pg_database WHERE datname = :name")
        parameters = {"name": database.settings.db_name}
        if not _run_in_maintenance_database(database, lambda connection: connection.scalar(named, parameters)):
            return False
    return usable()  # another process may have created it just now; if not, this raises the refusal of the server


def _run_in_maintenance_database(database: Database, work: Callable[[sa.Connection], _T]) -> _T:
    """Call `work` with a connection to the maintenance database, without a transaction."""
    engine = create_engine(database.url(MAINTENANCE_DATABASE)).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with time_limit(PATIENT.total_seconds), engine.connect() as connection:
            return work(connection)
    except exc.SQLAlchemyError as error:
        raise database.map_error(error) from error
    finally:
        engine.dispose()
