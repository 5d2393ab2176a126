"""A connected database, and embedded servers for tests that stop or damage them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.settings import Settings
from tests.serving import copy_empty_database


@pytest.fixture
def connected(database: Settings) -> Iterator[Database]:
    """The database of :func:`database`, connected."""
    opened = Database(database)
    yield opened
    opened.close()


@pytest.fixture
def fresh(postgresql: Settings, administration: sa.Connection, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database that does not exist yet."""
    settings = postgresql.model_copy(update={"db_name": f"fresh_{uuid4().hex}", "data_dir": tmp_path / "data"})
    yield settings
    administration.exec_driver_sql(f'DROP DATABASE IF EXISTS "{settings.db_name}" WITH (FORCE)')


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for a server of the test; its path is short, because a socket's is limited."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        yield Path(folder)


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedServer]:
    """A running embedded server of the test."""
    copy_empty_database(data_dir)
    own = EmbeddedServer(data_dir)
    own.start()
    yield own
    own.stop()
