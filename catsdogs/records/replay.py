"""Bring records from the spool to the database, once it can be reached again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from catsdogs.database import Database, setup
from catsdogs.database.engine import BRIEF
from catsdogs.database.retries import Backoff
from catsdogs.database.tables import Tables
from catsdogs.errors import CatsDogsError, DatabaseError, DatabaseUnavailable, RecordRefused
from catsdogs.records import consent_changes, erased_receipts, feedback, predictions, set_aside
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.repeated_predictions import stored_under
from catsdogs.records.spool import Spool
from catsdogs.records.spool_files import LOCK_INTERVAL

BATCH_SIZE = 500
"""Largest number of records that one transaction of the replay stores."""
CHECK_SECONDS = 30.0
"""Seconds between two checks for records that another process left in the spool."""

_Record = TypeVar("_Record", PredictionRecord, FeedbackRecord)
_log = logging.getLogger(__name__)


class SpoolReplayer:
    """Replays the spool from a thread of its own, and knows whether the database is away.

    While the database is away, the thread retries with exponential backoff (:mod:`catsdogs.database.retries`). It
    creates database and tables if they are missing, and then stores what is in the spool.

    Parameters
    ----------
    database, spool
        To be closed after the replayer.
    """

    def __init__(self, database: Database, spool: Spool) -> None:
        self._database = database
        self._spool = spool
        self._away = threading.Event()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="catsdogs-spool", daemon=True)

    def start(self) -> None:
        """Set the database up if it can be reached, and start the thread.

        Raises
        ------
        SettingsError
            The data folder cannot be written.
        """
        try:
            setup.ensure(self._database)
        except DatabaseError as error:
            self.report_failure(error)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread; what is in the spool stays there."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def database_is_away(self) -> bool:
        """Whether the last attempt to use the database failed."""
        return self._away.is_set()

    def ping_database(self) -> bool:
        """Return whether records can be stored in the database now."""
        if self.database_is_away:
            return False
        try:
            self._check_writable()
        except DatabaseError as error:
            self.report_failure(error)
            return False
        return True

    def report_failure(self, error: DatabaseError) -> None:
        """Record that a call failed; the database counts as away, unless it only refused this one record."""
        if isinstance(error, RecordRefused):
            _log.error("the database refused a record: %s", error)
        elif not self.database_is_away:
            _log.warning("records wait in the spool: %s", error)
            self._away.set()
        self._wake.set()

    def wake(self) -> None:
        """Have the thread check the spool now."""
        self._wake.set()

    def replay(self) -> int:
        """Store what is in the spool; safe to repeat, and safe in several processes at once.

        The spool is locked for one batch at a time, so that a person who withdraws a consent waits for no more.

        Returns
        -------
        int
            Number of records stored.

        Raises
        ------
        DatabaseError, SpoolError
        """
        stored = 0
        # Listed first and stored last: the prediction of each feedback in this list is stored before it.
        feedback_files = self._spool.feedback_files()
        for batch in _batches(self._spool.prediction_files()):
            with self._spool.locked():
                stored += self._store(list(self._spool.read(batch, PredictionRecord)), _store_predictions)
            self._let_others()
        for batch in _batches(feedback_files):
            with self._spool.locked():
                stored += self._store(self._with_prediction(batch), feedback.apply)
            self._let_others()
        return stored

    def _with_prediction(self, batch: list[Path]) -> list[tuple[Path, FeedbackRecord]]:
        """Read feedbacks; those whose prediction was set aside join it, so that both are stored once it is mended."""
        read = list(self._spool.read(batch, FeedbackRecord))
        aside = set_aside.predictions(self._spool)
        missing = {record.prediction_id for _, record in read if str(record.prediction_id) in aside}
        if missing:
            column = self._database.tables.predictions.c.id
            query = sa.select(column).where(column.in_(missing))
            missing -= set(self._database.run(lambda connection: connection.scalars(query).all()))
        for path, record in read:
            if record.prediction_id in missing:
                self._spool.set_aside(path, "is on a prediction that was set aside")
        return [(path, record) for path, record in read if record.prediction_id not in missing]

    def _let_others(self) -> None:
        """Leave the spool to those who wait for it: they look again after :data:`LOCK_INTERVAL`."""
        time.sleep(2 * LOCK_INTERVAL)

    def _store(
        self,
        batch: list[tuple[Path, _Record]],
        store: Callable[[sa.Connection, Tables, list[_Record]], None],
    ) -> int:
        """Store a batch in one transaction; find a record that can never be stored by bisection, and set it aside.

        Any other failure is raised, and the records stay where they are.
        """
        if not batch:
            return 0
        records = [record for _, record in batch]
        try:
            self._database.run(lambda connection: store(connection, self._database.tables, records))
        except (RecordRefused, ValueError, OverflowError) as error:  # the driver itself refuses some values
            if len(batch) > 1:
                middle = len(batch) // 2
                return self._store(batch[:middle], store) + self._store(batch[middle:], store)
            reason = error if isinstance(error, RecordRefused) else type(error).__name__
            self._spool.set_aside(batch[0][0], f"was refused ({reason})")
            return 0
        self._spool.remove(path for path, _ in batch)
        self._note_return()
        return len(batch)

    def _run(self) -> None:
        backoff = Backoff()
        while True:
            self._wake.clear()
            if self._stopping.is_set():  # checked after clear(), which may have undone the set() of close()
                return
            try:
                self._reconnect_and_replay()
            except Exception as error:  # noqa: BLE001 (whatever it is: without this thread the spool would only grow)
                if not isinstance(error, CatsDogsError | OSError):
                    _log.exception("the spool cannot be replayed")
                if isinstance(error, DatabaseError):
                    self.report_failure(error)
                self._stopping.wait(backoff.next())
            else:
                backoff.reset()
                self._wake.wait(CHECK_SECONDS)

    def _reconnect_and_replay(self) -> None:
        if self.database_is_away:
            setup.ensure(self._database)
            self._check_writable()
        if len(self._spool) and (stored := self.replay()):
            _log.warning("stored %d records that waited", stored)
        self._note_return()

    def _note_return(self) -> None:
        """Record that the database takes records: only now, or every call would meet the same failure again."""
        if self.database_is_away:
            self._away.clear()
            _log.warning("the database is back")

    def _check_writable(self) -> None:
        """Raise DatabaseError if records cannot be stored now: their table is locked, or everything is read-only."""

        def check(connection: sa.Connection) -> None:
            if connection.scalar(sa.text("SHOW transaction_read_only")) == "on":
                raise DatabaseUnavailable("PostgreSQL is read-only now. Records wait until it can be written.")
            table = self._database.tables.predictions.name
            connection.execute(sa.text(f'LOCK TABLE "{table}" IN ROW EXCLUSIVE MODE'))  # as an INSERT does

        self._database.run(check, BRIEF)


def _store_predictions(connection: sa.Connection, tables: Tables, records: list[PredictionRecord]) -> None:
    decided = {record.id: record.decision.receipt_hash for record in records if record.decision}
    erased = erased_receipts.find(connection, tables, set(decided.values()))
    stored = stored_under(connection, tables, set(decided.values()))
    kept = []
    for record in records:
        receipt_hash = decided.get(record.id)
        # another prediction under this code: the same request, which was repeated at another replica, or at once
        if receipt_hash in erased or (receipt_hash and record.id not in stored.setdefault(receipt_hash, {record.id})):
            continue
        kept.append(record)
    for record in predictions.store(connection, tables, kept):
        consent_changes.apply_spooled(connection, tables, record)


def _batches(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), BATCH_SIZE):
        yield paths[start : start + BATCH_SIZE]
