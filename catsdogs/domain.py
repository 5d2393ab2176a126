"""The words of the house: what a prediction and a consent are.

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
MAX_PIXELS = 50_000_000
"""Largest photo, width times height."""
MAX_JPEG_PIXELS = 250_000_000
"""Largest JPEG that is not progressive: it is decoded at a fraction of its size."""


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


class ReviewDecision(StrEnum):
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


class ConsentChannel(StrEnum):
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
    how: ConsentChannel = ConsentChannel.CLI
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
class Removal:
    """What a withdrawal, an erasure or a purge removed."""

    predictions: list[UUID]
    """In an erasure gone whole, else made anonymous."""
    photos: int
    waiting: int
    """Records that waited in the spool."""


@dataclass(frozen=True, slots=True)
class DataController:
    """Who answers for people's data, as the notice says it."""

    name: str
    contact: str
    """Where to reach them."""
    retention_days: int
    """Longest that anything personal is kept."""


UNKNOWN_CONTROLLER = DataController("", "", 365)
"""Where nothing is set."""


class ServiceProblem(StrEnum):
    """What does not work as it should, while predictions go on."""

    DATABASE = "database"
    """It is away: records wait in the spool."""
    SPOOL = "spool"
    """It is almost full: soon predictions are refused."""
    MODEL = "model"
    """The promoted version cannot be loaded: one before it is served."""
    RULES = "rules"
    """The file of alert rules has a mistake: those of before hold."""


class ServiceHealth(TypedDict):
    """``GET /health``."""

    status: str
    """``healthy``, or ``degraded`` while predictions work but something else does not."""
    degraded: list[ServiceProblem]
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
