"""Domain types: what a prediction, a consent and the state of the service are.

Plain data only, so that a visitor's kernel can import it without a model or a database driver.
The ``TypedDict`` classes are shapes of the REST contract, in JSON: the in-process service and the HTTP one return
the same, and :mod:`catsdogs.server.api.schemas` makes the OpenAPI schemas from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

from typing_extensions import TypedDict  # pydantic makes no schema of typing's own before Python 3.12

from catsdogs.json_types import Count, JsonSchema

MAX_COMMENT = 1000
"""Longest comment on an answer, in characters."""


class Answer(StrEnum):
    """What the model says a photo shows, as stored in ``prediction_result``."""

    CAT = "cat"
    DOG = "dog"
    NEITHER = "neither"
    ERROR = "error"
    """There is no answer: the photo could not be read."""


AnswerName = Annotated[str, JsonSchema(enum=list(Answer))]


class TrueLabel(StrEnum):
    """What a person says the photo shows."""

    CAT = "cat"
    DOG = "dog"
    BOTH = "both"
    NEITHER = "neither"


TrueLabelName = Annotated[str, JsonSchema(enum=list(TrueLabel))]


class ReviewDecision(StrEnum):
    """A reviewer's decision on a photo kept for training."""

    CAT = "cat"
    DOG = "dog"
    NEITHER = "neither"
    LEFT_OUT = "left_out"
    """The photo is not used for training."""


class Note(StrEnum):
    """What a person should know about how the photo was read: what was used, or that a part is missing."""

    FIRST_FRAME = "first_frame"  # of an animation
    LATER_FRAME = "later_frame"  # of an animation that begins with an empty picture
    FIRST_PAGE = "first_page"
    MAIN_PICTURE = "main_picture"
    INCOMPLETE = "incomplete"  # the end of the file is missing
    ENDS_LEFT_OUT = "ends_left_out"  # the picture is so long that only its middle was looked at


class Doubt(StrEnum):
    """Why an answer is uncertain."""

    UNSURE = "unsure"
    """The photo lies near the decision boundary between two answers."""
    BOTH = "both"
    """The photo seems to show both a cat and a dog."""


class Box(NamedTuple):
    """A part of a photo, in shares of its upright width and height, 0..1."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Class-activation map of a photo: which parts of it speak for a cat, and which for a dog."""

    activation: tuple[tuple[float, ...], ...]
    """Activations row by row, in logits to three decimals: positive for a dog, negative for a cat. Their mean is
    the logit of `proba_dog`."""
    box: Box
    """Part of the photo that the map covers: the square that the network saw."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's answer for one photo.

    ``proba_cat + proba_dog == 1``: they compare the two animals, whether or not one is in the photo.
    """

    answer: Answer
    proba_cat: float
    """Probability that the animal is a cat, 0..1."""
    proba_dog: float
    """Probability that the animal is a dog, 0..1."""
    neither_score: float
    """Confidence of the model that the photo shows neither a cat nor a dog, 0..1."""
    model_version: str
    inference_time_ms: float  # from the photo's bytes to the answer
    notes: tuple[Note, ...] = ()
    doubt: Doubt | None = None
    explanation: Explanation | None = None
    """Class-activation map; ``None`` where it was not kept, as in the database."""

    @property
    def confidence(self) -> float:
        """Confidence in the answer given, 0..1; for a cat or a dog, only against the other animal."""
        if self.answer is Answer.NEITHER:
            return self.neither_score
        return max(self.proba_cat, self.proba_dog)

    @property
    def probabilities(self) -> dict[Answer, float]:
        """Probability of each answer, 0..1, with everything that the model found; they add up to 1.

        A photo that may show neither is less surely a cat or a dog, however clearly these two are told apart.
        """
        pet = 1 - self.neither_score
        return {Answer.CAT: pet * self.proba_cat, Answer.DOG: pet * self.proba_dog, Answer.NEITHER: self.neither_score}

    @property
    def probability(self) -> float:
        """Probability of the answer given, 0..1: how sure the model is, as people are told."""
        return self.probabilities[self.answer]


class ConsentChannel(StrEnum):
    """How a decision about consent reached the service."""

    APP = "app"
    REST = "rest"
    CLI = "cli"
    """On the machine itself: by a command, or by a notebook that holds the service."""
    UNKNOWN = "unknown"
    """The decision is older than this column."""


class PurposeName(StrEnum):
    """What a person may consent to: the fields of `Consent` that are true or false."""

    FILENAME_AND_COMMENT = "filename_and_comment"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's decision, one field for each purpose. Nothing is agreed to by default."""

    filename_and_comment: bool = False
    """Whether the file's name and the person's comment may be kept (``rgpd_consent``)."""
    photo: bool = False
    """Whether the photo may be kept for training (``photo_consent``)."""
    language: str = "en"
    """Language in which the consent text was shown."""
    channel: ConsentChannel = ConsentChannel.CLI
    """Channel through which the person decided."""

    @property
    def any(self) -> bool:
        """Whether the person agreed to anything."""
        return self.filename_and_comment or self.photo


@dataclass(frozen=True, slots=True)
class PhotoToReview:
    """A photo kept for training, with the label given by the person who sent it."""

    prediction_id: UUID
    jpeg: bytes
    answer: Answer
    """The model's answer."""
    probability: float
    """Probability of the answer, 0..1, as :attr:`Prediction.probability` computes it."""
    model_version: str | None
    true_label: TrueLabel
    """Label given by the person who sent the photo."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A recorded prediction, as the person who sent the photo gets it."""

    prediction: Prediction
    feedback_id: UUID
    """Identifier of the prediction, for feedback on it (UUIDv7)."""
    receipt: str | None
    """Receipt code to export, withdraw or erase what was kept with consent; shown once, ``None`` without consent."""
    stored: bool
    """Whether the record is in the database; if not, it waits in the spool until the database is back."""
    recorded: bool = True
    """Whether there is a record at all; if not, neither database nor spool could take it: only the answer is given."""


@dataclass(frozen=True, slots=True)
class ConsentOutcome:
    """A recorded decision about consent, as the person who decided gets it."""

    receipt: str | None
    """Receipt code of everything kept about the photo: a new one after a first consent, to be shown once, else the one
    that was given; ``None`` where nothing was ever kept with consent."""
    stored: bool
    """Whether the decision is in the database; if not, it waits in the spool until the database is back."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a withdrawal, an erasure or a purge removed."""

    predictions: list[UUID]
    """Predictions that were deleted (by an erasure) or made anonymous."""
    photos: int
    """Number of photos deleted."""
    waiting: int
    """Number of records that waited in the spool."""


@dataclass(frozen=True, slots=True)
class DataController:
    """Who is responsible for people's data (GDPR, Article 4), as the privacy notice names them."""

    name: str
    contact: str
    """Address at which people reach the controller."""
    retention_days: int
    """Longest time that personal data are kept, in days."""


UNKNOWN_CONTROLLER = DataController("", "", 365)
"""The controller where the settings name none."""


class ServiceProblem(StrEnum):
    """What does not work as it should, while predictions go on."""

    DATABASE = "database"
    """The database cannot be reached or written, or is slow: records wait in the spool."""
    SPOOL = "spool"
    """The spool is almost full: soon answers are not recorded."""
    SET_ASIDE = "set_aside"
    """Some records could not be stored."""
    DISK = "disk"
    """A disk is almost full, or cannot be written."""
    MODEL = "model"
    """The promoted version cannot be loaded: an earlier one is served."""
    RULES = "rules"
    """The file of alert rules has a mistake: the last valid rules apply."""


class ServiceHealth(TypedDict):
    """State of the service."""

    status: Annotated[str, JsonSchema(enum=["healthy", "degraded"])]
    """``degraded`` while predictions work but something else does not."""
    degraded: list[ServiceProblem]
    """Problems found."""
    model_loaded: bool
    database: Annotated[str, JsonSchema(enum=["connected", "slow", "unavailable"])]
    """``slow`` where it had not answered yet when this was written."""
    spooled: Count
    """Number of records that wait in the spool for the database."""
    set_aside: Count
    """Number of records that could not be stored, and were set aside."""


class ModelInfo(TypedDict):
    """The served model."""

    model_loaded: bool
    version: str
    parameters: Count
    """Number of the network's parameters."""
    classes: list[str]
    input_size: Count
    """Side of the network's input, in pixels."""
    metrics: dict[str, object]
    """Results of the evaluation, as the model card has them."""
    features: list[str]
    """What the service offers beside the answer."""
    card: str
    """Model card for people, as Markdown."""
