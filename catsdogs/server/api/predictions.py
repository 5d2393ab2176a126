"""Predictions and feedback over REST; V2's fields are kept."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from tornado.httputil import HTTPFile, HTTPInputError, parse_body_arguments
from tornado.web import HTTPError, stream_request_body

from catsdogs.domain import Consent, ConsentChannel, JsonSchema, TrueLabel
from catsdogs.errors import InvalidImage, InvalidInput, NotFound
from catsdogs.i18n import N_, negotiate
from catsdogs.model.photo_limits import MAX_BYTES, MAX_MEGABYTES
from catsdogs.samples import SAMPLES
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.requests import FeedbackFields, PredictFields, SampleQuery
from catsdogs.server.auth import API_CLIENT, Scope
from catsdogs.server.base_handler import TooLarge
from catsdogs.service.prediction_json import RecordedPrediction, SamplePrediction, outcome_to_json, prediction_to_json
from catsdogs.service.responses import FeedbackResponse

MAX_BODY = MAX_BYTES + 64 * 1024
"""Size of the largest request: a photo and the form around it, in bytes."""


@stream_request_body
class PredictHandler(ApiHandler):
    """``POST /api/predict``."""

    operation = Operation("post", "Classify a photo", RecordedPrediction, form=PredictFields, errors=(400, 413))
    scope = Scope.PREDICT
    _complete = False

    def prepare(self) -> None:
        """Refuse a body that is too large before it is read."""
        self._body = bytearray()
        self._received = 0
        super().prepare()
        # a refused body is still read, and dropped, up to a limit: some clients read the response only after writing
        self.request.connection.set_max_body_size(8 * MAX_BODY)  # type: ignore[union-attr]
        length = self.request.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise HTTPError(400)
        if int(length[:18]) > MAX_BODY:
            raise _too_large()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Announce that the connection is closed, where the body was not read: Tornado closes it then."""
        if not self._complete:
            self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def data_received(self, chunk: bytes) -> None:
        """Collect the body; it may come without a Content-Length."""
        self._received += len(chunk)
        if self._received <= MAX_BODY:
            self._body += chunk
        else:
            self._body.clear()

    async def post(self) -> None:
        """Classify one photo."""
        self._complete = True
        if self._received > MAX_BODY:
            raise _too_large()
        file = self._read_form()
        consent = Consent(
            filename_and_comment=self.flag("rgpd_consent"),
            photo=self.flag("photo_consent"),
            language=negotiate(self.get_body_argument("consent_language", None), self.translator.language),
            channel=ConsentChannel.REST if self.holder == API_CLIENT else ConsentChannel.APP,
        )
        try:
            outcome = await self.server.worker_pool.run(
                self.service.predict,
                file.body,
                filename=file.filename or None,
                consent=consent,
                replaces=self._replaces(),
            )
        except InvalidImage:
            self.server.metrics.count_unreadable_photo()
            raise
        self.server.metrics.count_prediction(outcome.prediction)
        self.write(dict(outcome_to_json(outcome, file.filename)))

    def _replaces(self) -> UUID | None:
        text = self.get_body_argument("replaces", "")
        try:
            return UUID(text) if text else None
        except ValueError:
            raise InvalidInput(N_("replaces must be the feedback_id of an earlier answer.")) from None

    def _read_form(self) -> HTTPFile:
        try:
            parse_body_arguments(
                self.request.headers.get("Content-Type", ""),
                bytes(self._body),
                self.request.body_arguments,
                self.request.files,
            )
        except HTTPInputError:
            raise InvalidInput(N_("The form cannot be read: send multipart/form-data.")) from None
        finally:
            self._body.clear()
        files = self.request.files.get("file")
        if not files:
            raise InvalidInput(N_("Send one photo, in the form's field file."))
        return files[0]


def _too_large() -> TooLarge:
    return TooLarge(N_("This file is too large: at most {megabytes} MB."), megabytes=MAX_MEGABYTES)


class SampleHandler(ApiHandler):
    """``GET /api/sample``."""

    operation = Operation(
        "get", "Classify a sample picture; nothing is recorded", SamplePrediction, query=SampleQuery, errors=(404,)
    )
    scope = Scope.PREDICT

    async def get(self) -> None:
        """Classify one sample picture."""
        name = self.get_query_argument("name", SAMPLES[0].name)
        prediction = await self.server.worker_pool.run(self.service.predict_sample, name)
        self.write(dict(prediction_to_json(prediction)))


class FeedbackHandler(ApiHandler):
    """``POST /api/update-feedback``."""

    operation = Operation(
        "post",
        "Give feedback on a prediction",
        FeedbackResponse,
        form=Annotated[
            FeedbackFields,
            JsonSchema(anyOf=[{"required": [name]} for name in ("user_feedback", "user_comment", "true_label")]),
        ],
        errors=(400, 404),
    )
    scope = Scope.PREDICT

    async def post(self) -> None:
        """Record a feedback."""
        user_feedback = self._user_feedback()
        stored = await self.server.worker_pool.run(
            self.service.give_feedback,
            self._feedback_id(),
            user_feedback=user_feedback,
            user_comment=self.get_body_argument("user_comment", None) or None,
            true_label=self._true_label(),
        )
        if user_feedback is not None:
            self.server.metrics.count_rating(user_feedback)
        self.write({"success": True, "message": self.translator(N_("Thank you for your feedback.")), "stored": stored})

    def _feedback_id(self) -> UUID:
        text = self.get_body_argument("feedback_id", "")
        if not text:
            raise InvalidInput(N_("feedback_id is missing."))
        try:
            return UUID(text)
        except ValueError:
            raise NotFound(N_("There is no prediction with this feedback_id.")) from None

    def _user_feedback(self) -> int | None:
        text = self.get_body_argument("user_feedback", "")
        if text not in {"", "0", "1"}:
            raise InvalidInput(N_("user_feedback must be 1 (satisfied) or 0 (not)."))
        return int(text) if text else None

    def _true_label(self) -> TrueLabel | None:
        text = self.get_body_argument("true_label", "")
        try:
            return TrueLabel(text.lower()) if text else None
        except ValueError:
            raise InvalidInput(N_("true_label must be one of {labels}."), labels=", ".join(TrueLabel)) from None


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/predict": PredictHandler,
    "/api/sample": SampleHandler,
    "/api/update-feedback": FeedbackHandler,
}
