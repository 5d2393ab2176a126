"""Predictions and feedback over REST; V2's fields are kept."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated
from uuid import UUID

from catsdogs.domain import TrueLabel
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.i18n import N_
from catsdogs.json_types import JsonSchema
from catsdogs.samples import SAMPLES
from catsdogs.server.api import v2
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.photo_form import PhotoFormHandler
from catsdogs.server.api.privacy import wrong_receipts_limited
from catsdogs.server.api.requests import FeedbackFields, PredictFields, SampleQuery
from catsdogs.server.auth import Scope
from catsdogs.service.prediction_json import RecordedPrediction, SamplePrediction, outcome_to_json, prediction_to_json
from catsdogs.service.responses import FeedbackResponse


class PredictHandler(PhotoFormHandler):
    """``POST /api/predict``."""

    operation = Operation("post", "Classify a photo", RecordedPrediction, form=PredictFields)

    async def post(self) -> None:
        """Classify one photo."""
        self.read_form()
        file = self.photo()
        if file is None:
            raise InvalidInput(N_("Send one photo, in the form's field file."))
        new_receipt = self.get_body_argument("new_receipt", "") or None
        try:
            with wrong_receipts_limited(self) if new_receipt else nullcontext():
                outcome = await self.server.worker_pool.run(
                    self.service.predict,
                    file.body,
                    filename=file.filename or None,
                    consent=self.consent(),
                    new_receipt=new_receipt,
                )
        except InvalidImage:
            self.server.metrics.count_unreadable_photo()
            raise
        self.server.metrics.count_prediction(outcome.prediction)
        fields = outcome_to_json(outcome, file.filename)
        self.write(v2.prediction(fields) if self.is_v2_compatible else dict(fields))


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
            JsonSchema(minProperties=2),  # feedback_id and another one; an "anyOf" would break generated clients
        ],
        errors=(404,),
    )
    scope = Scope.PREDICT

    async def post(self) -> None:
        """Record a feedback."""
        self.read_form()
        user_feedback = self._user_feedback()
        stored = await self.server.worker_pool.run(
            self.service.give_feedback,
            await self._prediction_id(),
            user_feedback=user_feedback,
            user_comment=self.get_body_argument("user_comment", None) or None,
            true_label=self._true_label(),
            delete_comment=self.flag("delete_comment"),
        )
        if user_feedback is not None:
            self.server.metrics.count_rating(user_feedback)
        self.write({"success": True, "message": self.translator(N_("Thank you for your feedback.")), "stored": stored})

    async def _prediction_id(self) -> UUID:
        """Read the identifier of a prediction, which is an integer for one that V2 made."""
        text = self.get_body_argument("feedback_id", "")
        if self.is_v2_compatible and text.isascii() and text.isdecimal():
            found: UUID | None = await self.server.database_pool.run(self.server.service.v2_prediction_id, text)
            if found is not None:
                return found
        return self.feedback_id()

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
