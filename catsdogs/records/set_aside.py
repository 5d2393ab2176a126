"""Records that were set aside: they could not be read, or the database will never store them as it is now.

They lie in ``spool/damaged``, within reach of erasure and purge. What caused it can be mended: newer tables refuse a
record until this catsdogs is updated, too, and a person can correct a file. Then :func:`requeue` has them stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from catsdogs.errors import SpoolError
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.records.spool_files import is_older, list_files, make_folder, read_file, unused_name

_KINDS: dict[str, type[BaseModel]] = {"predictions": PredictionRecord, "feedback": FeedbackRecord}
_IDENTIFIER = 36  # characters of a UUID

_log = logging.getLogger(__name__)


def count(spool: Spool) -> int:
    """Count the records that were set aside."""
    return len(_files(spool))


def predictions(spool: Spool) -> set[str]:
    """Return the identifiers of the predictions that were set aside, as they stand in the names of their files."""
    names = (path.name.removeprefix("predictions-") for path in list_files(spool.damaged))
    return {name[:_IDENTIFIER] for name in names}


def requeue(spool: Spool) -> tuple[int, int]:
    """Put the records back into the queue, except those that cannot be read.

    Returns
    -------
    tuple of int
        Number of records put back, and of those left.

    Raises
    ------
    SpoolError
    """
    returned = left = 0
    with spool.locked():
        for path in list_files(spool.damaged):
            folder, _, name = path.name.partition("-")
            if _is_readable(path, folder):
                try:
                    make_folder(spool.folder / folder)
                    path.rename(unused_name(spool.folder / folder / name))
                except OSError as error:
                    raise SpoolError("The spool cannot be written: {reason}.", reason=error.strerror) from error
                returned += 1
            else:
                left += 1
    return returned, left


def find(spool: Spool, mentioning: Iterable[str]) -> list[Path]:
    """List the files that contain one of these texts, whether or not they are complete records."""
    wanted = [text.encode() for text in mentioning]
    found = []
    for path in _files(spool):
        try:
            content = read_file(path)
        except OSError as error:
            _log.warning("%s cannot be searched: %s", path, error.strerror)
            continue
        if any(text in content for text in wanted):
            found.append(path)
    return found


def read(spool: Spool, mentioning: Iterable[str]) -> list[BaseModel]:
    """Read the complete records among the files that contain one of these texts."""
    found = ((path.name.partition("-")[0], path) for path in find(spool, mentioning))
    return [_KINDS[kind].model_validate_json(read_file(path)) for kind, path in found if _is_readable(path, kind)]


def purge(spool: Spool, before: float) -> int:
    """Delete the files that are older than `before` (seconds since 1970); return their number."""
    old = [path for path in list_files(spool.damaged) if is_older(path, before)]
    spool.remove(old)
    return len(old)


def _files(spool: Spool) -> list[Path]:
    """List the records that were set aside, with those that could not be moved."""
    return [*list_files(spool.damaged), *spool.left_out()]


def _is_readable(path: Path, kind: str) -> bool:
    try:
        _KINDS[kind].model_validate_json(read_file(path))
    except (KeyError, OSError, ValidationError):
        return False
    return True
