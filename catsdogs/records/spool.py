"""A durable queue of records in a folder, used while the database is away.

Each record is a file, written by :func:`catsdogs.files.atomic_write`, as in a maildir. When
:meth:`Spool.put_prediction` or :meth:`Spool.put_feedback` has returned, the record survives a crash of the program and
of the machine. A write that was interrupted before leaves a draft in ``tmp/``. Several processes may add records at the
same time; a process that removes or rewrites records holds the lock (:meth:`Spool.locked`).

A record that cannot be read, or that the database will never store, is set aside: it is moved to ``damaged/``, where
:mod:`catsdogs.records.set_aside` finds it. Whatever else lies in the folders, such as another folder, stops nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from catsdogs.errors import SpoolError
from catsdogs.files import atomic_write
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool_files import (
    blocks,
    is_older,
    list_files,
    lock,
    make_folder,
    read_file,
    unlink_all,
    unused_name,
)
from catsdogs.settings import Settings

_RECOUNT_SECONDS = 2.0  # between two measurements of the space used
_DRAFT_SECONDS = 3600.0  # age of a draft that nobody writes any more
_DELETE_THREADS = 8
LOCK_SECONDS = 40.0
"""Longest wait for the spool: whoever holds it makes one patient call to the database."""

_Record = TypeVar("_Record", bound=BaseModel)
_log = logging.getLogger(__name__)


class Spool:
    """The queue of one data folder.

    Parameters
    ----------
    folder
        Created when first needed, with access for its owner only.
    limit
        Largest space that it may use on disk, in bytes.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._predictions = folder / "predictions"
        self._feedback = folder / "feedback"
        self.damaged = folder / "damaged"
        """Where records are that were set aside."""
        self._tmp = folder / "tmp"
        self._left_out: set[Path] = set()
        self._used = 0
        self._counting = threading.Lock()
        self._counted_at = -_RECOUNT_SECONDS

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the spool in the data folder of the settings."""
        return cls(settings.data_dir / "spool", settings.spool_megabytes * 1_000_000)

    def put_prediction(self, record: PredictionRecord) -> None:
        """Add a prediction, with its consent and photo.

        Raises
        ------
        SpoolError
            The spool, or the disk, is full or cannot be written.
        """
        self._put(self._prediction_file(record.id), record)

    def replace_prediction(self, record: PredictionRecord) -> None:
        """Replace a prediction that waits by a changed one; call it under :meth:`locked`.

        Raises
        ------
        SpoolError
            The spool has no room for what the record has more, or the disk is full or cannot be written.
        """
        path = self._prediction_file(record.id)
        self._put(path, record, replaced=blocks(path.stat().st_size))

    def put_feedback(self, record: FeedbackRecord) -> None:
        """Add a feedback.

        Raises
        ------
        SpoolError
            The spool, or the disk, is full or cannot be written.
        """
        self._put(self._feedback / f"{record.id}.json", record)

    def rewrite(self, path: Path, record: BaseModel) -> None:
        """Replace a record by a smaller one; this is possible in a full spool, too.

        Raises
        ------
        SpoolError
            The disk is full or cannot be written.
        """
        self._write(path, record.model_dump_json(exclude_none=True).encode())

    def prediction_files(self) -> list[Path]:
        """List the files of predictions, oldest first: their names begin with the time (UUIDv7)."""
        return self._queue(self._predictions)

    def feedback_files(self) -> list[Path]:
        """List the files of feedbacks, oldest first."""
        return self._queue(self._feedback)

    def read(self, paths: Iterable[Path], kind: type[_Record]) -> Iterator[tuple[Path, _Record]]:
        """Read records; one that cannot be read is set aside, and reading goes on with the next."""
        for path in paths:
            try:
                record = kind.model_validate_json(read_file(path))
            except FileNotFoundError:  # erased meanwhile
                continue
            except ValidationError as error:
                # The error's own text quotes the record, which may be personal.
                self.set_aside(path, f"cannot be read ({error.error_count()} errors)")
            except OSError as error:
                self.set_aside(path, f"cannot be read ({error.strerror})")
            else:
                yield path, record

    def find_prediction(self, identifier: UUID) -> PredictionRecord | None:
        """Find a prediction in the spool."""
        return next((record for _, record in self.read([self._prediction_file(identifier)], PredictionRecord)), None)

    def remove_prediction(self, identifier: UUID) -> None:
        """Delete a prediction that is stored in the database, or was erased; call it under :meth:`locked`."""
        self.remove([self._prediction_file(identifier)])

    def remove(self, paths: Iterable[Path]) -> None:
        """Delete records that have been stored in the database, or are to be erased.

        Raises
        ------
        SpoolError
        """
        files = list(paths)
        try:
            self._delete(files)
        except OSError as error:
            raise SpoolError("The spool cannot be written: {reason}.", reason=error.strerror) from error
        finally:
            self._counted_at = -_RECOUNT_SECONDS

    def _delete(self, files: list[Path]) -> None:
        with ThreadPoolExecutor(_DELETE_THREADS) as threads:  # a disk with TRIM takes its time for each file
            list(threads.map(unlink_all, (files[start::_DELETE_THREADS] for start in range(_DELETE_THREADS))))

    def set_aside(self, path: Path, reason: str) -> None:
        """Move a record out of the queue into ``damaged/``; where that cannot be done, leave it out from now on."""
        try:
            make_folder(self.damaged)
            path.rename(unused_name(self.damaged / f"{path.parent.name}-{path.name}"))
        except FileNotFoundError:  # erased meanwhile
            return
        except OSError as error:
            self._left_out.add(path)
            _log.error("spooled record %s %s; it cannot be moved either: %s", path.name, reason, error.strerror)
        else:
            _log.error("spooled record %s %s; moved to %s", path.name, reason, self.damaged)

    def left_out(self) -> list[Path]:
        """List the records that were to be set aside, but cannot be moved."""
        return [path for path in sorted(self._left_out) if os.path.lexists(path)]

    def purge_drafts(self) -> int:
        """Delete the drafts of interrupted writes; return their number."""
        abandoned = time.time() - _DRAFT_SECONDS
        old = [path for path in list_files(self._tmp) if is_older(path, abandoned)]
        self.remove(old)
        return len(old)

    @contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the lock for removing and rewriting records; other processes and threads wait for it.

        Raises
        ------
        SpoolError
            Another one holds it for longer than `seconds`, or the folder cannot be written.
        """
        try:
            make_folder(self.folder)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SpoolError("The spool cannot be written: {reason}.", reason=error.strerror) from error
        try:
            lock(descriptor, seconds)
            yield
        finally:
            os.close(descriptor)

    def __len__(self) -> int:
        return len(self.prediction_files()) + len(self.feedback_files())

    @property
    def nearly_full(self) -> bool:
        """Whether nine tenths of the limit are used."""
        with self._counting:
            return self._occupied() > 0.9 * self.limit

    def _queue(self, folder: Path) -> list[Path]:
        return [path for path in list_files(folder) if path not in self._left_out]

    def _prediction_file(self, identifier: UUID) -> Path:
        return self._predictions / f"{identifier}.json"

    def _put(self, path: Path, record: BaseModel, replaced: int = 0) -> None:
        content = record.model_dump_json(exclude_none=True).encode()
        size = blocks(len(content)) - replaced
        with self._counting:
            if size > 0 and self._occupied() + size > self.limit:
                raise SpoolError(
                    "The database cannot be reached, and the {megabytes} MB for records that wait for it are full. "
                    "Try again later.",
                    megabytes=round(self.limit / 1e6),
                )
            self._used += size
        self._write(path, content)

    def _write(self, path: Path, content: bytes) -> None:
        draft = self._tmp / path.name
        try:
            make_folder(draft.parent)
            make_folder(path.parent)
            with atomic_write(path, draft, mode=0o600) as stream:
                stream.write(content)
        except OSError as error:
            raise SpoolError(
                "The database cannot be reached, and the record cannot be written to the disk either: {reason}.",
                reason=error.strerror,
            ) from error

    def _occupied(self) -> int:
        """Return the bytes used on disk: measured now and then for all processes, plus what this one added since."""
        if time.monotonic() - self._counted_at > _RECOUNT_SECONDS:
            used = 0
            for folder in (self._predictions, self._feedback, self.damaged, self._tmp):
                for path in list_files(folder):
                    try:
                        used += blocks(path.stat().st_size)
                    except FileNotFoundError:
                        continue
            self._used, self._counted_at = used, time.monotonic()
        return self._used
