"""The versions of the tables, as Alembic scripts, run by :mod:`catsdogs.database.setup`."""
