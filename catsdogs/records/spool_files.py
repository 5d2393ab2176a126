"""The files of the spool: which of them are records, and how they are read, locked and deleted."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from catsdogs.errors import SpoolError
from catsdogs.files import private_folder, sync

LARGEST = 16 * 1024**2
"""Largest size of a record, in bytes; one with its photo has a few hundred kB."""
LOCK_INTERVAL = 0.01
"""Seconds between two tries to lock the spool."""
_BLOCK = 4096  # bytes; a file occupies whole blocks on disk

_reported: set[str] = set()
"""Paths in the folders that are no records, and that the log has named."""

_log = logging.getLogger(__name__)


def list_files(folder: Path) -> list[Path]:
    """List the records of a folder, in the order of their names: what is no regular file is none."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_record(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SpoolError(
            "The folder {folder} cannot be read: {reason}.", folder=folder, reason=error.strerror
        ) from error
    return [folder / name for name in sorted(names)]


def read_file(path: Path) -> bytes:
    """Read a regular file that may be a record; a link is not followed, and a pipe is not waited for.

    Raises
    ------
    OSError
        It is something else, is too large to be a record, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        if found.st_size > LARGEST:
            raise OSError(errno.EFBIG, "it is too large")
        return stream.read()


def is_older(path: Path, moment: float) -> bool:
    """Return whether a file was last written before `moment`, in seconds since 1970."""
    try:
        return path.lstat().st_mtime < moment
    except FileNotFoundError:
        return False


def make_folder(folder: Path) -> None:
    """Create the spool's folder or one of its subfolders, durably, with access for its owner only."""
    for part in (folder.parent, folder):
        if not part.is_dir():
            private_folder(part)
            sync(part.parent)


def _is_record(entry: os.DirEntry[str]) -> bool:
    if not entry.name.endswith(".json"):
        return False
    if entry.is_file(follow_symlinks=False):
        return True
    if entry.path not in _reported:
        _reported.add(entry.path)
        _log.error("%s in the spool is no file, and is ignored", entry.path)
    return False


def lock(descriptor: int, seconds: float) -> None:
    """Lock an open file, or raise SpoolError where another holds the lock for longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SpoolError("Other records are being stored just now. Try again in a moment.") from None
            time.sleep(LOCK_INTERVAL)


def unused_name(path: Path) -> Path:
    """Return `path`, or another name beside it where something of that name exists."""
    while os.path.lexists(path):
        path = path.with_stem(f"{path.stem}-{secrets.token_hex(2)}")
    return path


def unlink_all(files: list[Path]) -> None:
    """Delete files, some of which may be gone already."""
    for path in files:
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 (faster)


def blocks(size: int) -> int:
    """Return the number of bytes that a file of this size occupies."""
    return -(-size // _BLOCK) * _BLOCK
