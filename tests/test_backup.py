"""The commands for backups in .github/docs/INSTALL.md do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catsdogs.database import postgres
from catsdogs.database.engine import Database
from catsdogs.settings import Settings

REPOSITORY = Path(__file__).parent.parent
GUIDE = (REPOSITORY / ".github" / "docs" / "INSTALL.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", GUIDE[GUIDE.index("## Backup") :], re.DOTALL | re.MULTILINE)
SAVE_FILES, RESTORE_FILES, SAVE_DATABASE, RESTORE_DATABASE = BLOCKS


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], None]:
    """Run commands of the guide in a folder that has `.venv/bin`."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    path = f"{postgres.program_folder()}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}

    def execute(commands: str) -> None:
        done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    return execute


def test_files(run: Callable[[str], None], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_TOKEN=secret")
    (tmp_path / "data" / "spool").mkdir(parents=True)
    (tmp_path / "data" / "spool" / "1").write_text("a record")
    run(SAVE_FILES)
    assert (tmp_path / "catsdogs-backup.tgz").stat().st_mode & 0o77 == 0
    (tmp_path / ".env").unlink()
    (tmp_path / "data" / "spool" / "2").write_text("a later one")
    run(RESTORE_FILES.replace("make app", "true"))
    assert (tmp_path / ".env").read_text() == "API_TOKEN=secret"
    assert [path.name for path in (tmp_path / "data" / "spool").iterdir()] == ["1"]


def test_database(run: Callable[[str], None], database: Settings, tmp_path: Path) -> None:
    if not str(database.db_host).startswith("/"):  # the programs have the version of the embedded server
        pytest.skip("pg_restore of a newer version sets what an older server does not know")
    values = {name.upper(): getattr(database, name) for name in ("db_host", "db_port", "db_name", "db_user")}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    with Database(database).engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept AS SELECT 1 AS value")
    run(SAVE_DATABASE)
    assert (tmp_path / "catsdogs.dump").stat().st_mode & 0o77 == 0
    with Database(database).engine.begin() as connection:
        connection.exec_driver_sql("UPDATE kept SET value = 2")
    create, restore = RESTORE_DATABASE.split("\n", maxsplit=1)
    assert create.endswith("catsdogs db create")  # tested elsewhere
    run(restore)
    with Database(database).engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT value FROM kept").scalar() == 1
