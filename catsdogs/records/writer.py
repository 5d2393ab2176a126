"""Store predictions and feedback: in the database, or in the spool while the database is away."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.engine import BRIEF
from catsdogs.domain import PurposeName
from catsdogs.errors import DatabaseError, DatabaseUnavailable, NotFound, SpoolError
from catsdogs.i18n import N_
from catsdogs.records import consent_changes, feedback, predictions
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.consents import hash_receipt
from catsdogs.records.feedback import FeedbackRecord, KnownPrediction
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.repeated_predictions import find_spooled, store_once
from catsdogs.records.replay import SpoolReplayer
from catsdogs.records.spool import Spool
from catsdogs.records.withdrawals import clear_spool

_REMEMBERED = 10_000  # predictions
_LOCK_SECONDS = 2.0
_NOTHING_CHANGED = N_("The database cannot be reached, so nothing was changed. Try again later.")


class RecordWriter:
    """Stores records; threads may share one.

    No call waits longer for the database than :data:`~catsdogs.database.engine.BRIEF` says. While it is away, records
    go to the spool at once.

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
        self._remember(record.id, _known(record))
        if not self._replayer.database_is_away:
            try:
                self._database.run(
                    lambda connection: predictions.store(connection, self._database.tables, [record]), BRIEF
                )
            except DatabaseError as error:
                self._replayer.report_failure(error)
            else:
                return True
        try:
            self._spool.put_prediction(record)
        except SpoolError:
            self.forget([record.id])
            raise
        self._replayer.wake()
        return False

    def store_prediction_once(self, record: PredictionRecord) -> tuple[UUID, bool]:
        """Store a prediction whose receipt code the client chose, unless it is recorded already under this code.

        Returns
        -------
        UUID
            Identifier of the prediction that is recorded.
        bool
            False if it waits in the spool.

        Raises
        ------
        ReceiptRefused
            See :func:`catsdogs.records.repeated_predictions.store_once`.
        SpoolError
            The spool cannot take it either, or is in use for too long.
        """
        if record.decision is None:
            return record.id, self.store_prediction(record)
        receipt_hash = record.decision.receipt_hash
        if spooled := find_spooled(self._spool, record, receipt_hash):
            return spooled, False
        if not self._replayer.database_is_away:
            try:
                identifier = self._database.run(
                    lambda connection: store_once(connection, self._database.tables, record, receipt_hash), BRIEF
                )
            except DatabaseError as error:
                self._replayer.report_failure(error)
            else:
                if identifier == record.id:
                    self._remember(record.id, _known(record))
                return identifier, True
        with self._spool.locked(_LOCK_SECONDS):  # of two requests at once, the later one finds the record of the other
            if spooled := find_spooled(self._spool, record, receipt_hash):
                return spooled, False
            self._spool.put_prediction(record)
        self._remember(record.id, _known(record))
        self._replayer.wake()
        return record.id, False

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
            waits = bool(self._spool.feedback_files())  # then this one waits behind them, so that the last word counts
            try:
                prediction = self._check_stored(record, apply=not waits)
                if prediction is None and not self._find_in_spool(record.prediction_id):
                    # perhaps it was replayed between the two queries
                    prediction = self._check_stored(record, apply=not waits)
                    if prediction is None:
                        raise NotFound("There is no such prediction.")
                if prediction and not waits:
                    return True
            except DatabaseError as error:
                self._replayer.report_failure(error)
        feedback.check(record, prediction or self._find_without_database(record.prediction_id))
        self._spool.put_feedback(record)
        self._replayer.wake()
        return False

    def change_consent(self, change: ConsentChange) -> bool:
        """Store a person's new decision about a prediction.

        Returns
        -------
        bool
            False if it waits in the spool, with its prediction.

        Raises
        ------
        NotFound, InvalidInput
            There is no such prediction, or see :func:`catsdogs.records.consent_changes.apply`.
        DatabaseUnavailable
            The prediction is not in the spool.
        SpoolError
            The spool has no room for the photo, or is in use for too long.
        """
        with self._spool.locked(_LOCK_SECONDS):  # a replay at the same time would store the prediction as it was before
            failure, stored = None, None
            try:
                stored = self._change_stored_consent(change)
            except DatabaseUnavailable as error:
                failure = error
            spooled = self._spool.find_prediction(change.prediction_id)
            known = stored
            if stored and spooled:
                self._spool.remove_prediction(spooled.id)  # a crash left it there after it had been stored
            elif spooled:
                known = self._change_spooled_consent(spooled, change)
            if known is None:
                raise failure or NotFound("There is no such prediction.")
            self._remember(change.prediction_id, known)
            withdrawn = [purpose for purpose in PurposeName if not change.allows(purpose)]
            if change.receipt and change.proves_receipt and withdrawn:
                clear_spool(self._spool, hash_receipt(change.receipt), [change.prediction_id], withdrawn)
        self._replayer.wake()
        return stored is not None

    def forget(self, identifiers: Iterable[UUID]) -> None:
        """Forget the consent to these predictions, because what was kept with it has been erased."""
        with self._remembered_lock:
            for identifier in identifiers:
                self._remembered.pop(identifier, None)

    def _check_stored(self, record: FeedbackRecord, *, apply: bool) -> KnownPrediction | None:
        return self._database.run(
            lambda connection: feedback.check_and_apply(connection, self._database.tables, record, apply=apply), BRIEF
        )

    def _change_stored_consent(self, change: ConsentChange) -> KnownPrediction | None:
        """Change a consent in the database; return what is known of the prediction, ``None`` if it is not there.

        Raises
        ------
        DatabaseUnavailable
            Says whether the change may be stored nevertheless.
        """
        if self._replayer.database_is_away:
            raise DatabaseUnavailable(_NOTHING_CHANGED)
        done = False

        def apply(connection: sa.Connection) -> KnownPrediction | None:
            nonlocal done
            known = consent_changes.apply(connection, self._database.tables, change)
            done = True
            return known

        try:
            return self._database.run(apply, BRIEF)
        except DatabaseUnavailable as error:
            self._replayer.report_failure(error)
            if not done:
                raise DatabaseUnavailable(_NOTHING_CHANGED) from error
            raise DatabaseUnavailable(
                "The database stopped answering, so it is not certain that your choice was kept. Send it again."
            ) from error

    def _change_spooled_consent(self, record: PredictionRecord, change: ConsentChange) -> KnownPrediction:
        changed = consent_changes.change_record(record, change)
        if changed is not record:
            self._spool.replace_prediction(changed)
        return _known(changed)

    def _find_in_spool(self, identifier: UUID) -> KnownPrediction | None:
        record = self._spool.find_prediction(identifier)
        return _known(record) if record else None

    def _find_without_database(self, identifier: UUID) -> KnownPrediction | None:
        spooled = self._find_in_spool(identifier)  # has priority: another process may have withdrawn consent there
        with self._remembered_lock:
            return spooled or self._remembered.get(identifier)

    def _remember(self, identifier: UUID, known: KnownPrediction) -> None:
        with self._remembered_lock:
            self._remembered[identifier] = known
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)


def _known(record: PredictionRecord) -> KnownPrediction:
    return KnownPrediction(record.prediction_result, record.rgpd_consent)
