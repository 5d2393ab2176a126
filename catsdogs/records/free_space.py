"""Whether there is room on the disks that records are written to: the data folder's, the spool's, PostgreSQL's."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

LEAST_BYTES = 256 * 1024**2
"""Free space below which a disk counts as almost full. PostgreSQL writes its log in files of 16 MB, and a photo with
consent takes about 100 kB: from here on, an operator has time for some thousand photos."""
LEAST_FILES = 1000
"""Number of files that a disk must still have room for."""

_log = logging.getLogger(__name__)


def has_room(folders: Iterable[Path]) -> bool:
    """Return whether all these folders have room; of one that does not exist, the nearest folder above is meant.

    A quota is not seen in the free space. So the first folder is also written to.
    """
    existing = [_existing(folder) for folder in folders]
    return all(map(_has_space, dict.fromkeys(existing))) and _is_writable(existing[0])


def _has_space(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError as error:
        _log.warning("the disk of %s cannot be looked at: %s", folder, error.strerror)
        return False
    counts_files = found.f_files > 0
    return found.f_bavail * found.f_frsize >= LEAST_BYTES and (not counts_files or found.f_favail >= LEAST_FILES)


def _is_writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(bytes(4096))
    except OSError as error:
        _log.warning("%s cannot be written: %s", folder, error.strerror)
        return False
    return True


def _existing(folder: Path) -> Path:
    return next((path for path in (folder, *folder.parents) if os.access(path, os.F_OK)), folder)
