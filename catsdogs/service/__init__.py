"""One small interface to everything the apps do, two ways.

`Local` holds model and database in this process (JupyterLab, papermill, the server itself);
`Remote` speaks HTTP to the server that started this kernel, and holds neither.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Protocol
from uuid import UUID

from catsdogs.domain import (
    Consent,
    Health,
    ModelInfo,
    Outcome,
    RecentPrediction,
    Statistics,
    TrueLabel,
)

URL_VARIABLE = "CATSDOGS_SERVICE_URL"
"""Set by our server in the kernels it starts: where to reach it."""
TOKEN_VARIABLE = "CATSDOGS_SERVICE_TOKEN"  # noqa: S105 (a name)
"""Set by our server in the kernels it starts: a token of that session alone."""

NO_CONSENT = Consent()


class Service(Protocol):
    """What the apps ask for. Every method raises errors of :mod:`catsdogs.errors` only."""

    def predict(self, photo: bytes, *, filename: str | None = None, consent: Consent = NO_CONSENT) -> Outcome:
        """Say what a photo shows, and record it as far as `consent` allows.

        Parameters
        ----------
        photo
            Bytes of an image file, at most :data:`catsdogs.images.MAX_BYTES`.
        filename
            Name of the file; dropped without consent.
        consent
            The person's decision; the answer does not depend on it.

        Raises
        ------
        InvalidImage
            The photo cannot be read; the failure is recorded, anonymously.
        SpoolError
            The record could be kept nowhere.
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

        Returns
        -------
        bool
            False while the database is away: the feedback waits in the spool, safe.

        Raises
        ------
        InvalidInput, ConsentRequired, NotFound
        """

    def statistics(
        self, *, start: datetime | None = None, end: datetime | None = None, model_version: str | None = None
    ) -> Statistics:
        """Compute the KPIs of predictions made in ``[start, end)``, by one model or all."""

    def recent_predictions(self, limit: int = 10) -> list[RecentPrediction]:
        """List the latest predictions, newest first; `limit` is 1..1000."""

    def health(self) -> Health:
        """Say whether model and database answer. Raises nothing."""

    def model_info(self) -> ModelInfo:
        """Describe the served model."""


def connect() -> Service:
    """Give the service that suits this process.

    Returns
    -------
    Service
        `Remote` in a kernel that our server started, else `Local`.

    Raises
    ------
    SettingsError, ModelError
    """
    if url := os.environ.get(URL_VARIABLE):
        from catsdogs.service.remote import Remote

        return Remote(url, os.environ.get(TOKEN_VARIABLE, ""))
    from catsdogs.service.local import Local

    return Local.open()
