"""JSON shapes of the REST API's responses, beside predictions, key figures and the state of the service."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from typing_extensions import TypedDict

from catsdogs.alerting.alert import Alert
from catsdogs.domain import AnswerName, ConsentChannel, ConsentOutcome, Removal, TrueLabelName
from catsdogs.json_types import Count, Identifier, JsonSchema, Milliseconds, Share, Timestamp
from catsdogs.monitoring.figures import RecentPrediction


class ErrorResponse(TypedDict):
    """What went wrong."""

    detail: str
    """A sentence for people, in the language that the request asks for."""


class FeedbackResponse(TypedDict):
    """Acknowledgement of a feedback."""

    success: bool
    message: str
    """A sentence for people, in the language that the request asks for."""
    stored: bool
    """Whether the feedback is in the database; if not, it waits on disk until the database is back."""


class ConsentResponse(TypedDict):
    """What became of a decision about consent."""

    receipt: str | None
    """Receipt code to export, withdraw or erase what is kept: a new one after a first consent, shown once, else the one
    that was sent; null where nothing was ever kept with consent."""
    stored: bool
    """Whether the decision is in the database; if not, it waits on disk until the database is back."""


class RecentPredictions(TypedDict):
    """Single predictions."""

    predictions: list[RecentPrediction]
    count: Count
    """Number of predictions listed."""


class Alerts(TypedDict):
    """Alerts that are firing, pending, or were resolved recently."""

    alerts: list[Alert]


class ChangeToken(TypedDict):
    """A text that differs from an earlier one if anything was recorded in between."""

    change_token: str


class Liveness(TypedDict):
    """State of the process."""

    status: Annotated[str, JsonSchema(enum=["alive"])]


class Readiness(TypedDict):
    """Whether the server takes requests."""

    status: Annotated[str, JsonSchema(enum=["ready"])]


class ExportedDecision(TypedDict):
    """One decision about consent."""

    id: Identifier
    filename_and_comment: bool
    """Whether the file's name and the comment may be kept."""
    photo: bool
    """Whether the photo may be kept for training."""
    text_version: str
    """Version of the consent text that was shown."""
    text_hash: str
    """SHA-256 of the consent text that was shown."""
    language: str
    how: Annotated[str, JsonSchema(enum=list(ConsentChannel))]
    """Channel through which the person decided."""
    decided_at: Timestamp
    withdrawn_at: Timestamp | None


class ExportedPrediction(TypedDict):
    """One prediction as it is stored, and the feedback on it."""

    id: Identifier
    timestamp: Timestamp
    """Time of the prediction."""
    created_at: Timestamp
    """Time at which the row was stored."""
    inference_time_ms: Milliseconds | None
    success: bool
    prediction_result: AnswerName
    proba_cat: Share | None
    proba_dog: Share | None
    neither_score: Share | None
    rgpd_consent: bool
    filename: str | None
    user_feedback: Annotated[int, JsonSchema(enum=[0, 1])] | None
    user_comment: str | None
    true_label: TrueLabelName | None
    feedback_at: Timestamp | None
    model_version: str | None
    error_type: str | None
    """Class of the error, where the photo could not be read."""
    width: int | None
    """Width of the photo, in pixels."""
    height: int | None
    brightness: Share | None
    sharpness: Annotated[float, JsonSchema(minimum=0)] | None
    consent_id: Identifier | None


class ExportedPhoto(TypedDict):
    """One photo kept for training."""

    prediction_id: Identifier
    consent_id: Identifier
    photo_consent: bool
    jpeg: Annotated[str, JsonSchema(contentEncoding="base64", contentMediaType="image/jpeg")]
    width: int
    """Width of the photo, in pixels."""
    height: int
    created_at: Timestamp
    review: str | None
    reviewed_at: Timestamp | None


class Export(TypedDict):
    """Everything held under a receipt code."""

    decisions: list[ExportedDecision]
    predictions: list[ExportedPrediction]
    photos: list[ExportedPhoto]
    waiting: list[dict[str, Any]]
    """Records that wait on disk for the database, with the fields that they will be stored from."""


class RemovalResponse(TypedDict):
    """What a withdrawal or an erasure removed."""

    predictions: list[Identifier]
    """Predictions that were deleted (by an erasure) or made anonymous."""
    photos: Count
    """Number of photos deleted."""
    waiting: Count
    """Number of records that waited on disk for the database."""


def consent_outcome_to_json(outcome: ConsentOutcome) -> ConsentResponse:
    """Write what became of a decision as the REST API sends it."""
    return {"receipt": outcome.receipt, "stored": outcome.stored}


def consent_outcome_from_json(fields: ConsentResponse) -> ConsentOutcome:
    """Read what `consent_outcome_to_json` wrote; raises as `removal_from_json` does."""
    return ConsentOutcome(fields["receipt"], fields["stored"])


def removal_to_json(removal: Removal) -> RemovalResponse:
    """Write a removal as the REST API sends it."""
    predictions = [str(identifier) for identifier in removal.predictions]
    return {"predictions": predictions, "photos": removal.photos, "waiting": removal.waiting}


def removal_from_json(fields: RemovalResponse) -> Removal:
    """Read what `removal_to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        A server of another version wrote something else.
    """
    predictions = [UUID(identifier) for identifier in fields["predictions"]]
    return Removal(predictions, fields["photos"], fields["waiting"])
