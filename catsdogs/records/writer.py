"""Store predictions and feedback: in the database, or in the spool while the database is away."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.errors import DatabaseError, DatabaseUnavailable, NotFound
from catsdogs.records import feedback, predictions
from catsdogs.records.feedback import FeedbackRecord, KnownPrediction
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.replay import SpoolReplayer
from catsdogs.records.spool import Spool

_REMEMBERED = 10_000  # predictions


class RecordWriter:
    """Stores records; threads may share one.

    While the database is away, no call waits for it: records go to the spool at once.

    Parameters
    ----------
    database, spool
        Where records are stored.
    replayer
        Brings what is in the spool to the database.
    """

    def __init__(self, database: Database, spool: Spool, replayer: SpoolReplayer) -> None:
        self._database = database
        self._spool = spool
        self._replayer = replayer
        self._remembered: OrderedDict[UUID, KnownPrediction] = OrderedDict()
        self._remembered_lock = threading.Lock()

    def store_prediction(self, record: PredictionRecord) -> bool:
        """Store a prediction.

        Returns
        -------
        bool
            False if it waits in the spool.

        Raises
        ------
        SpoolError
            The spool cannot take it either.
        """
        if record.replaces is None:
            return self._store_prediction(record)
        with self._spool.locked():  # a replay at the same time could store the replaced one after its deletion
            stored = self._store_prediction(record)
            self._spool.remove_anonymous(record.replaces)
        return stored

    def store_feedback(self, record: FeedbackRecord) -> bool:
        """Check and store a feedback.

        Returns
        -------
        bool
            False if it waits in the spool.

        Raises
        ------
        NotFound
            There is no such prediction.
        ConsentRequired, InvalidInput, DatabaseUnavailable
            See :func:`catsdogs.records.feedback.check`.
        SpoolError
            The spool cannot take it either.
        """
        prediction = None
        if not self._replayer.database_is_away:
            try:
                if self._apply(record):
                    return True
                prediction = self._find_in_spool(record.prediction_id)
                if prediction is None:
                    if self._apply(record):  # it was replayed between the two queries
                        return True
                    raise NotFound("There is no such prediction.")
            except DatabaseUnavailable as error:
                self._replayer.report_failure(error)
        feedback.check(record, prediction or self._find_without_database(record.prediction_id))
        self._spool.put_feedback(record)
        self._replayer.wake()
        return False

    def forget(self, identifiers: Iterable[UUID]) -> None:
        """Forget the consent to these predictions, because what was kept with it has been erased."""
        with self._remembered_lock:
            for identifier in identifiers:
                self._remembered.pop(identifier, None)

    def _store_prediction(self, record: PredictionRecord) -> bool:
        self._remember(record)
        if not self._replayer.database_is_away:
            try:
                self._database.run(lambda connection: predictions.store(connection, self._database.tables, [record]))
            except DatabaseError as error:
                self._replayer.report_failure(error)
            else:
                return True
        self._spool.put_prediction(record)
        self._replayer.wake()
        return False

    def _apply(self, record: FeedbackRecord) -> bool:
        """Check a feedback and store it in the database; return whether its prediction is there."""
        tables = self._database.tables

        def check_and_apply(connection: sa.Connection) -> bool:
            prediction = feedback.find_prediction(connection, tables, record.prediction_id)
            if prediction is None:
                return False
            feedback.check(record, prediction)
            feedback.apply(connection, tables, [record])
            return True

        return self._database.run(check_and_apply)

    def _find_in_spool(self, identifier: UUID) -> KnownPrediction | None:
        record = self._spool.find_prediction(identifier)
        return _known(record) if record else None

    def _find_without_database(self, identifier: UUID) -> KnownPrediction | None:
        spooled = self._find_in_spool(identifier)  # has priority: another process may have withdrawn consent there
        with self._remembered_lock:
            return spooled or self._remembered.get(identifier)

    def _remember(self, record: PredictionRecord) -> None:
        with self._remembered_lock:
            self._remembered[record.id] = _known(record)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)


def _known(record: PredictionRecord) -> KnownPrediction:
    return KnownPrediction(record.prediction_result, record.rgpd_consent)
