"""The embedded server under stress: many users at once, kill -9, Ctrl-C, unusual folders."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.embedded import LARGEST_LOG, EmbeddedServer
from catsdogs.errors import DatabaseError, SettingsError
from catsdogs.settings import Settings
from tests.serving import copy_empty_database
from tests.waiting import until

USE = """
import sys, time
from catsdogs.database import Database, setup
from catsdogs.settings import Settings
database = Database(Settings.load())
setup.ensure(database)
"""
AND_LEAVE = USE + "database.close()"
AND_STAY = (
    USE
    + """
print("ready", flush=True)
sys.stdin.read()
"""
)
AND_DRAIN = (
    USE
    + """
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    setup.check(database)
    print("drained", flush=True)
database.close()
"""
)


def use(
    program: str, data_dir: Path, *, start_new_session: bool = False, user: int | None = None
) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment | {"CATSDOGS_DATA_DIR": str(data_dir)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=start_new_session,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


def processes_of(data_dir: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(data_dir) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def used_dir(data_dir: Path) -> Path:
    """A data folder in which a server ran before."""
    copy_empty_database(data_dir)
    return data_dir


def answers(data_dir: Path) -> bool:
    database = Database(Settings(_env_file=None, db_host=None, db_name="postgres", CATSDOGS_DATA_DIR=data_dir))
    database.start()
    answered = database.run(lambda connection: connection.scalar(sa.select(1))) == 1
    database.close()
    return answered


def test_processes_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    users = [use(AND_LEAVE, data_dir) for _ in range(6)]
    failures = [user.communicate()[1] for user in users]
    assert [user.returncode for user in users] == [0] * 6, failures
    assert processes_of(data_dir) == []


def test_a_server_continues_while_another_process_uses_it(server: EmbeddedServer) -> None:
    leaving = use(AND_LEAVE, server.data_dir)
    assert leaving.wait() == 0
    assert processes_of(server.data_dir)
    assert answers(server.data_dir)


def test_a_killed_process_does_not_keep_the_server_running(server: EmbeddedServer) -> None:
    killed = use(AND_STAY, server.data_dir)
    assert line_of(killed) == "ready\n"
    killed.kill()
    killed.wait()
    server.stop()
    assert processes_of(server.data_dir) == []


def test_a_server_whose_only_process_was_killed_is_used_again(used_dir: Path) -> None:
    killed = use(AND_STAY, used_dir)
    assert line_of(killed) == "ready\n"
    killed.kill()
    killed.wait()
    assert processes_of(used_dir)
    assert answers(used_dir)
    assert processes_of(used_dir) == []


def test_a_process_that_does_not_close_releases_the_server_at_its_end(used_dir: Path) -> None:
    assert use(USE, used_dir).wait() == 0
    assert processes_of(used_dir) == []


def test_ctrl_c_does_not_reach_the_server(used_dir: Path) -> None:
    user = use(AND_DRAIN, used_dir, start_new_session=True)
    assert line_of(user) == "ready\n"
    os.killpg(user.pid, signal.SIGINT)  # as the terminal does: to the whole foreground group
    assert line_of(user) == "drained\n"
    assert user.wait() == 0
    assert processes_of(used_dir) == []


def test_start_after_kill_9(server: EmbeddedServer) -> None:
    for _ in range(2):
        postmaster = psutil.Process(int((server.pgdata / "postmaster.pid").read_text().split()[0]))
        postmaster.kill()
        postmaster.wait()  # a loaded machine takes its time, and until then it may still answer
        server.start()
        assert answers(server.data_dir)


def test_a_stale_pid_file_with_the_number_of_another_process(used_dir: Path) -> None:
    lines = [str(os.getpid()), str(used_dir / "postgresql"), str(int(time.time())), "5432", str(used_dir), "", "", ""]
    (used_dir / "postgresql" / "postmaster.pid").write_text("\n".join(lines))
    assert answers(used_dir)


@pytest.mark.parametrize("name", ["with space, 'quotes\"$HOME`id`", "é" * 100])
def test_the_data_folder_may_have_any_name(data_dir: Path, name: str) -> None:
    assert answers(data_dir / name)


def test_the_folder_of_another_version_is_refused(data_dir: Path) -> None:
    (data_dir / "postgresql").mkdir()
    (data_dir / "postgresql" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseError, match="holds PostgreSQL 16"):
        EmbeddedServer(data_dir).start()


def test_an_interrupted_creation_is_made_again(data_dir: Path) -> None:
    (data_dir / "postgresql.new" / "base").mkdir(parents=True)
    assert answers(data_dir)


def test_a_folder_that_cannot_be_written_is_named(data_dir: Path) -> None:
    (data_dir / "file").touch()
    with pytest.raises(SettingsError, match="CATSDOGS_DATA_DIR"):
        EmbeddedServer(data_dir / "file" / "data").start()


def test_a_configuration_that_cannot_work_is_a_clear_error(used_dir: Path) -> None:
    (used_dir / "postgresql" / "postgresql.auto.conf").write_text("shared_buffers = nonsense\n")
    with pytest.raises(DatabaseError, match=r"does not start: .*server\.log"):
        EmbeddedServer(used_dir).start()


def test_other_users_cannot_connect_to_the_server(server: EmbeddedServer) -> None:
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    listening = psutil.Process(int((server.pgdata / "postmaster.pid").read_text().split()[0])).net_connections("inet")
    assert listening == []


def test_a_long_path_gets_a_private_socket_folder(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir / ("x" * 120))
    server.start()
    assert server.socket_dir.is_relative_to("/tmp")
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_runs_it_too(data_dir: Path) -> None:
    nobody = 65534
    os.chown(data_dir, nobody, nobody)
    try:
        user = use(AND_LEAVE, data_dir, user=nobody)
    except PermissionError:
        pytest.skip("this Python is for root alone")
    _, failure = user.communicate()
    assert user.returncode == 0, failure
    assert (data_dir / "postgresql").stat().st_uid == nobody


def test_a_long_log_is_begun_anew(used_dir: Path) -> None:
    server = EmbeddedServer(used_dir)
    old = server.log.with_suffix(".log.old")
    server.start()
    server.trim_log()
    assert not old.exists()
    os.truncate(server.log, LARGEST_LOG + 1000)
    server.trim_log()
    assert (old.stat().st_size, server.log.stat().st_size) == (LARGEST_LOG, 0)
    server.stop()
    # PostgreSQL goes on after the new end; it writes its last line while it ends.
    until(lambda: server.log.read_text().endswith("database system is shut down\n"))
    os.truncate(server.log, LARGEST_LOG + 1000)
    server.start()
    assert 0 < server.log.stat().st_size < LARGEST_LOG
    server.stop()


def test_the_log_holds_no_refused_values(server: EmbeddedServer) -> None:
    database = Database(
        Settings(_env_file=None, db_host=str(server.socket_dir), db_user="catsdogs", db_name="postgres")
    )
    with pytest.raises(DatabaseError):
        database.run(lambda connection: connection.execute(sa.text("SELECT 'my-secret-holiday'::int")))
    with pytest.raises(DatabaseError):
        database.run(
            lambda connection: connection.execute(
                sa.text("CREATE TEMP TABLE t (x text CHECK (x = '')); INSERT INTO t VALUES ('my-secret-comment')")
            )
        )
    database.close()
    log = server.log.read_text()
    assert "violates check constraint" in log
    assert "my-secret-comment" not in log
