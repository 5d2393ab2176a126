"""Figures for operators: key figures, single predictions, the model's health.

Plain data, as :mod:`catsdogs.domain` is: the JSON shapes of the REST contract, which the in-process service
and the HTTP one return alike.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typing_extensions import TypedDict

from catsdogs.domain import AnswerName, TrueLabelName
from catsdogs.json_types import Count, Day, Identifier, JsonSchema, Milliseconds, Share, Timestamp

Rating = Annotated[int, JsonSchema(enum=[0, 1])]
"""A person's rating of an answer: 1 satisfied, 0 not."""


class Latency(TypedDict):
    """Inference time in milliseconds; null where there is no prediction."""

    mean: Milliseconds | None
    min: Milliseconds | None
    max: Milliseconds | None
    p50: Milliseconds | None
    p95: Milliseconds | None
    p99: Milliseconds | None


class Satisfaction(TypedDict):
    """Satisfaction of the people who rated an answer."""

    rate: Share | None
    """Share of satisfied people."""
    low: Share | None
    """Lower end of the 95 % Wilson interval."""
    high: Share | None
    """Upper end of the 95 % Wilson interval."""
    n: Count
    """Number of ratings."""
    satisfied: Count
    unsatisfied: Count


class Previous(TypedDict):
    """Figures of the window of the same length just before."""

    total_predictions: Count
    errors: Count
    rgpd_consents: Count
    mean_ms: Milliseconds | None
    satisfaction: Satisfaction


class WorstDay(TypedDict):
    """The day of a window on which one figure was worst."""

    day: Day
    value: Annotated[float, JsonSchema(minimum=0)]
    """Mean inference time in milliseconds, or a share."""
    n: Count
    """Number of predictions, or of ratings, on that day."""


class WorstDays(TypedDict):
    """The worst days of a window; null where no day has enough predictions or ratings, or none was bad."""

    latency: WorstDay | None
    """Slowest answers."""
    errors: WorstDay | None
    """Largest share of photos that could not be read."""
    satisfaction: WorstDay | None
    """Smallest share of satisfied people."""


class Bucket(Latency):
    """One interval of the time curve: its predictions, and their inference times in milliseconds."""

    start: Timestamp
    """Start of the interval, in UTC."""
    predictions: Count
    cat: Count
    dog: Count
    neither: Count
    errors: Count
    satisfied: Count
    unsatisfied: Count


class FeedbackPoint(TypedDict):
    """One feedback, for the scatter over time."""

    timestamp: Timestamp
    user_feedback: Rating
    """1 satisfied, 0 not."""
    prediction_result: AnswerName
    confidence: Share | None
    """Probability of the answer, as people were told it: of the animal, less what speaks for neither."""
    user_comment: str | None


class Statistics(TypedDict):
    """Key figures of a time window: first V2's four, then the others."""

    total_predictions: Count
    successful_predictions: Count
    rgpd_consents: Count
    """Number of predictions with consent."""
    success_rate: Annotated[float, JsonSchema(minimum=0, maximum=100)]
    """Share of successful predictions in percent, 0..100, as V2 gave it. All other rates are shares, 0..1."""
    error_rate: Share | None
    """Share of photos that could not be read; null also where the filter names an answer, of which none is an error."""
    consent_rate: Share | None
    answers: dict[str, Count]
    """Number of predictions by answer: cat, dog, neither, error."""
    inference_time_ms: Latency
    """Inference times; where there are many predictions, p50, p95 and p99 are within 2 %, all else is exact."""
    satisfaction: Satisfaction
    start: Timestamp | None
    """Start of the window; where the filter has none, the first prediction; null where there is none at all."""
    end: Timestamp
    """End of the window, not included; where the filter has none, the time of the reply."""
    worst_days: WorstDays | None
    """Worst days of the window, in the time zone of the filter; null for a window of at most two days."""
    previous: Previous | None
    """Figures of the window before; null for a window without a start."""
    bucket_seconds: Count
    """Length of one interval of `timeline`, in seconds."""
    timeline: list[Bucket]
    feedback: list[FeedbackPoint]
    """The latest feedbacks of the window, oldest first; not all where there are many."""
    model_versions: list[str]
    """Model versions that answered in the window."""
    demonstration: bool
    """Whether demonstration data is among these predictions (`catsdogs data demo`)."""


class RecentPrediction(TypedDict):
    """One prediction and the feedback on it."""

    id: Identifier
    timestamp: Timestamp
    prediction_result: AnswerName
    proba_cat: Share | None
    proba_dog: Share | None
    confidence: Share | None
    """Probability of the answer, as people were told it: of the animal, less what speaks for neither."""
    inference_time_ms: Milliseconds | None
    success: bool
    rgpd_consent: bool
    filename: str | None
    """Name of the file; only with consent."""
    user_feedback: Rating | None
    """1 satisfied, 0 not."""
    user_comment: str | None
    true_label: TrueLabelName | None
    """What a person said the photo shows."""
    model_version: str | None


class Accuracy(TypedDict):
    """How often answers are right."""

    rate: Share | None
    """Share of right answers."""
    low: Share | None
    """Lower end of the 95 % interval."""
    high: Share | None
    """Upper end of the 95 % interval."""
    n: Count
    """Number of answers."""


class ReliabilityBin(Accuracy):
    """One bar of the reliability diagram: how many answers of about the same confidence were right."""

    confidence: Share
    """Mean confidence of these answers."""


class Calibration(Accuracy):
    """Judged answers cat and dog: how often they were right, beside the model's confidence in them."""

    confidence: Share
    """Mean confidence: the share of right answers that the model expected (CBPE of these answers)."""
    ece: Share
    """Expected calibration error: mean distance of the bars of the reliability diagram from the diagonal."""


class AccuracyBucket(TypedDict):
    """One interval of the accuracy curve."""

    start: Timestamp
    """Start of the interval, in UTC."""
    judged: Accuracy
    """Accuracy by people's judgement."""
    estimated: Accuracy
    """Accuracy estimated without labels."""


class DriftLevel(StrEnum):
    """How strong a drift is, see :mod:`catsdogs.monitoring.drift_limits`."""

    TOO_FEW = "too_few"
    NONE = "none"
    MODERATE = "moderate"
    STRONG = "strong"


class ReferenceKind(StrEnum):
    """What drift is measured against, or why it is not measured."""

    PHOTOS = "photos"
    """The photos that the model was evaluated on."""
    PERIOD = "period"
    """A period that the operator chose."""
    NONE = "none"
    """The model card holds no reference, or no model answered."""
    NO_CARD = "no_card"
    """The machine that computed the figures does not have the model's card."""


class Drift(TypedDict):
    """How far one signal moved from the model's reference."""

    signal: str
    """Name of the signal."""
    psi: float
    """Population stability index."""
    p_value: Share
    """P-value of the chi-square test of no drift."""
    n: Count
    """Number of predictions."""
    reading: DriftLevel
    edges: list[float]
    """Inner edges of the bins."""
    expected: list[Share]
    """Shares of the reference in each bin; one more than `edges`."""
    found: list[Share]
    """Shares of the predictions in each bin."""


class VersionFigures(TypedDict):
    """Figures of one model version in the window."""

    model_version: str
    share: Share
    """Share of the window's predictions."""
    judged: Accuracy
    estimated: Accuracy
    neither_rate: Share | None
    mean_ms: Milliseconds | None
    """Mean inference time, in milliseconds."""


class ModelHealth(TypedDict):
    """Quality of the model in a time window."""

    model_version: str | None
    """Version that `drift` is about: the chosen one, else the latest of the window."""
    reference_kind: ReferenceKind
    """What `drift` is measured against."""
    reference: str | None
    """Name of the photos that it is measured against, or start and end of the period; null without a reference."""
    reference_n: Count
    """Number of these photos."""
    chosen_reference_n: Count | None
    """Number of photos of `model_version` in the period that was chosen as the reference; null if none was chosen."""
    judged: Accuracy
    """Accuracy by people's judgement, with Wilson's interval."""
    judged_of: Count
    """Number of judged answers in the window; where they are many, `judged` and `reliability` are of a sample."""
    estimated: Accuracy
    """Accuracy of the answers cat and dog, estimated without labels (CBPE). Its interval covers chance alone: it holds
    if the model's probabilities are right."""
    estimated_from: Count
    """Number of predictions read for `estimated`, `drift` and `versions`."""
    estimated_of: Count
    """Number of predictions in the window; where they are many, the figures without labels are of a sample."""
    bucket_seconds: Count
    """Length of one interval of `timeline`, in seconds."""
    timeline: list[AccuracyBucket]
    reliability: list[ReliabilityBin]
    """Bars of the reliability diagram: judged answers cat and dog."""
    calibration: Calibration | None
    """All bars together; null without judged answers."""
    drift: list[Drift]
    versions: list[VersionFigures]
