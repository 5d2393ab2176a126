"""The interface of both services: everything that the apps need."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from catsdogs.alerting.alert import Alert
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
)
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, DEFAULT_LISTED, PredictionFilter
from catsdogs.service.responses import Export

NO_CONSENT = Consent()


class Service(Protocol):
    """Everything that the apps need. Every method raises errors of :mod:`catsdogs.errors` only."""

    def predict(
        self,
        photo: bytes,
        *,
        filename: str | None = None,
        consent: Consent = NO_CONSENT,
        new_receipt: str | None = None,
    ) -> Outcome:
        """Classify a photo, and record the prediction as far as `consent` allows.

        Parameters
        ----------
        photo
            Bytes of an image file, at most :data:`catsdogs.model.photo_limits.MAX_BYTES`.
        filename
            Name of the file; dropped without consent.
        consent
            Decision of the person; the answer does not depend on it.
        new_receipt
            Receipt code of what is kept with consent, from :func:`catsdogs.domain.new_receipt`; by default, the
            service makes one. A call that is repeated with the same code, because its result was lost, records nothing
            more.

        Raises
        ------
        InvalidImage
            The photo cannot be read; the failure is recorded, anonymously.
        InvalidInput
            The receipt code is not one, or it is in use for another photo.
        SpoolError
            The record could be stored neither in the database nor in the spool.
        """

    def predict_sample(self, name: str) -> Prediction:
        """Classify a picture of :data:`catsdogs.samples.SAMPLES`; nothing is recorded.

        Raises
        ------
        NotFound
            There is no picture of that name.
        """

    def give_feedback(
        self,
        feedback_id: UUID,
        *,
        user_feedback: int | None = None,
        user_comment: str | None = None,
        true_label: TrueLabel | None = None,
        delete_comment: bool = False,
    ) -> bool:
        """Record a person's feedback on a prediction; what is ``None`` stays as it was, but a rating clears the label.

        Parameters
        ----------
        user_feedback
            1 satisfied, 0 not.
        user_comment
            At most :data:`catsdogs.domain.MAX_COMMENT` characters; needs consent. An empty one stays as it was, too.
        true_label
            What the photo shows; with `user_feedback`, none that contradicts it; alone, it corrects an earlier rating
            that it contradicts.
        delete_comment
            Whether to delete the comment that was given earlier.

        Returns
        -------
        bool
            Whether the feedback is in the database; if not, it waits in the spool until the database is back.

        Raises
        ------
        InvalidInput, ConsentRequired, NotFound
        """

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
        """Record a person's new decision about a prediction of theirs, without predicting again.

        Rating, label and comment stay. What the new decision allows is added, and what it no longer allows is removed,
        as :meth:`withdraw` does; agreeing to nothing withdraws everything. The same decision again changes nothing.

        Parameters
        ----------
        consent
            The new decision, complete: a purpose that it does not have is withdrawn.
        filename
            Name of the file; dropped without consent.
        photo
            Bytes of the file that was predicted; needed if the decision includes the photo and none is kept yet.
        receipt
            Receipt code of the earlier decisions; needed if there was one, and wrong if there was none.
        new_receipt
            Receipt code of a first decision, from :func:`catsdogs.domain.new_receipt`; by default, the service makes
            one. Whoever chose it can repeat a call whose result was lost.
        known
            Decision that applies as far as the person knows. Where another one does, nothing is changed.

        Raises
        ------
        NotFound
            There is no such prediction, or the receipt code is not that of this prediction.
        InvalidInput
            The receipt code or the photo is missing, or the new code is not one or is in use.
        Conflict
            Another decision applies than `known`, and than the new one.
        InvalidImage
            The photo cannot be read.
        DatabaseUnavailable
            Nothing was changed, or, as the message then says, that is not certain; repeat the call later.
        SpoolError
            The prediction waits in the spool, and there is no room for the photo.
        """

    def statistics(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> Statistics:
        """Compute the KPIs of the predictions that pass a filter; its listing is ignored."""

    def recent_predictions(
        self, prediction_filter: PredictionFilter = ALL_PREDICTIONS, limit: int = DEFAULT_LISTED
    ) -> list[RecentPrediction]:
        """List predictions that pass a filter, in the order of its listing.

        Parameters
        ----------
        limit
            1..:data:`catsdogs.monitoring.prediction_filter.MAX_LISTED`.

        Raises
        ------
        InvalidInput
            `limit` is out of range.
        """

    def change_token(self) -> str:
        """Return a text that differs from an earlier one if anything was recorded in between; cheap to read."""

    def model_health(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> ModelHealth:
        """Measure how good the answers that pass a filter are, and whether photos and answers have drifted.

        The filter's answer and listing are ignored: accuracy among the answers of one kind would be another figure.
        """

    def alerts(self, *, since: datetime | None = None, until: datetime | None = None) -> list[Alert]:
        """List the alerts that were open between `since` and `until`, by default in the last day, as at `until`."""

    def export(self, receipt: str) -> Export:
        """Return everything held under a receipt code, ready for JSON.

        Raises
        ------
        NotFound
            Nothing is kept under this code. The message is the same for every such code.
        """

    def withdraw(self, receipt: str, purpose: PurposeName | None = None) -> Removal:
        """Withdraw consent to one purpose, or to all, and delete at once what was kept for it. Safe to repeat.

        Raises
        ------
        NotFound
        DatabaseUnavailable
            Only what waited in the spool is deleted; try again later.
        """

    def erase(self, receipt: str) -> Removal:
        """Erase everything held under a receipt code, at once and permanently; raises as `withdraw` does."""

    def health(self) -> ServiceHealth:
        """Return the state of model and database. Raises nothing."""

    def model_info(self) -> ModelInfo:
        """Return the description of the served model."""
