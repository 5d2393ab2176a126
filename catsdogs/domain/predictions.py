"""What a prediction, an answer and a rating are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

from catsdogs.json_types import JsonSchema

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


def is_right(answer: Answer, label: TrueLabel) -> bool:
    """Return whether an answer is right for a photo of this label; "both" agrees with either animal."""
    return label.value == answer.value or (label is TrueLabel.BOTH and answer in (Answer.CAT, Answer.DOG))


def contradict(answer: Answer, rating: int | None, label: TrueLabel | None) -> bool:
    """Return whether a rating and a label contradict each other; the database refuses such a row.

    The label "both" fits either rating of an answer with one of the animals: it is right, and it is not all.
    """
    if rating is None or label is None or answer is Answer.ERROR:
        return False
    return not is_right(answer, label) if rating else label.value == answer.value


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
    PREVIEW = "preview"  # of a picture that would take too long to decode
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
