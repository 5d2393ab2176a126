"""What an operator looks at: key figures, single predictions, the model's health.

Plain data, as :mod:`catsdogs.domain` is: the JSON shapes of the REST contract, which the in-process service
and the HTTP one return alike.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypedDict


class Latency(TypedDict):
    """Inference time in milliseconds; ``None`` where there is no prediction."""

    mean: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Satisfaction(TypedDict):
    """Of the people who said whether the answer was right."""

    rate: float | None
    """Share of satisfied people, 0..1."""
    low: float | None
    """Lower end of the 95 % Wilson interval."""
    high: float | None
    n: int
    satisfied: int
    unsatisfied: int


class Previous(TypedDict):
    """Figures of the window of the same length just before."""

    total_predictions: int
    errors: int
    rgpd_consents: int
    mean_ms: float | None
    satisfaction: Satisfaction


class Bucket(TypedDict):
    """One interval of the time curve."""

    start: str
    """Start of the interval, ISO 8601, UTC."""
    predictions: int
    cat: int
    dog: int
    neither: int
    errors: int
    satisfied: int
    unsatisfied: int
    mean: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class FeedbackPoint(TypedDict):
    """One feedback, for the scatter over time."""

    timestamp: str
    user_feedback: int
    prediction_result: str
    confidence: float | None
    user_comment: str | None


class Statistics(TypedDict):
    """``GET /api/statistics``: V2's four figures, then the KPIs of the window."""

    total_predictions: int
    successful_predictions: int
    rgpd_consents: int
    success_rate: float
    """In percent (0..100), as V2 gave it. All other rates are shares, 0..1."""
    error_rate: float | None
    consent_rate: float | None
    answers: dict[str, int]
    """Number of predictions by answer: cat, dog, neither, error."""
    inference_time_ms: Latency
    """Where there are many predictions, p50, p95 and p99 are within 2 %; all else is exact."""
    satisfaction: Satisfaction
    previous: Previous | None
    """``None`` for a window without a start."""
    bucket_seconds: int
    timeline: list[Bucket]
    feedback: list[FeedbackPoint]
    """The latest feedbacks of the window, oldest first; at most 1,500."""
    model_versions: list[str]


LEAST_SURE_OF = 10_000
"""Predictions among which the least sure are found: of a longer window, the latest."""


class Listing(StrEnum):
    """Which single predictions to list."""

    LATEST = "latest"
    LEAST_SURE = "least_sure"
    """The answers of the lowest confidence."""
    DISPUTED = "disputed"
    """The answers that people said were wrong."""


class RecentPrediction(TypedDict):
    """One row of ``GET /api/recent-predictions``."""

    id: str
    timestamp: str
    prediction_result: str
    proba_cat: float | None
    proba_dog: float | None
    confidence: float | None
    """In the answer given, 0..1."""
    inference_time_ms: float | None
    success: bool
    rgpd_consent: bool
    filename: str | None
    user_feedback: int | None
    user_comment: str | None
    true_label: str | None
    """What a person said the photo really shows."""
    model_version: str | None


class Accuracy(TypedDict):
    """How often answers are right."""

    rate: float | None
    """Share of right answers, 0..1."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    n: int


class ReliabilityBin(Accuracy):
    """One bar of the reliability diagram: of answers about as sure as `confidence`, how many were right."""

    confidence: float


class AccuracyBucket(TypedDict):
    """One interval of the accuracy curve."""

    start: str
    judged: Accuracy
    estimated: Accuracy


class Reading(StrEnum):
    """What the figures of a drift mean."""

    TOO_FEW = "too_few"
    NONE = "none"
    MODERATE = "moderate"
    STRONG = "strong"


class Drift(TypedDict):
    """How far one signal moved from the model's reference."""

    signal: str
    """See :mod:`catsdogs.model.drift_reference`."""
    psi: float
    """Population stability index."""
    p_value: float
    """Of the chi-square test that nothing moved."""
    n: int
    reading: Reading
    edges: list[float]
    expected: list[float]
    """Shares of the reference in each bin; one more than `edges`."""
    found: list[float]


class VersionFigures(TypedDict):
    """One model version of a window, beside the others."""

    model_version: str
    share: float
    """Of the window's predictions."""
    judged: Accuracy
    estimated: Accuracy
    neither_rate: float | None
    mean_ms: float | None


class ModelHealth(TypedDict):
    """``GET /api/model-health``: whether the model is still good."""

    model_version: str | None
    """The one that drift is told for: the chosen one, else the latest of the window."""
    reference: str | None
    """Name of the photos that its reference comes from; ``None`` where its card has none."""
    reference_n: int
    judged: Accuracy
    """As people judged the answers; Wilson's interval."""
    estimated: Accuracy
    """Of the answers cat and dog, without labels (CBPE)."""
    timeline: list[AccuracyBucket]
    reliability: list[ReliabilityBin]
    drift: list[Drift]
    versions: list[VersionFigures]
    whole: bool
    """Whether every prediction was looked at; of many, a sample is enough, and `n` says how large it was."""
