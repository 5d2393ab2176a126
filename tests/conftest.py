"""Fixtures that every room's tests may ask for. A room's own fixtures live in its folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from catsdogs.settings import Settings

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos (``train/ val/ neither/ neither_web/``), where this machine has it."""
    folder = Path(os.environ.get("CATSDOGS_TEST_PHOTOS", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "val" / "cat").is_dir():
        pytest.skip(f"no photo set in {folder}: set CATSDOGS_TEST_PHOTOS")
    return folder


@pytest.fixture(scope="session")
def cat_jpeg() -> bytes:
    """A rights-free photo of a cat (Chelsea, CC0), as JPEG, 451 x 300."""
    import io

    import skimage.data
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(stream, "JPEG", quality=92)
    return stream.getvalue()


SERVERS = ["embedded", "external"] if os.environ.get("TEST_DB_HOST") else ["embedded"]


@pytest.fixture(scope="session", params=SERVERS)
def postgresql(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A running server for the whole session, with a migrated, empty database to copy from.

    The embedded one, and also the one that ``TEST_DB_HOST TEST_DB_PORT TEST_DB_USER TEST_DB_PWD`` name,
    where they do. The settings reach either over `db_host`, which for the embedded one is its socket's folder.
    """
    import sqlalchemy as sa

    from catsdogs.database import Database, embedded, setup

    template = f"catsdogs_test_{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        server = embedded.EmbeddedServer(Path(folder))
        if request.param == "embedded":
            server.start()
            place = {"db_host": str(server.socket_dir), "db_port": embedded.PORT, "db_user": embedded.USER}
        else:
            names = {"TEST_DB_HOST": "db_host", "TEST_DB_PORT": "db_port", "TEST_DB_USER": "db_user"}
            place = {setting: os.environ[name] for name, setting in names.items() if name in os.environ}
            place["db_pwd"] = os.environ.get("TEST_DB_PWD", "")
        settings = Settings(_env_file=None, **place, db_name=template, CATSDOGS_DATA_DIR=folder)
        database = Database(settings)
        setup.ensure(database)
        if request.param == "embedded":  # nothing here outlives the session: no need to wait for the disk
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
                connection.execute(sa.text("SELECT pg_reload_conf()"))
        database.close()
        yield settings
        _statement(settings, f'DROP DATABASE "{template}" WITH (FORCE)')
        server.stop()


@pytest.fixture
def database(postgresql: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh, migrated, empty database and data folder, for one test; ~50 ms.

    Use it as ``Database(database)``, ``Local.open(database)``, or in a child process through :func:`environment`.
    """
    name = f"test_{uuid4().hex}"
    _statement(postgresql, f'CREATE DATABASE "{name}" TEMPLATE "{postgresql.db_name}"')
    yield postgresql.model_copy(update={"db_name": name, "data_dir": tmp_path / "data"})
    _statement(postgresql, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def environment(database: Settings) -> dict[str, str]:
    """The variables that give a child process the settings of `database`."""
    return os.environ | {
        "DB_HOST": str(database.db_host),
        "DB_PORT": str(database.db_port),
        "DB_NAME": database.db_name,
        "DB_USER": database.db_user,
        "DB_PWD": database.db_pwd.get_secret_value() if database.db_pwd else "",
        "DB_TABLE_MONITORING": database.db_table_monitoring,
        "CATSDOGS_DATA_DIR": str(database.data_dir),
    }


def _statement(settings: Settings, statement: str) -> None:
    """Execute a statement in the maintenance database, outside of a transaction."""
    import sqlalchemy as sa

    from catsdogs.database import Database
    from catsdogs.database.engine import MAINTENANCE_DATABASE

    url = Database(settings).url(MAINTENANCE_DATABASE)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
