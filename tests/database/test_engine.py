"""Every failure of the database becomes one of our errors, with no secret and nothing personal in it."""

from __future__ import annotations

import os
import resource
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.exc import ProgrammingError

from catsdogs.database import Database, setup
from catsdogs.database.embedded import USER, EmbeddedServer
from catsdogs.errors import DatabaseError, DatabaseUnavailable, NotFound
from catsdogs.settings import Settings

PASSWORD = "p@ss:w/rd%20?#[é]& '\"\\"


def execute(statement: str) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.execute(sa.text(statement))


@pytest.fixture
def guarded(server: EmbeddedServer) -> Settings:
    """Settings for a server that asks for a password with every special character."""
    quoted = PASSWORD.replace("'", "''")
    settings = Settings(_env_file=None, db_host=str(server.socket_dir), db_user=USER, db_name="postgres")
    administrator = Database(settings)
    administrator.run(execute(f"CREATE ROLE guest LOGIN CREATEDB PASSWORD E'{quoted.replace(chr(92), chr(92) * 2)}'"))
    rules = server.pgdata / "pg_hba.conf"
    rules.write_text("local all guest scram-sha-256\n" + rules.read_text())
    administrator.run(execute("SELECT pg_reload_conf()"))
    administrator.close()
    return settings.model_copy(update={"db_user": "guest", "db_pwd": SecretStr(PASSWORD), "db_name": "guests"})


def test_passwords_may_hold_any_character(guarded: Settings) -> None:
    database = Database(guarded)
    setup.ensure(database)
    assert setup.check(database).ready
    database.close()


def test_no_message_holds_the_password(guarded: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    wrong = f"{PASSWORD}?"
    database = Database(guarded.model_copy(update={"db_pwd": SecretStr(wrong), "db_name": "postgres"}))
    with pytest.raises(DatabaseUnavailable, match="refuses the connection") as refused:
        database.run(execute("SELECT 1"))
    text = "".join(traceback.format_exception(refused.value)) + repr(database.engine) + caplog.text
    assert "guest" in text
    assert wrong not in text
    assert repr(database.settings).count("SecretStr('**********')") == 1


def test_without_a_free_file_descriptor_the_database_is_unavailable(connected: Database) -> None:
    connected.run(execute("SELECT 1"))
    lowest = os.dup(0)
    os.close(lowest)
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, most))
    try:
        with pytest.raises(DatabaseUnavailable, match="Too many open files"):
            connected.run(execute("SELECT 1"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
    connected.run(execute("SELECT 1"))


def test_a_missing_database_is_named(connected: Database) -> None:
    missing = Database(connected.settings.model_copy(update={"db_name": "nowhere"}))
    with pytest.raises(DatabaseUnavailable, match=r'"nowhere" does not exist.*catsdogs db check'):
        missing.run(execute("SELECT 1"))


@pytest.mark.parametrize("host", ["127.0.0.1", "/nonexistent", "host.invalid"])
def test_an_unreachable_server_is_named(database: Settings, host: str) -> None:
    unreachable = Database(database.model_copy(update={"db_host": host, "db_port": 9}))
    with pytest.raises(DatabaseUnavailable, match=f"{host}:9.* cannot be reached"):
        unreachable.run(execute("SELECT 1"))


def test_an_embedded_server_that_was_never_started_is_unavailable(data_dir: Path) -> None:
    long_path = data_dir / ("l" + "o" * 120 + "ng")  # its socket is in a folder of its own
    with pytest.raises(DatabaseUnavailable):
        Database(Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=long_path)).run(execute("SELECT 1"))


@pytest.mark.parametrize("failure", ["connection refused", "FATAL:  the database system is starting up"])
def test_an_embedded_server_has_no_settings_to_check(data_dir: Path, failure: str) -> None:
    embedded = Database(Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=data_dir))
    said = str(embedded.map_error(sa.exc.OperationalError(None, None, Exception(failure))))
    assert said.startswith("The embedded PostgreSQL ")
    assert said.endswith("postgresql/server.log in the data folder.")
    assert "DB_" not in said


def test_missing_tables_are_reported(connected: Database) -> None:
    setup.migrate(connected, "base")
    with pytest.raises(DatabaseUnavailable, match="catsdogs db migrate"):
        connected.run(execute("SELECT * FROM predictions_feedback"))


def test_a_refusal_does_not_quote_the_row(connected: Database) -> None:
    insert = """INSERT INTO predictions_feedback (id, timestamp, success, prediction_result, rgpd_consent, filename)
        VALUES (gen_random_uuid(), now(), false, 'error', false, 'my-secret-holiday.jpg')"""
    with pytest.raises(DatabaseError, match="failure_has_cause") as refused:
        connected.run(execute(insert))
    assert not isinstance(refused.value, DatabaseUnavailable)
    assert "my-secret-holiday" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("has_period", [True, False])
def test_a_statement_that_takes_too_long_is_stopped(connected: Database, has_period: bool) -> None:
    """Who has chosen no period, as `data demo`, is not told to choose a shorter one."""
    slow = execute("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(60)")
    with pytest.raises(DatabaseUnavailable, match="took too long") as stopped:
        connected.run(slow, has_period=has_period)
    assert isinstance(stopped.value.__cause__, sa.exc.OperationalError)
    assert ("shorter period" in str(stopped.value)) is has_period


def test_our_own_errors_roll_the_transaction_back(connected: Database) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE undone (x int)"))
        raise NotFound("There is no such prediction.")

    with pytest.raises(NotFound):
        connected.run(work)
    with pytest.raises(ProgrammingError), connected.engine.connect() as connection:
        connection.execute(sa.text("SELECT * FROM undone"))


def test_times_are_utc_and_statements_have_a_limit(connected: Database) -> None:
    settings = sa.text("SELECT current_setting('timezone'), current_setting('statement_timeout')")
    assert connected.run(lambda connection: connection.execute(settings).one()) == ("UTC", "30s")
