"""The interface of both services: what the apps ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from catsdogs.alerting.alert import Alert
from catsdogs.domain import Consent, ModelInfo, Outcome, Prediction, PurposeName, Removal, ServiceHealth, TrueLabel
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, DEFAULT_LISTED, PredictionFilter

NO_CONSENT = Consent()


class Service(Protocol):
    """What the apps ask for. Every method raises errors of :mod:`catsdogs.errors` only."""

    def predict(
        self,
        photo: bytes,
        *,
        filename: str | None = None,
        consent: Consent = NO_CONSENT,
        replaces: UUID | None = None,
    ) -> Outcome:
        """Say what a photo shows, and record it as far as `consent` allows.

        Parameters
        ----------
        photo
            Bytes of an image file, at most :data:`catsdogs.model.photo_limits.MAX_BYTES`.
        filename
            Name of the file; dropped without consent.
        consent
            The person's decision; the answer does not depend on it.
        replaces
            The `feedback_id` of an earlier prediction of this photo, made without consent: it is deleted, so that the
            photo counts once. One made with consent stays: its receipt erases it.

        Raises
        ------
        InvalidImage
            The photo cannot be read; the failure is recorded, anonymously.
        SpoolError
            The record could be kept nowhere.
        """

    def predict_sample(self, name: str) -> Prediction:
        """Say what a picture of :data:`catsdogs.samples.SAMPLES` shows; nothing is recorded.

        Raises
        ------
        NotFound
            There is none of that name.
        """

    def give_feedback(
        self,
        feedback_id: UUID,
        *,
        user_feedback: int | None = None,
        user_comment: str | None = None,
        true_label: TrueLabel | None = None,
    ) -> bool:
        """Record what a person says of a prediction; what is ``None`` stays as it was.

        Parameters
        ----------
        user_feedback
            1 satisfied, 0 not.
        user_comment
            At most 1,000 characters; needs consent.
        true_label
            What the photo shows; who is satisfied says none that the answer is wrong for.

        Returns
        -------
        bool
            False while the database is away: the feedback waits in the spool, safe.

        Raises
        ------
        InvalidInput, ConsentRequired, NotFound
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

    def alerts(self, *, since: datetime | None = None) -> list[Alert]:
        """List the stored alerts: firing, pending, and those resolved after `since`, by default in the last day."""

    def export(self, receipt: str) -> dict[str, Any]:
        """Give everything held under a receipt code, ready for JSON.

        Returns
        -------
        dict
            ``decisions``, ``predictions``, ``photos`` (JPEG in base64), and ``waiting``: not stored yet.

        Raises
        ------
        NotFound
            The same for every code that opens nothing.
        """

    def withdraw(self, receipt: str, purpose: PurposeName | None = None) -> Removal:
        """Withdraw consent to one purpose, or to all; what was kept for it goes at once. Safe to repeat.

        Raises
        ------
        NotFound
        DatabaseUnavailable
            Only what waited in the spool is gone; to be tried again.
        """

    def erase(self, receipt: str) -> Removal:
        """Erase everything held under a receipt code, at once and for good; raises as `withdraw` does."""

    def health(self) -> ServiceHealth:
        """Say whether model and database answer. Raises nothing."""

    def model_info(self) -> ModelInfo:
        """Describe the served model."""
