"""Figures for operators: key figures, single predictions, the model's health.

Plain data, as :mod:`catsdogs.domain` is: the JSON shapes of the REST contract, which the in-process service
and the HTTP one return alike.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typing_extensions import TypedDict

from catsdogs.domain import AnswerName, TrueLabelName
from catsdogs.json_types import Count, Identifier, JsonSchema, Milliseconds, Share, Timestamp

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
    """Confidence of the model in its answer."""
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
    consent_rate: Share | None
    answers: dict[str, Count]
    """Number of predictions by answer: cat, dog, neither, error."""
    inference_time_ms: Latency
    """Inference times; where there are many predictions, p50, p95 and p99 are within 2 %, all else is exact."""
    satisfaction: Satisfaction
    previous: Previous | None
    """Figures of the window before; null for a window without a start."""
    bucket_seconds: Count
    """Length of one interval of `timeline`, in seconds."""
    timeline: list[Bucket]
    feedback: list[FeedbackPoint]
    """The latest feedbacks of the window, oldest first; not all where there are many."""
    model_versions: list[str]
    """Model versions that answered in the window."""


class RecentPrediction(TypedDict):
    """One prediction and the feedback on it."""

    id: Identifier
    timestamp: Timestamp
    prediction_result: AnswerName
    proba_cat: Share | None
    proba_dog: Share | None
    confidence: Share | None
    """Confidence of the model in its answer."""
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
    reference: str | None
    """Name of the photos that the reference of drift comes from; null where the model card has none."""
    reference_n: Count
    """Number of these photos."""
    judged: Accuracy
    """Accuracy by people's judgement, with Wilson's interval."""
    estimated: Accuracy
    """Accuracy of the answers cat and dog, estimated without labels (CBPE)."""
    timeline: list[AccuracyBucket]
    reliability: list[ReliabilityBin]
    drift: list[Drift]
    versions: list[VersionFigures]
    whole: bool
    """Whether every prediction was counted; of many, only a sample is, and `n` is its size."""
