"""The folder in which a version is made: reserved for one process, hidden until it is complete, and cleared in the end.

::

    MODELS/
        .NAME.lock            locked as long as a process makes the version NAME
        .NAME.1f0c9a2b.tmp    its files, until they are complete
        NAME                  the version
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from catsdogs.errors import InvalidInput, ModelError

_LOCK, _DRAFT = re.compile(r"\.(.+)\.lock"), re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")


@contextmanager
def reserve(target: Path) -> Iterator[None]:
    """Keep the name of a version for this process, as long as it trains; remove what ended trainings have left.

    Raises
    ------
    InvalidInput
        Another training of that name is running.
    ModelError
        The version cannot be written.
    """
    lock = _lock_file(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent)
        stream = _acquire(lock)
    except OSError as error:
        raise _unwritable(target, error) from error
    if stream is None:
        raise InvalidInput(
            "A model version {version} is being trained already. Choose another name, or wait.", version=target.name
        )
    with stream:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


@contextmanager
def unpublished_folder(target: Path) -> Iterator[Path]:
    """Create a hidden folder beside `target`; remove it at the end, unless it was renamed to `target`.

    Raises
    ------
    ModelError
        The version cannot be written.
    """
    folder = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(models: Path) -> None:
    """Remove the hidden folders and locks of versions that no living process makes: a killed one cannot do so."""
    drafts: dict[str, list[Path]] = {}
    for path in models.iterdir():
        if path.is_dir() and (match := _DRAFT.fullmatch(path.name)):
            drafts.setdefault(match[1], []).append(path)
        elif match := _LOCK.fullmatch(path.name):
            drafts.setdefault(match[1], [])
    for version, folders in drafts.items():
        lock = _lock_file(models / version)
        with suppress(OSError):  # another user's
            if stream := _acquire(lock):
                with stream:
                    for folder in folders:
                        shutil.rmtree(folder, ignore_errors=True)
                    lock.unlink()


def _acquire(lock: Path) -> IO[str] | None:
    """Open and lock a file, until the stream is closed; ``None`` if another process has locked it."""
    while True:
        stream = lock.open("w")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                return stream
        except BlockingIOError:
            stream.close()
            return None
        except FileNotFoundError:
            pass
        stream.close()  # who held the lock has removed the file meanwhile


def _lock_file(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _unwritable(target: Path, error: OSError) -> ModelError:
    return ModelError("The model cannot be written to {folder}: {reason}.", folder=target.parent, reason=error.strerror)
