"""PostgreSQL, embedded or external: the connection, the tables, their migrations."""

from catsdogs.database.engine import Database

__all__ = ["Database"]
