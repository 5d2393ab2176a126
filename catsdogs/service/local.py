"""The service in this process: it holds the model, the database connection and the spool."""

from __future__ import annotations

import logging
from datetime import datetime
from types import TracebackType
from typing import Self, cast
from uuid import UUID

from catsdogs import samples
from catsdogs.alerting.alert import Alert
from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.problem_watch import ProblemWatch
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate_and_notify
from catsdogs.alerting.targets import parse_targets
from catsdogs.database import Database, v2_ids
from catsdogs.database.engine import BRIEF
from catsdogs.database.roll_ups import RollUpRefresher
from catsdogs.domain import (
    Consent,
    ConsentOutcome,
    ModelInfo,
    Outcome,
    Prediction,
    PurposeName,
    Removal,
    ServiceHealth,
    TrueLabel,
    check_new_receipt,
)
from catsdogs.errors import CatsDogsError, InvalidImage, SpoolError
from catsdogs.model.card import ModelCard
from catsdogs.model.serving import ServedModel
from catsdogs.monitoring import kpis, listings, model_health
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, DEFAULT_LISTED, PredictionFilter
from catsdogs.records import data_subject_rights
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.replay import SpoolReplayer
from catsdogs.records.spool import Spool
from catsdogs.records.writer import RecordWriter
from catsdogs.service.health_check import HealthCheck
from catsdogs.service.interface import NO_CONSENT
from catsdogs.service.responses import Export
from catsdogs.settings import Settings

_log = logging.getLogger(__name__)


class Local:
    """:class:`catsdogs.service.interface.Service` in this process; threads may share one.

    Parameters
    ----------
    model, settings
        Make a service with :meth:`open`, and close it after use: it may hold the embedded server.
    """

    def __init__(self, model: ServedModel, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._database = Database(settings)
        self._spool = Spool.from_settings(settings)
        self._replayer = SpoolReplayer(self._database, self._spool)
        self._writer = RecordWriter(self._database, self._spool, self._replayer)
        self._roll_ups = RollUpRefresher(self._database)
        self._health_check = HealthCheck(model, settings, self._database, self._spool, self._replayer)
        self._problem_watch = ProblemWatch(parse_targets(settings.alert_targets), settings.lang)

    @classmethod
    def open(cls, settings: Settings | None = None) -> Self:
        """Load the model and connect to the database; if it is away, start without it until it is back.

        Raises
        ------
        SettingsError, ModelError
        """
        settings = settings or Settings.load()
        load_rules(settings.alert_rules)  # a mistake in them should be reported now, not at night
        service = cls(ServedModel(settings), settings)
        service._replayer.start()
        service._roll_ups.start()
        return service

    def hurry(self) -> None:
        """Have calls that wait for the database end soon, before :meth:`close`."""
        self._database.hurry()

    def close(self) -> None:
        """Stop the threads and disconnect from the database; the embedded server stops with its last user."""
        self.hurry()
        self._roll_ups.close()
        self._replayer.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def predict(
        self,
        photo: bytes,
        *,
        filename: str | None = None,
        consent: Consent = NO_CONSENT,
        new_receipt: str | None = None,
    ) -> Outcome:
        """See :meth:`catsdogs.service.interface.Service.predict`."""
        if new_receipt:
            check_new_receipt(new_receipt)
        classifier = self._model.current()
        try:
            prediction, statistics = classifier.classify(photo)
        except InvalidImage as error:
            self._record_failure(error, classifier.version)
            raise
        record, receipt = PredictionRecord.create(
            prediction,
            statistics,
            photo=photo,
            filename=filename,
            consent=consent,
            new_receipt=new_receipt,
            controller=self._settings.data_controller,
        )
        try:
            if new_receipt:
                identifier, stored = self._writer.store_prediction_once(record)
            else:
                identifier, stored = record.id, self._writer.store_prediction(record)
        except SpoolError as error:
            _log.error("an answer was given, but not recorded: %s", error)
            return Outcome(prediction, record.id, receipt=None, stored=False, recorded=False)
        return Outcome(prediction, identifier, receipt, stored)

    def predict_sample(self, name: str) -> Prediction:
        """See :meth:`catsdogs.service.interface.Service.predict_sample`."""
        return self._model.current().classify(samples.find(name).jpeg)[0]

    def give_feedback(
        self,
        feedback_id: UUID,
        *,
        user_feedback: int | None = None,
        user_comment: str | None = None,
        true_label: TrueLabel | None = None,
        delete_comment: bool = False,
    ) -> bool:
        """See :meth:`catsdogs.service.interface.Service.give_feedback`."""
        record = FeedbackRecord.create(
            feedback_id, user_feedback, user_comment, true_label, delete_comment=delete_comment
        )
        return self._writer.store_feedback(record)

    def change_consent(
        self,
        feedback_id: UUID,
        consent: Consent,
        *,
        filename: str | None = None,
        photo: bytes | None = None,
        receipt: str | None = None,
        new_receipt: str | None = None,
        known: Consent | None = None,
    ) -> ConsentOutcome:
        """See :meth:`catsdogs.service.interface.Service.change_consent`."""
        if new_receipt:
            check_new_receipt(new_receipt)
        change = ConsentChange.create(
            feedback_id,
            consent,
            filename=filename,
            photo=photo,
            receipt=receipt,
            new_receipt=new_receipt,
            known=known,
            controller=self._settings.data_controller,
        )
        stored = self._writer.change_consent(change)
        # of a refusal it is not known here whether anything was ever kept under the code that the client chose
        return ConsentOutcome(change.receipt if consent.any or not new_receipt else receipt, stored)

    def statistics(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> Statistics:
        """See :meth:`catsdogs.service.interface.Service.statistics`."""
        return self._database.run(
            lambda connection: kpis.statistics(connection, self._database.tables.predictions, prediction_filter),
            has_period=True,
        )

    def recent_predictions(
        self, prediction_filter: PredictionFilter = ALL_PREDICTIONS, limit: int = DEFAULT_LISTED
    ) -> list[RecentPrediction]:
        """See :meth:`catsdogs.service.interface.Service.recent_predictions`."""
        return self._database.run(
            lambda connection: listings.list_predictions(
                connection, self._database.tables.predictions, prediction_filter, limit
            ),
            has_period=True,
        )

    def v2_prediction_id(self, number: str) -> UUID | None:
        """See :func:`catsdogs.database.v2_ids.prediction_id`."""
        return v2_ids.prediction_id(self._database, number)

    def v2_numbers(self, identifiers: list[str]) -> dict[str, int]:
        """See :func:`catsdogs.database.v2_ids.numbers`."""
        return v2_ids.numbers(self._database, identifiers)

    def change_token(self) -> str:
        """See :meth:`catsdogs.service.interface.Service.change_token`."""
        return self._database.run(listings.change_token, BRIEF)  # an open dashboard asks it whether all is well

    def model_health(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> ModelHealth:
        """See :meth:`catsdogs.service.interface.Service.model_health`."""
        return self._database.run(
            lambda connection: model_health.model_health(
                connection,
                self._database.tables.predictions,
                model_health.cards(self._settings),
                prediction_filter,
                self._settings.drift_period,
            ),
            has_period=True,
        )

    def alerts(self, *, since: datetime | None = None, until: datetime | None = None) -> list[Alert]:
        """See :meth:`catsdogs.service.interface.Service.alerts`."""
        return list_alerts(self._database, load_rules(self._settings.alert_rules), since=since, until=until)

    def evaluate_alerts(self, *, notify: bool = True) -> None:
        """Evaluate the alert rules and store the new state; with `notify`, messages are sent in the background.

        See :func:`catsdogs.alerting.scheduler.evaluate_and_notify`.
        """
        evaluate_and_notify(self._database, self._settings, notify=notify, wait=False)

    def tell_problems(self) -> None:
        """Tell the alert targets of problems of the service that last, without the database."""
        self._problem_watch.note(self.health()["degraded"])

    def export(self, receipt: str) -> Export:
        """See :func:`catsdogs.records.data_subject_rights.export`."""
        return cast("Export", data_subject_rights.export(self._database, self._spool, receipt))

    def withdraw(self, receipt: str, purpose: PurposeName | None = None) -> Removal:
        """See :func:`catsdogs.records.data_subject_rights.withdraw`."""
        removed = data_subject_rights.withdraw(self._database, self._spool, receipt, purpose)
        self._writer.forget(removed.predictions)
        return removed

    def erase(self, receipt: str) -> Removal:
        """See :func:`catsdogs.records.data_subject_rights.erase`."""
        erased = data_subject_rights.erase(self._database, self._spool, receipt)
        self._writer.forget(erased.predictions)
        return erased

    def purge(self) -> Removal:
        """Purge what is older than the settings' retention, see :func:`catsdogs.records.data_subject_rights.purge`."""
        return data_subject_rights.purge(self._database, self._spool, self._settings.retention_days)

    def trim_database_log(self) -> None:
        """See :meth:`catsdogs.database.Database.trim_log`."""
        self._database.trim_log()

    def health(self) -> ServiceHealth:
        """See :meth:`catsdogs.service.interface.Service.health`."""
        return self._health_check.run()

    def model_info(self) -> ModelInfo:
        """See :meth:`catsdogs.service.interface.Service.model_info`."""
        return self._model.current().info()

    def model_card(self) -> tuple[ModelCard, str]:
        """Return the card of the served version, as data and as Markdown for people."""
        model = self._model.current()
        return model.card, model.text

    def _record_failure(self, failure: InvalidImage, model_version: str) -> None:
        try:
            self._writer.store_prediction(PredictionRecord.of_failure(failure, model_version))
        except CatsDogsError as error:  # the person should read what is wrong with the photo
            _log.error("a failed prediction could not be recorded: %s", error)
