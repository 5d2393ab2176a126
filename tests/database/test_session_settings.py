"""Time limits and time zone, also through the real PgBouncer, which changes connections with each transaction."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from catsdogs.database import Database, setup
from catsdogs.database.engine import PATIENT
from catsdogs.errors import DatabaseUnavailable
from catsdogs.settings import Settings
from tests.serving import free_port
from tests.waiting import until

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="no pgbouncer found: apt install pgbouncer")
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""


@pytest.fixture(params=["transaction", "session"])
def pooled(request: pytest.FixtureRequest, database: Settings) -> Iterator[Settings]:
    """The settings of a database behind PgBouncer."""
    if database.db_pwd is not None and database.db_pwd.get_secret_value():
        pytest.skip("PgBouncer would need the password of the external server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        file = Path(folder, "pgbouncer.ini")
        file.write_text(
            CONFIGURATION.format(
                host=database.db_host,
                port=database.db_port,
                user=database.db_user,
                listen_port=port,
                mode=request.param,
                size=2 if request.param == "transaction" else 20,
            )
        )
        owner = Path(str(database.db_host)).stat()  # PgBouncer does not run as root, and the socket is private
        account: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
        Path(folder).chmod(0o755)
        process = subprocess.Popen(
            [str(PGBOUNCER), "--quiet", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account
        )
        behind = database.model_copy(update={"db_host": "127.0.0.1", "db_port": port})

        def answers() -> bool:
            assert process.poll() is None
            psycopg2.connect(host="127.0.0.1", port=port, user=behind.db_user, dbname=behind.db_name).close()
            return True

        until(answers, timeout=20, retry_on=psycopg2.OperationalError)
        yield behind
        process.terminate()
        process.wait(timeout=20)


def value(database: Database, name: str) -> str:
    return database.run(lambda connection: str(connection.scalar(sa.text(f"SHOW {name}"))))


@needs_pgbouncer
def test_behind_pgbouncer_each_transaction_has_its_limits(pooled: Settings) -> None:
    database, strict = Database(pooled), Database(pooled)
    limits = replace(PATIENT, statement_seconds=0.2)
    try:
        assert setup.check(database).ready
        assert [value(database, name) for name in ("statement_timeout", "lock_timeout", "timezone")] == [
            "30s",
            "5s",
            "UTC",
        ]
        with pytest.raises(DatabaseUnavailable, match="took too long"):
            strict.run(lambda connection: connection.execute(sa.text("SELECT pg_sleep(5)")), limits)
        # more transactions at the same time than PgBouncer has connections, which pass from one pool to the other
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(value(database, "statement_timeout"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["30s"] * 8
        now = database.run(lambda connection: connection.scalar(sa.text("SELECT now()")))
        assert now.utcoffset() == timedelta()
    finally:
        database.close()
        strict.close()


@needs_pgbouncer
def test_tables_are_made_behind_pgbouncer(pooled: Settings, administration: sa.Connection) -> None:
    """PgBouncer has every new client wait for a database that is missing, so that one has to be there."""
    name = f"{pooled.db_name}_new"
    administration.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    database = Database(pooled.model_copy(update={"db_name": name}))
    try:
        setup.ensure(database)
        assert setup.check(database).ready
    finally:
        database.close()
        administration.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_without_pgbouncer_a_connection_starts_with_its_settings(database: Settings) -> None:
    opened = Database(database)
    try:
        assert [value(opened, name) for name in ("statement_timeout", "timezone")] == ["30s", "UTC"]
        with opened.engine.connect() as connection:
            options = connection.connection.driver_connection.info.dsn_parameters["options"]  # type: ignore[union-attr]
        assert "statement_timeout=30000" in options  # no statement of its own is needed
    finally:
        opened.close()
