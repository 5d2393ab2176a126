"""A connected database, and a server to be ill-treated."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.database.engine import MAINTENANCE_DATABASE
from catsdogs.settings import Settings


@pytest.fixture
def connected(database: Settings) -> Iterator[Database]:
    """The fresh database of :func:`database`, in use."""
    opened = Database(database)
    yield opened
    opened.close()


@pytest.fixture
def fresh(database: Settings) -> Iterator[Settings]:
    """Settings of a database that does not exist yet."""
    settings = database.model_copy(update={"db_name": f"fresh_{uuid4().hex}"})
    yield settings
    engine = sa.create_engine(Database(database).url(MAINTENANCE_DATABASE), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{settings.db_name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder with a short path (a socket's is limited), for a server of one's own."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Path(folder)


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedServer]:
    """An embedded server of one's own, started."""
    own = EmbeddedServer(data_dir)
    own.start()
    yield own
    own.stop()
