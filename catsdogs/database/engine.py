"""The connections to the database: pools, time limits and retries. Errors are mapped by :mod:`.failures`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from catsdogs.database import embedded, failures, postgres, session_settings
from catsdogs.database.deadlines import Deadline, Deadlines
from catsdogs.database.retries import retry_transaction
from catsdogs.database.tables import Tables, tables
from catsdogs.errors import DatabaseError, DatabaseUnavailable
from catsdogs.settings import Settings

MAINTENANCE_DATABASE = "postgres"
"""A database that exists on every server; to create another, connect to it."""


@dataclass(frozen=True)
class TimeLimits:
    """How long a call may take; for the server, 0 is no limit.

    Calls with different limits do not share a pool, so that slow ones do not stop the others.
    """

    statement_seconds: float
    """Time of one statement, after which the server cancels it."""
    lock_seconds: float
    """Time that one statement waits for a lock."""
    connect_seconds: int
    """Time until an address answers, or a connection of the pool is free; libpq takes whole seconds. With the look-up
    of the name, and where the first address is silent, a connection takes up to twice as long."""
    total_seconds: float
    """Time of the whole call, after which it is given up, whether or not the server says anything."""
    connections: int
    """Largest number of connections of the pool."""


BRIEF = TimeLimits(1.5, 1.5, 1, 2.0, 20)
"""For what a person waits for while they predict: after that, the record goes to the spool."""
PATIENT = TimeLimits(30.0, 5.0, 3, 33.0, 10)
"""For everything else: figures, replay, the rights of a person."""
UNLIMITED = TimeLimits(0.0, 0.0, 3, math.inf, 5)
"""For a migration, which may rewrite a large table, or wait until another process has done so."""

_deadlines = Deadlines()
_T = TypeVar("_T")


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
        self._engines: dict[TimeLimits, sa.Engine] = {}
        self._creating = threading.Lock()
        self._running: set[Deadline] = set()
        self.was_silent = False
        """Whether the last call failed because the server said nothing."""
        self._is_ending = False

    @property
    def server_name(self) -> str:
        """Name of the server, for messages."""
        if self._server:
            return "the embedded server"
        return f"{self.settings.db_host}:{self.settings.db_port}"

    @property
    def folders(self) -> list[Path]:
        """Folders on this machine that the server writes to; none of an external server's is known."""
        return [self._server.pgdata, self._server.pgdata / "pg_wal"] if self._server else []

    def start(self) -> None:
        """Start the embedded server if it does not run; safe to repeat, and necessary again after it was killed.

        Raises
        ------
        SettingsError, DatabaseError
        """
        if self._server:
            self._server.start()

    def trim_log(self) -> None:
        """Begin the log of the embedded server anew if it is long."""
        if self._server:
            self._server.trim_log()

    def run(self, work: Callable[[sa.Connection], _T], limits: TimeLimits = PATIENT, *, has_period: bool = False) -> _T:
        """Do `work` in one transaction; repeat it after a transient failure (:mod:`catsdogs.database.retries`).

        Parameters
        ----------
        work
            Safe to repeat: a connection can break after the commit and before the server's reply.
        limits
            How long it may take, with all repetitions.
        has_period
            Whether who asked can choose a shorter period, which the message then says.

        Raises
        ------
        DatabaseUnavailable
            The server cannot be reached, is silent, or cannot do it now.
        RecordRefused
            What `work` writes breaks a rule of the tables.
        DatabaseError
            It refused the statement. No message holds values, which may be personal.
        """
        engine = self._engine_for(limits)
        with time_limit(self._seconds(limits)) as deadline:
            self._running.add(deadline)
            try:
                for attempt in retry_transaction(lambda: deadline.has_passed):
                    with attempt, engine.begin() as connection:
                        result = work(connection)
                self.was_silent = False
            except exc.SQLAlchemyError as error:
                self.was_silent = deadline.has_passed or failures.is_silence(error)
                is_silent = deadline.has_passed and not failures.was_answered(error)
                mapped = failures.no_answer() if is_silent else self.map_error(error, has_period=has_period)
                raise mapped from failures.without_values(error)
            except OSError as error:  # no file descriptor is left to watch the connection with
                raise DatabaseUnavailable(
                    "PostgreSQL cannot do this now: {reason}.", reason=error.strerror or type(error).__name__
                ) from error
            finally:
                self._running.discard(deadline)
        return result

    def hurry(self) -> None:
        """Have calls end soon, those that run and all later ones: this process is about to end."""
        self._is_ending = True
        for deadline in list(self._running):
            deadline.shorten(BRIEF.total_seconds)

    def _seconds(self, limits: TimeLimits) -> float:
        """Return the time for a call: no one waits long for a server that was silent a moment ago."""
        if self._is_ending or (self.was_silent and limits is not UNLIMITED):
            return min(limits.total_seconds, BRIEF.total_seconds)
        return limits.total_seconds

    @property
    def engine(self) -> sa.Engine:
        """Connection pool of patient calls. Prefer :meth:`run`, which retries and maps errors."""
        return self._engine_for(PATIENT)

    def _engine_for(self, limits: TimeLimits) -> sa.Engine:
        with self._creating:
            if limits not in self._engines:
                self._engines[limits] = create_engine(self.url(self.settings.db_name), limits)
            return self._engines[limits]

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

    def map_error(self, error: exc.SQLAlchemyError, *, has_period: bool = False) -> DatabaseError:
        """Map an error of SQLAlchemy to one of :mod:`catsdogs.errors`."""
        server = None if self._server else self.server_name
        return failures.map_error(error, server=server, database=self.settings.db_name, has_period=has_period)

    def close(self) -> None:
        """Close the pools and release the embedded server, which stops with its last user; safe to repeat."""
        while self._engines:
            self._engines.popitem()[1].dispose()
        if self._server:
            self._server.stop()


def time_limit(seconds: float) -> AbstractContextManager[Deadline]:
    """Limit the time of what this thread does with an engine in the ``with`` block."""
    return _deadlines.within(seconds)


def create_engine(url: sa.URL, limits: TimeLimits = PATIENT) -> sa.Engine:
    """Create a connection pool with these limits, in UTC.

    A connection that broke while it was in the pool is found out at its next use, and :meth:`Database.run` repeats the
    transaction with another: to ask the server before each use would cost every call one more message.
    """
    milliseconds = {
        "statement_timeout": int(1000 * limits.statement_seconds),
        "lock_timeout": int(1000 * limits.lock_seconds),
    }
    if math.isfinite(limits.total_seconds):  # a transaction that was given up while the network was cut keeps no locks
        milliseconds["idle_in_transaction_session_timeout"] = int(1000 * limits.total_seconds)
    engine = sa.create_engine(
        url,
        pool_size=5,
        max_overflow=limits.connections - 5,
        pool_timeout=limits.connect_seconds,
        hide_parameters=True,
        executemany_mode="values_plus_batch",  # many rows in one message
        connect_args={
            "connect_timeout": limits.connect_seconds,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "application_name": "catsdogs",
            "client_encoding": "utf8",
        },
    )
    settings = {name: str(value) for name, value in milliseconds.items()}
    session_settings.apply(engine, settings, partial(_connect, 2 * limits.connect_seconds))
    sa.event.listen(engine, "checkout", _deadlines.watch)
    sa.event.listen(engine, "checkin", _deadlines.unwatch)
    return engine


def _connect(seconds: float, connect: Callable[[], Any]) -> Any:
    """Connect, and watch the connection before anything is asked over it."""
    connection = _deadlines.connect(connect, seconds)
    _deadlines.watch(connection)
    return connection
