"""How the settings of a connection, such as its time limits, reach the server: directly, or through PgBouncer.

Usually they are part of the connection's start, which costs nothing. PgBouncer refuses that ("unsupported startup
parameter"), and may give each transaction another connection to the server: there, they are set at the beginning of
each transaction, and for it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import psycopg2
import sqlalchemy as sa

_TIMEZONE = {"timezone": "UTC"}
_REFUSED = "unsupported startup parameter"


def apply(engine: sa.Engine, settings: Mapping[str, str], open_connection: Callable[[Callable[[], Any]], Any]) -> None:
    """Give all connections of an engine these settings, and UTC as their time zone.

    Parameters
    ----------
    settings
        Values by the names of PostgreSQL's settings.
    open_connection
        Calls a function that connects, and returns the connection.
    """
    options = " ".join(f"-c {name}={value}" for name, value in {**settings, **_TIMEZONE}.items())
    assignments = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in {**settings, **_TIMEZONE}.items())
    behind_pgbouncer = False

    def connect(_dialect: object, _record: object, arguments: Any, named: Any) -> Any:
        nonlocal behind_pgbouncer
        if not behind_pgbouncer:
            try:
                return open_connection(lambda: psycopg2.connect(*arguments, **named, options=options))
            except psycopg2.OperationalError as error:
                if _REFUSED not in str(error):
                    raise
                behind_pgbouncer = True
        return open_connection(lambda: psycopg2.connect(*arguments, **named))

    def begin(connection: sa.Connection) -> None:
        if behind_pgbouncer:
            connection.exec_driver_sql(assignments)

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "begin", begin)
