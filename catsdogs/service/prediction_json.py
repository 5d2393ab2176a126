"""Predictions as JSON, written and read in this one module: for the REST API, its client, commands and tables."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from typing_extensions import TypedDict

from catsdogs.domain import Answer, Box, Doubt, Explanation, Note, Outcome, Prediction
from catsdogs.json_types import Identifier, JsonSchema, Milliseconds, Share

_ANSWERS = [answer for answer in Answer if answer is not Answer.ERROR]
Percentage = Annotated[str, JsonSchema(pattern=r"^\d{1,3}\.\d\d%$", examples=["97.12%"])]
"""A share as text, in percent with two decimals."""
NoteName = Annotated[str, JsonSchema(enum=list(Note))]
"""What the person should know about how the photo was read."""


class ExplanationJson(TypedDict):
    """Class-activation map of a photo: which parts of it speak for a cat, and which for a dog."""

    activation: list[list[float]]
    """Activations row by row, in logits: positive for a dog, negative for a cat. Their mean is the logit of
    `proba_dog`."""
    box: Annotated[list[Share], JsonSchema(minItems=4, maxItems=4)]
    """Part of the photo that the map covers: left, top, right, bottom, as shares of the photo's width and height."""


class PredictionFigures(TypedDict):
    """Fields that a prediction has wherever it is written."""

    proba_cat: Share
    """Probability that the animal is a cat."""
    proba_dog: Share
    """Probability that the animal is a dog; 1 - `proba_cat`."""
    neither_score: Share
    """Confidence of the model that the photo shows neither a cat nor a dog."""
    inference_time_ms: Milliseconds
    """Time from the photo's bytes to the answer, in milliseconds."""
    model_version: str
    doubt: Annotated[str, JsonSchema(enum=list(Doubt))] | None
    """Why the answer is uncertain; null where it is not."""


class PredictionRow(PredictionFigures):
    """One row of a table of predictions."""

    prediction: Annotated[str, JsonSchema(enum=_ANSWERS)]


class PredictionLine(PredictionRow):
    """One line of ``catsdogs predict --json``."""

    notes: list[NoteName]
    explanation: ExplanationJson | None


class PercentageByAnimal(TypedDict):
    """The two probabilities as text."""

    cat: Percentage
    dog: Percentage


class SamplePrediction(PredictionFigures):
    """The model's answer for one photo."""

    prediction: Annotated[str, JsonSchema(enum=[answer.capitalize() for answer in _ANSWERS])]
    confidence: Percentage
    """Confidence in the answer given; for a cat or a dog, only against the other animal."""
    probabilities: PercentageByAnimal
    notes: list[NoteName]
    """What the person should know about how the photo was read."""
    explanation: ExplanationJson | None


class RecordedPrediction(SamplePrediction):
    """The model's answer for one photo, and what is needed to give feedback on it."""

    filename: str
    """Name of the file as it was sent; it is stored only with consent."""
    feedback_id: Identifier
    """Identifier of the prediction."""
    receipt: str | None
    """Receipt code to export, withdraw or erase what was kept with consent; shown once, null without consent."""
    stored: bool
    """Whether the record is in the database; if not, it waits on disk until the database is back."""
    recorded: bool
    """Whether there is a record at all; if not, neither the database nor the disk could take it: there is no receipt,
    and no feedback can be given."""


def prediction_row(prediction: Prediction) -> PredictionRow:
    """Write a prediction as one row of a table, without its explanation."""
    return {"prediction": prediction.answer.value, **_figures(prediction)}


def prediction_line(prediction: Prediction) -> PredictionLine:
    """Write a prediction as ``catsdogs predict --json`` prints it."""
    notes = [note.value for note in prediction.notes]
    return {**prediction_row(prediction), "notes": notes, "explanation": _explanation_json(prediction.explanation)}


def prediction_to_json(prediction: Prediction) -> SamplePrediction:
    """Write a prediction as the REST API sends it: V2's fields, and the others of `Prediction`."""
    return {
        "prediction": prediction.answer.value.capitalize(),
        "confidence": _percentage(prediction.confidence),
        "probabilities": {"cat": _percentage(prediction.proba_cat), "dog": _percentage(prediction.proba_dog)},
        **_figures(prediction),
        "notes": [note.value for note in prediction.notes],
        "explanation": _explanation_json(prediction.explanation),
    }


def outcome_to_json(outcome: Outcome, filename: str) -> RecordedPrediction:
    """Write a recorded prediction as the REST API sends it."""
    return {
        "filename": filename,
        **prediction_to_json(outcome.prediction),
        "feedback_id": str(outcome.feedback_id),
        "receipt": outcome.receipt,
        "stored": outcome.stored,
        "recorded": outcome.recorded,
    }


def prediction_from_json(fields: SamplePrediction) -> Prediction:
    """Read what `prediction_to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        A server of another version wrote something else.
    """
    return Prediction(
        answer=Answer(fields["prediction"].lower()),
        proba_cat=fields["proba_cat"],
        proba_dog=fields["proba_dog"],
        neither_score=fields["neither_score"],
        model_version=fields["model_version"],
        inference_time_ms=fields["inference_time_ms"],
        notes=tuple(Note(note) for note in fields["notes"]),
        doubt=Doubt(fields["doubt"]) if fields["doubt"] else None,
        explanation=_explanation(fields["explanation"]),
    )


def outcome_from_json(fields: RecordedPrediction) -> Outcome:
    """Read what `outcome_to_json` wrote; raises as `prediction_from_json` does."""
    prediction = prediction_from_json(fields)
    return Outcome(prediction, UUID(fields["feedback_id"]), fields["receipt"], fields["stored"], fields["recorded"])


def _figures(prediction: Prediction) -> PredictionFigures:
    return {
        "proba_cat": prediction.proba_cat,
        "proba_dog": prediction.proba_dog,
        "neither_score": prediction.neither_score,
        "inference_time_ms": prediction.inference_time_ms,
        "model_version": prediction.model_version,
        "doubt": prediction.doubt.value if prediction.doubt else None,
    }


def _percentage(share: float) -> str:
    return f"{share:.2%}"


def _explanation_json(explanation: Explanation | None) -> ExplanationJson | None:
    if explanation is None:
        return None
    return {"activation": [list(row) for row in explanation.activation], "box": list(explanation.box)}


def _explanation(fields: ExplanationJson | None) -> Explanation | None:
    if fields is None:
        return None
    return Explanation(tuple(tuple(row) for row in fields["activation"]), Box(*fields["box"]))
