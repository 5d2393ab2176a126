"""What requests to the REST API hold: the fields of their forms, and the parameters of their queries.

The parameters that filter predictions are in :mod:`catsdogs.monitoring.prediction_filter`.
"""

from __future__ import annotations

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from catsdogs.domain import MAX_COMMENT, RECEIPT_PATTERN, PurposeName, TrueLabelName
from catsdogs.i18n import LANGUAGES
from catsdogs.json_types import Identifier, JsonSchema, Timestamp
from catsdogs.model.photo_limits import (
    FORMATS,
    MAX_AVIF_MEGAPIXELS,
    MAX_DEEP_PNG_MEGAPIXELS,
    MAX_DEEP_TIFF_MEGABYTES,
    MAX_HEIC_MEGAPIXELS,
    MAX_JPEG_MEGAPIXELS,
    MAX_MEGABYTES,
    MAX_MEGAPIXELS,
    MAX_WEBP_MEGAPIXELS,
)
from catsdogs.samples import SAMPLES

_PHOTO = (
    f"{FORMATS}; at most {MAX_MEGABYTES} MB and {MAX_MEGAPIXELS} megapixels, or {MAX_JPEG_MEGAPIXELS} as a JPEG "
    f"that is not progressive, or {MAX_HEIC_MEGAPIXELS} as HEIC, {MAX_WEBP_MEGAPIXELS} as WebP and "
    f"{MAX_AVIF_MEGAPIXELS} as AVIF; of a larger HEIC, its preview is looked at; a PNG with 16-bit colours and "
    f"transparency has at most {MAX_DEEP_PNG_MEGAPIXELS} megapixels; a TIFF with more than eight bits a sample has at "
    f"most {MAX_DEEP_TIFF_MEGABYTES} MB of pixels, in 16-bit floating point half of that"
)


NewReceipt = Annotated[str, JsonSchema(pattern=RECEIPT_PATTERN, examples=["7Q2M-X4KD-9TBN-0VJ5-HRW8-CE3F-PG6A"])]
"""A receipt code that the client chooses."""


class PredictFields(TypedDict):
    """A photo, and the person's consent."""

    file: Annotated[bytes, JsonSchema(description=_PHOTO)]
    rgpd_consent: NotRequired[bool]
    """Consent to keeping the file's name and a comment."""
    photo_consent: NotRequired[bool]
    """Consent to keeping the photo for training."""
    consent_language: NotRequired[Annotated[str, JsonSchema(examples=list(LANGUAGES))]]
    """Language in which the person read the consent text; by default, that of the request."""
    new_receipt: NotRequired[NewReceipt]
    """Receipt code of what is kept with consent, chosen at random; by default, the server makes one. A request that is
    repeated with the same code, because its response was lost, gives the same feedback_id and records nothing more."""


class ConsentFields(TypedDict):
    """A person's new decision about a prediction of theirs; a purpose that is not sent is withdrawn."""

    feedback_id: Identifier
    rgpd_consent: NotRequired[bool]
    """Consent to keeping the file's name and a comment."""
    photo_consent: NotRequired[bool]
    """Consent to keeping the photo for training."""
    consent_language: NotRequired[Annotated[str, JsonSchema(examples=list(LANGUAGES))]]
    """Language in which the person read the consent text; by default, that of the request."""
    receipt: NotRequired[str]
    """Receipt code of the earlier decisions; needed if there was one."""
    new_receipt: NotRequired[NewReceipt]
    """Receipt code of a first decision, chosen at random; by default, the server makes one. With it, a request whose
    response was lost can be repeated."""
    known_rgpd_consent: NotRequired[bool]
    """With known_photo_consent: the decision that applies as far as the person knows. Where another one does, the
    answer is 409 and nothing is changed."""
    known_photo_consent: NotRequired[bool]
    """See known_rgpd_consent."""
    file: NotRequired[Annotated[bytes, JsonSchema(description=f"The photo of the prediction: {_PHOTO}")]]
    """The photo; needed with photo_consent if it is not kept yet."""
    filename: NotRequired[str]
    """Name of the file; by default, that of `file`."""


class FeedbackFields(TypedDict):
    """Feedback on a prediction."""

    feedback_id: Identifier
    user_feedback: NotRequired[Annotated[int, JsonSchema(enum=[0, 1])]]
    """1 satisfied, 0 not."""
    user_comment: NotRequired[Annotated[str, JsonSchema(minLength=1, maxLength=MAX_COMMENT)]]
    """A comment; needs rgpd_consent. An empty one changes nothing."""
    true_label: NotRequired[TrueLabelName]
    """What the photo shows; with user_feedback, none that contradicts it; alone, it corrects an earlier rating that it
    contradicts. A rating without a label clears the label."""
    delete_comment: NotRequired[Annotated[bool, JsonSchema(enum=[True])]]
    """Deletes the comment that was given earlier; not together with user_comment."""


class ReceiptFields(TypedDict):
    """A receipt code."""

    receipt: Annotated[str, JsonSchema(minLength=1)]
    """The code shown once, when consent was given."""


class WithdrawFields(ReceiptFields):
    """A receipt code, and the purpose of which consent is withdrawn."""

    purpose: NotRequired[Annotated[str, JsonSchema(enum=list(PurposeName))]]
    """Purpose of which consent is withdrawn; by default, all."""


class SampleQuery(TypedDict, total=False):
    """Which sample picture is classified."""

    name: Annotated[str, JsonSchema(enum=[sample.name for sample in SAMPLES], default=SAMPLES[0].name)]
    """Name of the sample picture."""


class AlertsQuery(TypedDict, total=False):
    """The time window of the alerts listed: those that were open at some time in it."""

    since: Timestamp
    """Start of the window; by default a day before its end."""
    until: Timestamp
    """End of the window, by default now: each alert is as it was then."""
