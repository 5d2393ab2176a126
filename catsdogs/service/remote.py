"""The service of another process, over HTTP: what a visitor's kernel holds instead of model and database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import urllib3

from catsdogs import errors
from catsdogs.alerting.alert import Alert
from catsdogs.datetimes import iso
from catsdogs.domain import (
    Consent,
    ModelInfo,
    Outcome,
    Prediction,
    PurposeName,
    Removal,
    ServiceHealth,
    TrueLabel,
)
from catsdogs.errors import CatsDogsError, InvalidImage, InvalidInput, NotFound, ServiceError, ServiceUnavailable
from catsdogs.i18n import DEFAULT_LANGUAGE, N_
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics
from catsdogs.monitoring.prediction_filter import (
    ALL_PREDICTIONS,
    DEFAULT_LISTED,
    HealthQuery,
    PredictionFilter,
    StatisticsQuery,
)
from catsdogs.service.interface import NO_CONSENT
from catsdogs.service.prediction_json import (
    RecordedPrediction,
    SamplePrediction,
    outcome_from_json,
    prediction_from_json,
)

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0
"""A photo may wait its turn behind others."""

_BY_STATUS: dict[int, type[CatsDogsError]] = {
    400: InvalidInput,
    401: errors.NotAuthorised,
    403: errors.ConsentRequired,
    404: NotFound,
    413: InvalidImage,
    429: ServiceUnavailable,
    503: ServiceUnavailable,
}
"""What a status means where the answer does not name its error, as a proxy's does not."""

_PATIENCE: dict[str, Any] = {
    "connect": 2,
    "other": 0,
    "redirect": 0,
    "backoff_factor": 0.2,
    # a server that says "busy, come back in 10 s" says why: the person should hear it now
    "respect_retry_after_header": False,
}
_TRY_AGAIN = urllib3.Retry(read=1, status=2, status_forcelist=[502, 504], allowed_methods=None, **_PATIENCE)
"""Only for requests that may safely arrive twice, POST included."""
_ONCE = urllib3.Retry(read=0, status=0, **_PATIENCE)
"""A prediction is recorded, and an erased receipt unknown, when it arrives: only a connection that was never made
is tried again."""


_STRANGE = N_("The server did not answer as it should. Try again in a moment.")


class Remote:
    """:class:`catsdogs.service.interface.Service` over the REST API.

    Parameters
    ----------
    url
        Address of the server, such as ``http://127.0.0.1:8866``.
    token
        Bearer token: of a session, or the ``API_TOKEN``.
    language
        In which the server says its errors; default ``CATSDOGS_LANG``.
    """

    def __init__(self, url: str, token: str, language: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Language": language or os.environ.get("CATSDOGS_LANG", DEFAULT_LANGUAGE),
        }
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS))

    def predict(
        self,
        photo: bytes,
        *,
        filename: str | None = None,
        consent: Consent = NO_CONSENT,
        replaces: UUID | None = None,
    ) -> Outcome:
        """See :meth:`catsdogs.service.interface.Service.predict`."""
        fields = {
            # a part without a file name would not be a file
            "file": (filename or "photo", photo, "application/octet-stream"),
            "rgpd_consent": str(consent.filename_and_comment).lower(),
            "photo_consent": str(consent.photo).lower(),
            "consent_language": consent.language,
            **_given({"replaces": replaces}),
        }
        answer = self._ask("POST", "/api/predict", fields=fields, retries=_ONCE)
        with _understood():
            return outcome_from_json(cast("RecordedPrediction", answer))

    def predict_sample(self, name: str) -> Prediction:
        """See :meth:`catsdogs.service.interface.Service.predict_sample`."""
        answer = self._ask("GET", "/api/sample", fields={"name": name})
        with _understood():
            return prediction_from_json(cast("SamplePrediction", answer))

    def give_feedback(
        self,
        feedback_id: UUID,
        *,
        user_feedback: int | None = None,
        user_comment: str | None = None,
        true_label: TrueLabel | None = None,
    ) -> bool:
        """See :meth:`catsdogs.service.interface.Service.give_feedback`."""
        said = {"user_feedback": user_feedback, "user_comment": user_comment, "true_label": true_label}
        fields = {"feedback_id": str(feedback_id), **_given(said)}
        return bool(self._ask("POST", "/api/update-feedback", fields=fields)["stored"])

    def statistics(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> Statistics:
        """See :meth:`catsdogs.service.interface.Service.statistics`."""
        fields = prediction_filter.to_query(StatisticsQuery)
        return cast("Statistics", self._ask("GET", "/api/statistics", fields=fields))

    def recent_predictions(
        self, prediction_filter: PredictionFilter = ALL_PREDICTIONS, limit: int = DEFAULT_LISTED
    ) -> list[RecentPrediction]:
        """See :meth:`catsdogs.service.interface.Service.recent_predictions`."""
        fields = {"limit": str(limit), **prediction_filter.to_query()}
        found = self._ask("GET", "/api/recent-predictions", fields=fields)
        return cast("list[RecentPrediction]", found["predictions"])

    def change_token(self) -> str:
        """See :meth:`catsdogs.service.interface.Service.change_token`."""
        return str(self._ask("GET", "/api/change-token")["change_token"])

    def model_health(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> ModelHealth:
        """See :meth:`catsdogs.service.interface.Service.model_health`."""
        fields = prediction_filter.to_query(HealthQuery)
        return cast("ModelHealth", self._ask("GET", "/api/model-health", fields=fields))

    def alerts(self, *, since: datetime | None = None) -> list[Alert]:
        """See :meth:`catsdogs.service.interface.Service.alerts`."""
        fields = _given({"since": since and iso(since)})
        return cast("list[Alert]", self._ask("GET", "/api/alerts", fields=fields)["alerts"])

    def export(self, receipt: str) -> dict[str, Any]:
        """See :meth:`catsdogs.service.interface.Service.export`."""
        return self._ask("POST", "/api/privacy/export", fields={"receipt": receipt}, retries=_ONCE)

    def withdraw(self, receipt: str, purpose: PurposeName | None = None) -> Removal:
        """See :meth:`catsdogs.service.interface.Service.withdraw`."""
        fields = _given({"receipt": receipt, "purpose": purpose})
        return _removed(self._ask("POST", "/api/privacy/withdraw", fields=fields, retries=_ONCE))

    def erase(self, receipt: str) -> Removal:
        """See :meth:`catsdogs.service.interface.Service.erase`."""
        return _removed(self._ask("POST", "/api/privacy/erase", fields={"receipt": receipt}, retries=_ONCE))

    def health(self) -> ServiceHealth:
        """See :meth:`catsdogs.service.interface.Service.health`."""
        try:
            return cast("ServiceHealth", self._ask("GET", "/health"))
        except CatsDogsError:
            return ServiceHealth(
                status="unavailable", degraded=[], model_loaded=False, database="unavailable", spooled=0
            )

    def model_info(self) -> ModelInfo:
        """See :meth:`catsdogs.service.interface.Service.model_info`."""
        return cast("ModelInfo", self._ask("GET", "/api/info"))

    def _ask(
        self, method: str, path: str, *, fields: dict[str, Any] | None = None, retries: urllib3.Retry = _TRY_AGAIN
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, self._url + path, fields=fields, headers=self._headers, retries=retries)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(N_("The server cannot be reached. Try again in a moment.")) from error
        try:
            body = json.loads(answer.data)
        except ValueError:
            body = None
        if answer.status != 200 or not isinstance(body, dict):
            raise _error(answer.status, answer.headers.get("X-CatsDogs-Error"), body)
        return body


def _given(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if value is not None}


def _error(status: int, name: str | None, body: object) -> CatsDogsError:
    """Rebuild the error that the server raised; its sentence is in the reader's language already."""
    kind = getattr(errors, name or "", None) or _BY_STATUS.get(status, ServiceError)
    sentence = body.get("detail") if isinstance(body, dict) else None
    return kind(sentence or _STRANGE)


def _removed(answer: dict[str, Any]) -> Removal:
    predictions = [UUID(identifier) for identifier in answer["predictions"]]
    return Removal(predictions, answer["photos"], answer["waiting"])


@contextmanager
def _understood() -> Iterator[None]:
    """Say that an answer is not what it should be."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:  # a server of another version
        raise ServiceError(_STRANGE) from error
