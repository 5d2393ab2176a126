"""Records reach the database, or wait in the spool until a thread brings them there."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database, roll_ups, setup
from catsdogs.database.tables import Tables
from catsdogs.domain import Answer
from catsdogs.errors import CatsDogsError, DatabaseError, DatabaseUnavailable, NotFound
from catsdogs.records import feedback, predictions
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.settings import Settings

BATCH = 500
"""Records that one transaction of the replay holds."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between two attempts to reach the database
_IDLE_SECONDS = 30.0  # between two looks for records that another process left in the spool
_REMEMBERED = 10_000

_Record = TypeVar("_Record", PredictionRecord, FeedbackRecord)
_log = logging.getLogger(__name__)


class Recorder:
    """Stores records; threads may share one.

    While the database is away nobody waits for it: records go to the spool at once, and one thread
    knocks, with growing pauses, makes database and tables where they are missing, and replays the spool. While there
    is nothing to replay, it renews the summaries of hours that changed.

    Parameters
    ----------
    database, spool
        Closed by :meth:`close`.
    """

    def __init__(self, database: Database, spool: Spool) -> None:
        self.database = database
        self.spool = spool
        self._away = threading.Event()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._known: OrderedDict[UUID, tuple[Answer, bool]] = OrderedDict()  # answer, and consent to a comment
        self._known_lock = threading.Lock()
        self._thread = threading.Thread(target=self._look_after, name="catsdogs-spool", daemon=True)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Reach the database, and set it up where needed; where it is away, go on without.

        Raises
        ------
        SettingsError
            The data folder cannot be written.
        """
        recorder = cls(Database(settings), Spool.of(settings))
        try:
            setup.ensure(recorder.database)
        except DatabaseError as error:
            recorder._went_away(error)
        recorder._thread.start()
        return recorder

    @property
    def away(self) -> bool:
        """Whether the database is known to be away."""
        return self._away.is_set()

    def store(self, record: PredictionRecord) -> bool:
        """Store a prediction.

        Returns
        -------
        bool
            False where it waits in the spool.

        Raises
        ------
        SpoolError
            It could be kept nowhere.
        """
        if record.replaces is None:
            return self._store(record)
        with self.spool.exclusively():  # or the replay could store the one replaced, after it was deleted
            stored = self._store(record)
            self.spool.remove_anonymous(record.replaces)
        return stored

    def _store(self, record: PredictionRecord) -> bool:
        self._remember(record)
        if not self.away:
            try:
                self.database.run(lambda connection: predictions.store(connection, self.database.tables, [record]))
            except DatabaseError as error:
                self._went_away(error)
            else:
                return True
        self.spool.put_prediction(record)
        self._wake.set()
        return False

    def give(self, record: FeedbackRecord) -> bool:
        """Store a feedback.

        Returns
        -------
        bool
            False where it waits in the spool.

        Raises
        ------
        NotFound, ConsentRequired
        InvalidInput
            It contradicts itself.
        DatabaseUnavailable
            Nobody can say now whether there is consent for the comment.
        SpoolError
            It could be kept nowhere.
        """
        if not self.away:
            try:
                return self._give_to_database(record)
            except DatabaseUnavailable as error:
                self._went_away(error)
        self._check_unseen(record)
        self.spool.put_feedback(record)
        self._wake.set()
        return False

    def reachable(self) -> bool:
        """Ask the database for a sign of life."""
        if self.away:
            return False
        try:
            self.database.run(lambda connection: connection.scalar(sa.select(1)))
        except DatabaseError as error:
            self._went_away(error)
            return False
        return True

    def replay(self) -> int:
        """Bring what waits in the spool to the database.

        Returns
        -------
        int
            Number of records stored.

        Raises
        ------
        DatabaseError, SpoolError
        """
        stored = 0
        with self.spool.exclusively():
            # Listed first and stored last: whoever sees a feedback here sees its prediction there.
            given = self.spool.feedback()
            for batch in _batches(self.spool.predictions()):
                records = list(self.spool.read(batch, PredictionRecord))
                stored += self._store_batch(records, predictions.store)
            for batch in _batches(given):
                stored += self._store_batch(list(self.spool.read(batch, FeedbackRecord)), feedback.replay)
        return stored

    def close(self) -> None:
        """Stop the thread, and leave the database; what waits stays in the spool."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self.database.close()

    def forget(self, identifiers: Iterable[UUID]) -> None:
        """Remember no consent for these predictions: what it was for has been erased."""
        with self._known_lock:
            for identifier in identifiers:
                self._known.pop(identifier, None)

    def _give_to_database(self, record: FeedbackRecord) -> bool:
        def work(connection: sa.Connection) -> None:
            feedback.give(connection, self.database.tables, record)

        try:
            self.database.run(work)
        except NotFound:
            waiting = self.spool.find_prediction(record.prediction_id)
            if waiting is None:
                self.database.run(work)  # replayed between the two looks, or really not there
                return True
            if record.user_comment is not None and not waiting.rgpd_consent:
                raise feedback.comment_refused() from None
            record.check_against(waiting.prediction_result)
            self.spool.put_feedback(record)
            self._wake.set()
            return False
        return True

    def _remember(self, record: PredictionRecord) -> None:
        with self._known_lock:
            self._known[record.id] = record.prediction_result, record.rgpd_consent
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def _check_unseen(self, record: FeedbackRecord) -> None:
        """Check a feedback by what is known here of its prediction, while the database cannot be asked."""
        waiting = self.spool.find_prediction(record.prediction_id)  # first: what was withdrawn shows there
        with self._known_lock:
            remembered = self._known.get(record.prediction_id)
        answer, allowed = (waiting.prediction_result, waiting.rgpd_consent) if waiting else remembered or (None, None)
        if record.user_comment is not None:
            if allowed is None:
                raise DatabaseUnavailable(
                    "The database is away, so nobody can see whether you agreed to keep your comment. "
                    "Try again later, or send the rating alone."
                )
            if not allowed:
                raise feedback.comment_refused()
        if answer:
            record.check_against(answer)

    def _went_away(self, error: DatabaseError) -> None:
        """Turn to the spool; a mere refusal of one record is logged, and met again in the replay."""
        if not isinstance(error, DatabaseUnavailable) and self._thread.is_alive():
            _log.error("the database refused a record: %s", error)
        elif not self.away:
            _log.warning("records wait in the spool: %s", error)
            self._away.set()
        self._wake.set()

    def _look_after(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            if self._stopping.is_set():  # looked at after the clearing, which may have cleared close()'s call
                return
            try:
                if self.away:
                    setup.ensure(self.database)
                    self._away.clear()
                    _log.warning("the database is back")
                if len(self.spool) and (stored := self.replay()):
                    _log.warning("stored %d records that waited", stored)
            except Exception as error:  # noqa: BLE001 (whatever it is: without this thread the spool would only grow)
                if not isinstance(error, CatsDogsError | OSError):
                    _log.exception("the spool cannot be replayed")
                if isinstance(error, DatabaseError):
                    self._went_away(error)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                if not self._summarise():
                    self._wake.wait(_IDLE_SECONDS)

    def _summarise(self) -> bool:
        """Count some hours anew, and say whether there are more; no record depends on it, so a failure can wait."""
        try:
            return self.database.run(lambda connection: roll_ups.refresh(connection, self.database.tables))
        except DatabaseError as error:
            _log.debug("the summaries cannot be renewed yet: %s", error)
            return False

    def _store_batch(
        self,
        batch: list[tuple[Path, _Record]],
        store: Callable[[sa.Connection, Tables, list[_Record]], None],
    ) -> int:
        """Store a batch in one transaction; find what is refused in it by halving, and set that aside."""
        if not batch:
            return 0
        records = [record for _, record in batch]
        try:
            self.database.run(lambda connection: store(connection, self.database.tables, records))
        except DatabaseUnavailable:
            raise
        except DatabaseError as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                return self._store_batch(batch[:middle], store) + self._store_batch(batch[middle:], store)
            self.spool.set_aside(batch[0][0], f"was refused ({error})")
            return 0
        self.spool.remove(path for path, _ in batch)
        return len(batch)


def _batches(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), BATCH):
        yield paths[start : start + BATCH]
