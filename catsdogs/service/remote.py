"""The client of the REST API: the service of a visitor's kernel, which holds neither model nor database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import urllib3

from catsdogs import errors
from catsdogs.alerting.alert import Alert
from catsdogs.datetimes import iso
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
from catsdogs.service.prediction_json import outcome_from_json, prediction_from_json
from catsdogs.service.responses import (
    Alerts,
    ChangeToken,
    Export,
    RecentPredictions,
    consent_outcome_from_json,
    removal_from_json,
)

CONNECT_SECONDS = 5.0
"""Timeout of a connection to the server."""
READ_SECONDS = 60.0
"""Timeout of a response: a photo may wait in the server's queue."""
CONNECT_RETRIES = 2
"""Number of retries while the server cannot be reached."""
BACKOFF_SECONDS = 0.2
"""Unit of the exponential backoff between retries."""

_RETRY_OPTIONS: dict[str, Any] = {
    "connect": CONNECT_RETRIES,
    "other": 0,
    "redirect": 0,
    "raise_on_redirect": False,  # whoever redirects is no catsdogs, but can be reached
    "backoff_factor": BACKOFF_SECONDS,
    # the message of a busy server is shown at once, instead of a silent wait for as long as it asks
    "respect_retry_after_header": False,
}
_RETRY = urllib3.Retry(read=1, status=2, status_forcelist=[502, 504], allowed_methods=None, **_RETRY_OPTIONS)
"""Retries of requests that may safely arrive twice, POST included."""
_RETRY_CONNECTION = urllib3.Retry(read=0, status=0, **_RETRY_OPTIONS)
"""Retries of requests that must not arrive twice: a prediction would be recorded twice, unless it has a receipt code
that was chosen here, and a receipt that was erased would be unknown. Only the connection is tried again."""

_ERRORS_BY_STATUS: dict[int, type[CatsDogsError]] = {
    400: InvalidInput,
    401: errors.NotAuthorised,
    403: errors.ConsentRequired,
    404: NotFound,
    409: errors.Conflict,
    413: InvalidImage,
    429: ServiceUnavailable,
    503: ServiceUnavailable,
}
"""Error of a response that does not name its own, such as a proxy's."""

_UNEXPECTED_RESPONSE = N_("The server did not answer as it should. Try again in a moment.")


class Remote:
    """:class:`catsdogs.service.interface.Service` over the REST API.

    Parameters
    ----------
    url
        Address of the server, such as ``http://127.0.0.1:8866``.
    token
        Bearer token: of a session, or the ``API_TOKEN``.
    language
        Language of the server's error messages; by default ``CATSDOGS_LANG``.
    """

    def __init__(self, url: str, token: str, language: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Language": language or os.environ.get("CATSDOGS_LANG", DEFAULT_LANGUAGE),
        }
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS))

    def predict(
        self,
        photo: bytes,
        *,
        filename: str | None = None,
        consent: Consent = NO_CONSENT,
        new_receipt: str | None = None,
    ) -> Outcome:
        """See :meth:`catsdogs.service.interface.Service.predict`."""
        fields: dict[str, Any] = {"file": _file(photo, filename), **_consent_fields(consent)}
        fields |= _without_none({"new_receipt": new_receipt})
        retries = _RETRY if new_receipt and consent.any else _RETRY_CONNECTION
        with _expect_fields():
            return outcome_from_json(self._request("POST", "/api/predict", fields, retries))

    def predict_sample(self, name: str) -> Prediction:
        """See :meth:`catsdogs.service.interface.Service.predict_sample`."""
        with _expect_fields():
            return prediction_from_json(self._request("GET", "/api/sample", {"name": name}))

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
        feedback = {
            "user_feedback": user_feedback,
            "user_comment": user_comment,
            "true_label": true_label,
            "delete_comment": "true" if delete_comment else None,
        }
        fields = {"feedback_id": str(feedback_id), **_without_none(feedback)}
        with _expect_fields():
            return bool(self._request("POST", "/api/update-feedback", fields)["stored"])

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
        texts = {"feedback_id": feedback_id, "filename": filename, "receipt": receipt, "new_receipt": new_receipt}
        fields: dict[str, Any] = {**_without_none(texts), **_consent_fields(consent)}
        if known is not None:
            fields |= {f"known_{name}": value for name, value in _decision(known).items()}
        if photo is not None:
            fields["file"] = _file(photo, filename)
        with _expect_fields():
            retries = _RETRY if receipt or new_receipt else _RETRY_CONNECTION
            return consent_outcome_from_json(self._request("POST", "/api/consent", fields, retries))

    def statistics(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> Statistics:
        """See :meth:`catsdogs.service.interface.Service.statistics`."""
        statistics: Statistics = self._request("GET", "/api/statistics", prediction_filter.to_query(StatisticsQuery))
        return statistics

    def recent_predictions(
        self, prediction_filter: PredictionFilter = ALL_PREDICTIONS, limit: int = DEFAULT_LISTED
    ) -> list[RecentPrediction]:
        """See :meth:`catsdogs.service.interface.Service.recent_predictions`."""
        fields = {"limit": str(limit), **prediction_filter.to_query()}
        response: RecentPredictions = self._request("GET", "/api/recent-predictions", fields)
        with _expect_fields():
            return response["predictions"]

    def change_token(self) -> str:
        """See :meth:`catsdogs.service.interface.Service.change_token`."""
        response: ChangeToken = self._request("GET", "/api/change-token")
        with _expect_fields():
            return response["change_token"]

    def model_health(self, prediction_filter: PredictionFilter = ALL_PREDICTIONS) -> ModelHealth:
        """See :meth:`catsdogs.service.interface.Service.model_health`."""
        health: ModelHealth = self._request("GET", "/api/model-health", prediction_filter.to_query(HealthQuery))
        return health

    def alerts(self, *, since: datetime | None = None, until: datetime | None = None) -> list[Alert]:
        """See :meth:`catsdogs.service.interface.Service.alerts`."""
        window = _without_none({"since": since and iso(since), "until": until and iso(until)})
        response: Alerts = self._request("GET", "/api/alerts", window)
        with _expect_fields():
            return response["alerts"]

    def export(self, receipt: str) -> Export:
        """See :meth:`catsdogs.service.interface.Service.export`."""
        export: Export = self._request("POST", "/api/privacy/export", {"receipt": receipt}, _RETRY_CONNECTION)
        return export

    def withdraw(self, receipt: str, purpose: PurposeName | None = None) -> Removal:
        """See :meth:`catsdogs.service.interface.Service.withdraw`."""
        fields = _without_none({"receipt": receipt, "purpose": purpose})
        with _expect_fields():
            return removal_from_json(self._request("POST", "/api/privacy/withdraw", fields, _RETRY_CONNECTION))

    def erase(self, receipt: str) -> Removal:
        """See :meth:`catsdogs.service.interface.Service.erase`."""
        fields = {"receipt": receipt}
        with _expect_fields():
            return removal_from_json(self._request("POST", "/api/privacy/erase", fields, _RETRY_CONNECTION))

    def health(self) -> ServiceHealth:
        """See :meth:`catsdogs.service.interface.Service.health`."""
        try:
            health: ServiceHealth = self._request("GET", "/health")
        except CatsDogsError:
            return ServiceHealth(
                status="unavailable",
                degraded=[],
                model_loaded=False,
                database="unavailable",
                spooled=0,
                set_aside=0,
            )
        return health

    def model_info(self) -> ModelInfo:
        """See :meth:`catsdogs.service.interface.Service.model_info`."""
        info: ModelInfo = self._request("GET", "/api/info")
        return info

    def _request(
        self, method: str, path: str, fields: Mapping[str, Any] | None = None, retries: urllib3.Retry = _RETRY
    ) -> Any:
        """Send a request and return the JSON object of its response, of the type that :mod:`responses` names."""
        try:
            response = self._http.request(
                method, self._url + path, fields=fields, headers=self._headers, retries=retries
            )
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(N_("The server cannot be reached. Try again in a moment.")) from error
        try:
            body = json.loads(response.data)
        except ValueError:
            body = None
        if response.status != 200 or not isinstance(body, dict):
            raise _error(response.status, response.headers.get("X-CatsDogs-Error"), body)
        return body


def _file(photo: bytes, filename: str | None) -> tuple[str, bytes, str]:
    return (filename or "photo", photo, "application/octet-stream")  # a part without a file name would not be a file


def _consent_fields(consent: Consent) -> dict[str, str]:
    return {**_decision(consent), "consent_language": consent.language}


def _decision(consent: Consent) -> dict[str, str]:
    return {
        "rgpd_consent": str(consent.filename_and_comment).lower(),
        "photo_consent": str(consent.photo).lower(),
    }


def _without_none(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if value is not None}


def _error(status: int, name: str | None, body: object) -> CatsDogsError:
    """Return the error that the server raised; its message is in the reader's language already."""
    kind = getattr(errors, name or "", None) or _ERRORS_BY_STATUS.get(status, ServiceError)
    message = body.get("detail") if isinstance(body, dict) else None
    return kind(message or _UNEXPECTED_RESPONSE)


@contextmanager
def _expect_fields() -> Iterator[None]:
    """Raise `ServiceError` where a response lacks a field, or has another type: the server is of another version."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceError(_UNEXPECTED_RESPONSE) from error
