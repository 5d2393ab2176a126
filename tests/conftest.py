"""Fixtures shared by the tests of several packages. Those of one package are in the `conftest.py` of its folder."""

from __future__ import annotations

import gc
import io
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2  # noqa: F401 (before any test imports TensorFlow, see catsdogs.model.runtimes)
import pytest
import skimage.data
import sqlalchemy as sa
from PIL import Image

from catsdogs.database import Database, embedded, postgres, setup
from catsdogs.database.engine import MAINTENANCE_DATABASE
from catsdogs.domain import Answer, Consent, Prediction
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.records.consents import ConsentRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.interface import NO_CONSENT
from catsdogs.settings import Settings
from tests.rows import AGREES, InsertRows, Row
from tests.serving import Launch, RunningServer, launching
from tests.storage import Storage

REPOSITORY = Path(__file__).parent.parent

# A shell starts background jobs with SIGINT ignored, and all processes that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


SLOW_FILES = ("tests/training/", "tests/cli/test_train.py", "tests/notebooks/test_train.py", "tests/test_benchmarks.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slow files, so that at the end no process waits for another one."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW_FILES))


def pytest_collection_finish() -> None:
    """Let the garbage collector not look again and again at what was imported: it stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos (``train/ val/ neither/ neither_web/``); without it, the test is skipped."""
    folder = Path(os.environ.get("CATSDOGS_TEST_PHOTOS", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "val" / "cat").is_dir():
        pytest.skip(f"no photo set in {folder}: set CATSDOGS_TEST_PHOTOS")
    return folder


@pytest.fixture(scope="session")
def cat_jpeg() -> bytes:
    """A rights-free photo of a cat (Chelsea, CC0), as JPEG, 451 x 300."""
    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(stream, "JPEG", quality=92)
    return stream.getvalue()


SERVERS = ["embedded", "external"] if os.environ.get("TEST_DB_HOST") else ["embedded"]


@pytest.fixture(scope="session", params=SERVERS)
def postgresql(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A running server for the whole session, with a migrated, empty database to copy from.

    The embedded server; if ``TEST_DB_HOST`` is set, also the server that ``TEST_DB_HOST TEST_DB_PORT TEST_DB_USER
    TEST_DB_PWD`` name. In the settings of the embedded server, `db_host` is the folder of its socket. ``TEST_DB_NAME``
    names a database to copy from that stays for the next run.
    """
    template = os.environ.get("TEST_DB_NAME") or f"catsdogs_test_{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        server = embedded.EmbeddedServer(Path(folder))
        if request.param == "embedded":
            server.start()
            address: dict[str, Any] = {
                "db_host": str(server.socket_dir),
                "db_port": postgres.PORT,
                "db_user": embedded.USER,
            }
        else:
            names = {"TEST_DB_HOST": "db_host", "TEST_DB_PORT": "db_port", "TEST_DB_USER": "db_user"}
            address = {setting: os.environ[name] for name, setting in names.items() if name in os.environ}
            address["db_pwd"] = os.environ.get("TEST_DB_PWD", "")
        settings = Settings(_env_file=None, **address, db_name=template, CATSDOGS_DATA_DIR=folder)
        database = Database(settings)
        setup.ensure(database)
        database.close()
        if request.param == "embedded":  # its data need not survive a crash
            with _administration(settings) as connection:
                for setting in ("fsync", "full_page_writes", "autovacuum"):
                    connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
                connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield settings
        if request.param == "embedded":
            server.stop()
        elif "TEST_DB_NAME" not in os.environ:
            with _administration(settings) as connection:
                connection.exec_driver_sql(f'DROP DATABASE "{template}" WITH (FORCE)')


@pytest.fixture(scope="session")
def administration(postgresql: Settings) -> Iterator[sa.Connection]:
    """A connection to the maintenance database, outside of transactions."""
    with _administration(postgresql) as connection:
        yield connection


@contextmanager
def _administration(settings: Settings) -> Iterator[sa.Connection]:
    url = Database(settings).url(MAINTENANCE_DATABASE)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def database(postgresql: Settings, administration: sa.Connection, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh, migrated, empty database and data folder, for one test; ~50 ms.

    Use it as ``Database(database)``, ``Local.open(database)``, or in a child process through :func:`environment`.
    """
    name = f"test_{uuid4().hex}"
    administration.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{postgresql.db_name}" STRATEGY file_copy')
    yield postgresql.model_copy(update={"db_name": name, "data_dir": tmp_path / "data"})
    administration.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def make_record(cat_jpeg: bytes) -> Callable[..., tuple[PredictionRecord, str | None]]:
    """Make a prediction with plausible figures, without a model, and its receipt, if `consent` gives one."""
    prediction = Prediction(Answer.CAT, 0.9, 0.1, 0.02, "test-1", 3.5)
    statistics = ImageStatistics(451, 300, 0.5, 0.01)

    def make(
        consent: Consent = NO_CONSENT, filename: str | None = "chelsea.jpg"
    ) -> tuple[PredictionRecord, str | None]:
        return PredictionRecord.create(prediction, statistics, photo=cat_jpeg, filename=filename, consent=consent)

    return make


@pytest.fixture
def storage(database: Settings) -> Iterator[Storage]:
    """A fresh database and spool, and what writes to them."""
    opened = Storage.open(database)
    yield opened
    opened.close()


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


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    """Start further servers: ``launch(CATSDOGS_MAX_SESSIONS="2")``; they are stopped at the end of the module."""
    with launching() as launch:
        yield launch


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One running server for all tests that can share it: apps, REST API, embedded PostgreSQL, the shipped model."""
    with launching() as launch:
        # all tests come from one address, and a page that a test leaves open counts for 15 seconds more
        yield launch(CATSDOGS_SESSIONS_PER_ADDRESS="100", CATSDOGS_MAX_SESSIONS="100")


@pytest.fixture
def insert_rows(database: Settings) -> Iterator[InsertRows]:
    """Put rows into a fresh database."""
    opened = Database(database)

    def insert_rows(rows: list[Row]) -> Database:
        consents = [
            ConsentRecord.create(AGREES, row["timestamp"])[0].model_copy(update={"id": row["consent_id"]}).model_dump()
            for row in rows
            if row["consent_id"]
        ]
        with opened.engine.begin() as connection:
            for table, found in ((opened.tables.consents, consents), (opened.tables.predictions, rows)):
                if found:
                    connection.execute(sa.insert(table), found)
        return opened

    yield insert_rows
    opened.close()
