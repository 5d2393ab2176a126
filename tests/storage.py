"""Database and spool, with their writers, without a service and its model."""

from __future__ import annotations

from typing import NamedTuple, Self
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.records.replay import SpoolReplayer
from catsdogs.records.spool import Spool
from catsdogs.records.writer import RecordWriter
from catsdogs.settings import Settings


class Storage(NamedTuple):
    """The objects of a service that store records."""

    database: Database
    spool: Spool
    replayer: SpoolReplayer
    writer: RecordWriter

    @classmethod
    def create(cls, database: Database, spool: Spool) -> Self:
        """Create the objects, without starting the replayer's thread."""
        replayer = SpoolReplayer(database, spool)
        return cls(database, spool, replayer, RecordWriter(database, spool, replayer))

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Create the objects for `settings`, and start the replayer's thread."""
        storage = cls.create(Database(settings), Spool.from_settings(settings))
        storage.replayer.start()
        return storage

    @property
    def is_idle(self) -> bool:
        """Whether the database can be reached, and nothing is left in the spool."""
        return not self.replayer.database_is_away and len(self.spool) == 0

    def rows(self) -> dict[UUID, sa.RowMapping]:
        """Return the rows of predictions by identifier."""
        table = self.database.tables.predictions
        found = self.database.run(lambda connection: connection.execute(sa.select(table)).mappings().all())
        return {row["id"]: row for row in found}

    def close(self) -> None:
        """Stop the replayer, and disconnect from the database."""
        self.replayer.close()
        self.database.close()
