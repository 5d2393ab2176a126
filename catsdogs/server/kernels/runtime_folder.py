"""The folder of a running server: connection files and sockets of its kernels, and the user that these run as.

A server that was killed leaves its folder behind. It is locked as long as its server runs: the next server removes the
folders that are not.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ipykernel
import psutil

import catsdogs

logger = logging.getLogger(__name__)

PREFIX = "catsdogs-run-"
LOCK = "server.lock"
MAX_SOCKET_PATH = 100
"""Length of the path of a socket, in bytes; macOS has 103, Linux 107."""
USER = "nobody"
"""User that kernels run as where the server runs as root."""

Account = tuple[int, int]
"""Numbers of a user and of its group."""


@contextmanager
def runtime_folder() -> Iterator[str]:
    """Create the folder of this server, and remove it in the end; remove those of servers that were killed."""
    parent = _parent()
    _sweep(parent)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
    try:
        with Path(folder, "starting").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            Path(lock.name).rename(Path(folder, LOCK))  # only now: a server that starts, too, would lock it first
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parent() -> Path:
    """Return the folder for temporary files, or ``/tmp`` where a socket's path would be too long there, as on macOS."""
    usual = Path(tempfile.gettempdir())
    longest = usual / f"{PREFIX}12345678" / f"kernel-{uuid.uuid4()}-ipc-5"
    return usual if len(os.fsencode(longest)) < MAX_SOCKET_PATH else Path("/tmp")  # noqa: S108 (mkdtemp makes it private)


def _sweep(parent: Path) -> None:
    """Remove the folders of servers of this user that were killed, and end their kernels."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = folder / LOCK
            if folder.is_symlink() or lock.is_symlink() or lock.stat().st_uid != os.geteuid():
                continue
            with lock.open("r+") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError where its server runs
                _end_kernels(folder)
                shutil.rmtree(folder)
                logger.info("Removed what a server that was killed had left in %s.", folder)


def _end_kernels(folder: Path) -> None:
    """End the kernels whose connection files are in `folder`; those that were forked have ended with their server."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(part.startswith(f"{folder}/") for part in process.cmdline()):
                process.kill()


def kernel_account() -> Account | None:
    """Return the account that kernels run as, or None for the server's own; warn where that is root's."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam(USER)
    numbers = account.pw_uid, account.pw_gid
    if problem := _problem_of(numbers):
        logger.warning(
            "The server runs as root, and so do its kernels, which visitors send messages to: user %s cannot run "
            "Python there (%s). Start catsdogs as a user of its own.",
            USER,
            problem,
        )
        return None
    logger.warning("The server runs as root, its kernels as %s. Start catsdogs as a user of its own.", USER)
    return numbers


def _problem_of(account: Account) -> str | None:
    """Return why a user cannot run kernels, or None."""
    needed = [str(Path(module.__file__ or "").parent) for module in (os, ipykernel, catsdogs)]
    user, group = account
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", "import os, sys; [os.listdir(name) for name in sys.argv[1:]]", *needed],
            user=user,
            group=group,
            extra_groups=[],
            capture_output=True,
            check=False,
            cwd="/",
        )
    except OSError as error:
        return str(error)
    lines = done.stderr.decode(errors="replace").splitlines()
    return lines[-1] if done.returncode and lines else None
