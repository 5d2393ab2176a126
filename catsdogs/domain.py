"""The words of the house: what a prediction, a consent and a statistic are.

Plain data only, so that a visitor's kernel can import it without a model or a database driver.
The ``TypedDict`` classes are the JSON shapes of the REST contract: the in-process service and the
HTTP one return the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypedDict
from uuid import UUID

MAX_COMMENT = 1000
"""Longest comment on an answer, in characters."""


class Answer(StrEnum):
    """What the photo shows, as stored in ``prediction_result``."""

    CAT = "cat"
    DOG = "dog"
    NEITHER = "neither"
    ERROR = "error"
    """No answer: the photo could not be read."""


class TrueLabel(StrEnum):
    """What a person says the photo really shows."""

    CAT = "cat"
    DOG = "dog"
    BOTH = "both"
    NEITHER = "neither"


class Review(StrEnum):
    """What a reviewer decided of a photo kept for training."""

    CAT = "cat"
    DOG = "dog"
    NEITHER = "neither"
    LEFT_OUT = "left_out"
    """No model learns from it."""


class Note(StrEnum):
    """What a person should know about how the photo was read."""

    FIRST_FRAME = "first_frame"
    """An animation: only its first picture was looked at."""


class Doubt(StrEnum):
    """Why an answer should be taken with care."""

    UNSURE = "unsure"
    """The photo lies near the line between two answers."""
    BOTH = "both"
    """There seem to be a cat and a dog."""


class Box(NamedTuple):
    """A part of a photo, in shares of its upright width and height, 0..1."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What in a photo spoke for a cat, and what for a dog: exactly what the answer was made of."""

    activation: tuple[tuple[float, ...], ...]
    """Class-activation map, row by row: how much each place speaks for a dog (positive) or a cat
    (negative), in logits to three decimals; its mean is the logit of the probability of a dog."""
    box: Box
    """What the map covers: the square that the model saw."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's answer for one photo.

    ``proba_cat + proba_dog == 1``: they compare the two animals, whether or not one is there.
    """

    answer: Answer
    proba_cat: float
    """Probability that the animal is a cat, 0..1."""
    proba_dog: float
    """Probability that the animal is a dog, 0..1."""
    neither_score: float
    """How sure the model is that there is neither a cat nor a dog, 0..1."""
    model_version: str
    inference_time_ms: float
    """From the photo's bytes to the answer, decoding included, in milliseconds."""
    notes: tuple[Note, ...] = ()
    doubt: Doubt | None = None
    explanation: Explanation | None = None
    """``None`` where it was not kept, as in the database."""

    @property
    def confidence(self) -> float:
        """Confidence in the answer given, 0..1."""
        if self.answer is Answer.NEITHER:
            return self.neither_score
        return max(self.proba_cat, self.proba_dog)


class Channel(StrEnum):
    """How a decision about consent was made."""

    APP = "app"
    REST = "rest"
    CLI = "cli"
    """On the machine itself: a command, or a notebook that holds the service."""
    UNKNOWN = "unknown"
    """Before this was noted."""


class PurposeName(StrEnum):
    """What a person may agree to: the fields of `Consent` that say yes or no."""

    FILENAME_AND_COMMENT = "filename_and_comment"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's decision, one field a purpose. Nothing is agreed to by default."""

    filename_and_comment: bool = False
    """Keep the file's name and the person's comment (``rgpd_consent``)."""
    photo: bool = False
    """Keep the photo for training (``photo_consent``)."""
    language: str = "en"
    """Language in which the consent text was shown."""
    how: Channel = Channel.CLI
    """Where the person was asked."""

    @property
    def any(self) -> bool:
        """Whether the person agreed to anything."""
        return self.filename_and_comment or self.photo


@dataclass(frozen=True, slots=True)
class PhotoToReview:
    """A photo kept for training, of which the person who sent it said what it shows."""

    prediction_id: UUID
    jpeg: bytes
    answer: Answer
    """What the model said."""
    confidence: float
    """Of the model in its answer, 0..1."""
    model_version: str | None
    true_label: TrueLabel
    """What the person says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the person who sent a photo gets back."""

    prediction: Prediction
    feedback_id: UUID
    """Names the prediction when feedback is given on it (UUIDv7)."""
    receipt: str | None
    """Code to see, withdraw or erase what was kept with consent; shown once, ``None`` without consent."""
    stored: bool
    """False while the database is away: the record waits in the spool, safe."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What a withdrawal, an erasure or a purge removed."""

    predictions: list[UUID]
    """In an erasure gone whole, else made anonymous."""
    photos: int
    waiting: int
    """Records that waited in the spool."""


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


class Degraded(StrEnum):
    """What does not work as it should, while predictions go on."""

    DATABASE = "database"
    """It is away: records wait in the spool."""
    SPOOL = "spool"
    """It is almost full: soon predictions are refused."""
    MODEL = "model"
    """The promoted version cannot be loaded: one before it is served."""


class Health(TypedDict):
    """``GET /health``."""

    status: str
    """``healthy``, or ``degraded`` while predictions work but something else does not."""
    degraded: list[Degraded]
    """What does not."""
    model_loaded: bool
    database: str
    """``connected`` or ``unavailable``."""
    spooled: int
    """Number of records that wait for the database."""


class ModelInfo(TypedDict):
    """``GET /api/info``."""

    model_loaded: bool
    version: str
    parameters: int
    classes: list[str]
    input_size: int
    metrics: dict[str, object]
    features: list[str]
    """What the service offers beside the answer."""
    card: str
    """The model card for people, as Markdown."""


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
    """See :mod:`catsdogs.reference`."""
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


class Measure(StrEnum):
    """What a rule of the alerts looks at; ``monitoring/alerts.toml`` explains each."""

    SATISFACTION = "satisfaction"
    INFERENCE_TIME = "inference_time"
    ERRORS = "errors"
    LOW_CONFIDENCE = "low_confidence"
    ONE_ANSWER = "one_answer"
    ACCURACY = "accuracy"
    DRIFT_CONFIDENCE = "drift_confidence"
    DRIFT_ANSWERS = "drift_answers"
    DRIFT_NEITHER = "drift_neither"
    DRIFT_BRIGHTNESS = "drift_brightness"
    DRIFT_SHARPNESS = "drift_sharpness"
    DRIFT_SIZE = "drift_size"


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    """Its rule is broken, not yet for long enough."""
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(TypedDict):
    """``GET /api/alerts``: one time that a rule was broken; :mod:`catsdogs.monitoring.alert_words` says it."""

    rule: str
    measure: Measure
    state: AlertState
    since: str
    """When it was first seen, ISO 8601, UTC."""
    fired_at: str | None
    resolved_at: str | None
    value: float
    """What was measured last."""
    n: int
    """On how many predictions or opinions."""
    limit: float
