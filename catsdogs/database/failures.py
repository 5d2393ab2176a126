"""What each failure of the database means: whether it is tried again, and which of our errors it becomes.

PostgreSQL says why it failed in an SQLSTATE of five characters, of which the first two are its class
(https://www.postgresql.org/docs/current/errcodes-appendix.html). Three answers are told apart:

- *Never*: the record itself breaks a rule of the tables (:data:`NEVER_STORABLE`). Only such a record is set aside.
- *Not now*: a time-out, a deadlock, a server that stops, is full or read-only, missing rights or tables. Whoever
  writes tries again later.
- *A mistake in a statement* of ours: all other codes. Nothing is set aside for it, either.
"""

from __future__ import annotations

import re

from sqlalchemy import exc

from catsdogs.errors import DatabaseError, DatabaseUnavailable, RecordRefused

NEVER_STORABLE = {
    "21",  # cardinality_violation
    "22",  # data_exception: a number out of range, a character that cannot be stored
    "23",  # integrity_constraint_violation: a CHECK, NOT NULL or a key
    "27",  # triggered_data_change_violation
    "44",  # with_check_option_violation
    "54",  # program_limit_exceeded: a text too long for an index
    "P0",  # a trigger of the operator's own refuses it
}
"""Classes of SQLSTATE that mean: this record will be refused again, however often it is tried."""
TRY_AT_ONCE = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
}
"""Codes after which the same transaction is tried again at once, a few times."""
_NOT_NOW = {
    "25006",  # read_only_sql_transaction: a standby, as after a failover
    "42501",  # insufficient_privilege
    "55P03",  # lock_not_available
}
_MISSING = {"42P01", "42703", "3F000"}  # undefined_table, undefined_column, invalid_schema_name
_TOOK_TOO_LONG = "57014"  # query_canceled, by statement_timeout

_REFUSAL = re.compile(r"FATAL:\s+(.+)")  # libpq gives no SQLSTATE for a refused connection, but this word always
_TLS = re.compile(r"failed: (.*(?:SSL|certificate).*)")  # nor for a connection that was never made


def may_be_tried_at_once(error: BaseException) -> bool:
    """Return whether the transaction may succeed if it is tried again at once."""
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "pgcode", None) in TRY_AT_ONCE


def is_silence(error: exc.SQLAlchemyError) -> bool:
    """Return whether a connection could not be made because nobody answered; libpq gives no SQLSTATE for it."""
    return isinstance(error, exc.OperationalError) and "timeout expired" in str(error.orig)


def was_answered(error: exc.SQLAlchemyError) -> bool:
    """Return whether the server itself said why it failed."""
    return _diagnosis(error)[0] is not None


def no_answer() -> DatabaseUnavailable:
    """Return the error of a call in whose time the server said nothing: a shorter period would not help."""
    return DatabaseUnavailable("The database does not answer: it may be frozen or overloaded. Try again later.")


def map_error(
    error: exc.SQLAlchemyError, *, server: str | None, database: str, has_period: bool = False
) -> DatabaseError:
    """Map an error of SQLAlchemy to one of :mod:`catsdogs.errors`.

    Parameters
    ----------
    server, database
        Names for the message; `server` is ``None`` for the one in the data folder, which has no settings.
    has_period
        Whether who asked can choose a shorter period.
    """
    code, primary = _diagnosis(error)
    if isinstance(error, exc.TimeoutError):
        return DatabaseUnavailable("The database is too busy. Try again in a moment.")
    if code is None and isinstance(error, exc.OperationalError | exc.InterfaceError):
        text = str(error.orig)
        return _no_embedded_connection(text) if server is None else _no_connection(text, server)
    if code in _MISSING:
        return DatabaseUnavailable(
            "The tables of database {name} are missing or old. Run `catsdogs db migrate`.", name=database
        )
    if code == _TOOK_TOO_LONG:
        if has_period:
            return DatabaseUnavailable(
                "The database took too long to answer. Choose a shorter period, or try again later."
            )
        return DatabaseUnavailable("The database took too long to answer. Try again later.")
    if code is not None and code[:2] in NEVER_STORABLE:
        return RecordRefused("PostgreSQL refused: {reason}.", reason=primary)
    if code in _NOT_NOW or isinstance(error, exc.OperationalError | exc.InternalError):
        return DatabaseUnavailable("PostgreSQL cannot do this now: {reason}.", reason=primary)
    return DatabaseError("PostgreSQL refused: {reason}.", reason=primary)


def without_values(error: exc.SQLAlchemyError) -> exc.SQLAlchemyError | None:
    """Return the error as a cause for the log, unless it quotes the refused row."""
    return None if isinstance(error, exc.IntegrityError | exc.DataError) else error


def _no_connection(text: str, server: str) -> DatabaseUnavailable:
    if refusal := _REFUSAL.search(text):
        return DatabaseUnavailable(
            "PostgreSQL ({where}) refuses the connection: {reason}. "
            "Check the DB_ settings, and run `catsdogs db check`.",
            where=server,
            reason=refusal[1].strip(),
        )
    if problem := _TLS.search(text):
        return DatabaseUnavailable(
            "PostgreSQL ({where}) cannot be reached over TLS: {reason}. "
            "Check CATSDOGS_DB_SSLMODE and CATSDOGS_DB_SSLROOTCERT.",
            where=server,
            reason=problem[1].strip(),
        )
    return DatabaseUnavailable(
        "PostgreSQL ({where}) cannot be reached. Check that it runs, and the DB_ settings.", where=server
    )


def _no_embedded_connection(text: str) -> DatabaseUnavailable:
    if refusal := _REFUSAL.search(text):
        return DatabaseUnavailable(
            "The embedded PostgreSQL refuses the connection: {reason}. Its log is postgresql/server.log in the data "
            "folder.",
            reason=refusal[1].strip(),
        )
    return DatabaseUnavailable(
        "The embedded PostgreSQL does not run. catsdogs starts it again; if that does not help, its log says why: "
        "postgresql/server.log in the data folder."
    )


def _diagnosis(error: exc.SQLAlchemyError) -> tuple[str | None, str]:
    """Return the SQLSTATE and the primary message, which names constraints but (unlike the detail) no values."""
    original = getattr(error, "orig", None)
    code = getattr(original, "pgcode", None)
    diagnosis = getattr(original, "diag", None)
    return code, getattr(diagnosis, "message_primary", None) or type(error).__name__
