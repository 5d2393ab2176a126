"""The connection to the database: pool, time-outs, retries, and the mapping of every SQLAlchemy error."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from catsdogs.database import embedded, postgres
from catsdogs.database.retries import retry_transaction
from catsdogs.database.tables import Tables, tables
from catsdogs.errors import DatabaseError, DatabaseUnavailable
from catsdogs.settings import Settings

MAINTENANCE_DATABASE = "postgres"
"""A database that exists on every server; to create another, connect to it."""

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 30

_REFUSAL = re.compile(r"FATAL:\s+(.+)")  # libpq gives no SQLSTATE for a refused connection, but this word always
_TLS = re.compile(r"failed: (.*(?:SSL|certificate).*)")  # nor for a connection that was never made
_MISSING = {"42P01", "42703", "3F000"}  # undefined_table, undefined_column, invalid_schema_name

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Database:
    """The database of the settings. Threads may share one; nothing is opened before it is used.

    Parameters
    ----------
    settings
        If `db_host` is set, an external server is used, otherwise the embedded one in `data_dir`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tables: Tables = tables(settings.db_table_monitoring)
        self._server = None if settings.db_host else embedded.EmbeddedServer(settings.data_dir)
        self._engine: sa.Engine | None = None

    @property
    def server_name(self) -> str:
        """Name of the server, for messages."""
        if self._server:
            return "the embedded server"
        return f"{self.settings.db_host}:{self.settings.db_port}"

    def start(self) -> None:
        """Start the embedded server if it does not run; safe to repeat, and necessary again after it was killed.

        Raises
        ------
        SettingsError, DatabaseError
        """
        if self._server:
            self._server.start()

    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Do `work` in one transaction; repeat it after a transient failure (:mod:`catsdogs.database.retries`).

        Parameters
        ----------
        work
            Safe to repeat: a connection can break after the commit and before the server's reply.

        Raises
        ------
        DatabaseUnavailable
            The server cannot be reached.
        DatabaseError
            It refused the statement. The message holds no values, which may be personal.
        """
        try:
            for attempt in retry_transaction():
                with attempt, self.engine.begin() as connection:
                    return work(connection)
        except exc.SQLAlchemyError as error:
            raise self.map_error(error) from _without_values(error)
        raise AssertionError("not reached: the last failure is raised again")

    @property
    def engine(self) -> sa.Engine:
        """Connection pool. Prefer :meth:`run`, which retries and maps errors."""
        if self._engine is None:
            self._engine = create_engine(self.url(self.settings.db_name))
        return self._engine

    def url(self, database: str) -> sa.URL:
        """Return the address of one database of the server."""
        if self._server:
            query = {"host": str(self._server.socket_dir)}
            return sa.URL.create(
                "postgresql+psycopg2", embedded.USER, port=postgres.PORT, database=database, query=query
            )
        settings = self.settings
        password = settings.db_pwd.get_secret_value() if settings.db_pwd else None
        tls = {"sslmode": settings.db_sslmode, "sslrootcert": settings.db_sslrootcert}
        query = {name: str(value) for name, value in tls.items() if value is not None}
        return sa.URL.create(
            "postgresql+psycopg2", settings.db_user, password, settings.db_host, settings.db_port, database, query
        )

    def map_error(self, error: exc.SQLAlchemyError) -> DatabaseError:
        """Map an error of SQLAlchemy to one of :mod:`catsdogs.errors`."""
        code, primary = _diagnosis(error)
        if isinstance(error, exc.TimeoutError):
            return DatabaseUnavailable("The database is too busy. Try again in a moment.")
        if code == "57014":
            return DatabaseError("The database took too long to answer. Choose a shorter period.")
        if isinstance(error, exc.OperationalError | exc.InterfaceError) and code is None:
            if refusal := _REFUSAL.search(str(error.orig)):
                return DatabaseUnavailable(
                    "PostgreSQL ({where}) refuses the connection: {reason}. "
                    "Check the DB_ settings, and run `catsdogs db check`.",
                    where=self.server_name,
                    reason=refusal[1].strip(),
                )
            if problem := _TLS.search(str(error.orig)):
                return DatabaseUnavailable(
                    "PostgreSQL ({where}) cannot be reached over TLS: {reason}. "
                    "Check CATSDOGS_DB_SSLMODE and CATSDOGS_DB_SSLROOTCERT.",
                    where=self.server_name,
                    reason=problem[1].strip(),
                )
            return DatabaseUnavailable(
                "PostgreSQL ({where}) cannot be reached. Check that it runs, and the DB_ settings.",
                where=self.server_name,
            )
        if code in _MISSING:
            return DatabaseUnavailable(
                "The tables of database {name} are missing or old. Run `catsdogs db migrate`.",
                name=self.settings.db_name,
            )
        if isinstance(error, exc.OperationalError | exc.InternalError):
            return DatabaseUnavailable("PostgreSQL cannot do this now: {reason}.", reason=primary)
        return DatabaseError("PostgreSQL refused: {reason}.", reason=primary)

    def close(self) -> None:
        """Close the pool and release the embedded server, which stops with its last user; safe to repeat."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
        if self._server:
            self._server.stop()


def create_engine(url: sa.URL) -> sa.Engine:
    """Create a connection pool with this application's time-outs, in UTC."""
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
        executemany_mode="values_plus_batch",  # many rows in one message
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": 10_000,
            "application_name": "catsdogs",
            "client_encoding": "utf8",
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
        },
    )


def _diagnosis(error: exc.SQLAlchemyError) -> tuple[str | None, str]:
    """Return the SQLSTATE and the primary message, which names constraints but (unlike the detail) no values."""
    original = getattr(error, "orig", None)
    code = getattr(original, "pgcode", None)
    diagnosis = getattr(original, "diag", None)
    return code, getattr(diagnosis, "message_primary", None) or type(error).__name__


def _without_values(error: exc.SQLAlchemyError) -> exc.SQLAlchemyError | None:
    """Return the error as a cause for the log, unless it quotes the refused row."""
    return None if isinstance(error, exc.IntegrityError | exc.DataError) else error
