"""Evaluation of a trained model, as it is served: metrics, doubt thresholds and drift reference for its card."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from catsdogs.domain import Answer, Explanation
from catsdogs.model.classifier import ClassifiedPhoto, Classifier, answer_of
from catsdogs.model.evaluated_set import EvaluatedSet
from catsdogs.model.evaluation import labelled_photos
from catsdogs.model.fingerprint import fingerprint_files
from catsdogs.model.seen_photos import unseen
from catsdogs.records.review_queue import FeedbackPhotos
from catsdogs.training.labelled_predictions import LabelledPredictions
from catsdogs.training.options import Progress, TrainingOptions, stage_counter

REFERENCE_PHOTOS = 2000
"""Largest number of photos that the drift reference and the thresholds for doubtful answers are computed from."""


def evaluation_sets(options: TrainingOptions) -> dict[str, Mapping[Path, Answer]]:
    """List the labelled photos to evaluate on, by name of the set.

    Raises
    ------
    InvalidInput
        A folder holds no photos.
    """
    neither = {path: label for path, label in labelled_photos(options.folder).items() if label is Answer.NEITHER}
    sets: dict[str, Mapping[Path, Answer]] = {"neither": neither} if neither else {}
    return sets | {name: labelled_photos(folder) for name, folder in options.validation.items()}


def evaluate_version(
    classifier: Classifier,
    sets: Mapping[str, Mapping[Path, Answer]],
    feedback: FeedbackPhotos,
    held_out: LabelledPredictions,
    progress: Progress,
) -> dict[str, Any]:
    """Evaluate a written version on photos that it was not trained on.

    The thresholds for doubtful answers and the drift reference come from the first set that shows pets, best one that
    the model was not trained on; without one, from the training photos, see :func:`held_out_answers`.

    Parameters
    ----------
    sets
        From :func:`evaluation_sets`.
    feedback
        People's photos; those of neither are a set of their own.
    held_out
        Predictions of cross-validation for the training photos.

    Returns
    -------
    dict
        Fields of the model card: ``doubts``, ``metrics``, ``seen`` and ``reference``.
    """
    left = {name: unseen(photos, [classifier.seen]) for name, photos in sets.items()}
    evaluated = [_evaluate_files(classifier, name, photos, progress) for name, photos in left.items() if photos]
    neither = {path: label for path, label in feedback.labels.items() if label is Answer.NEITHER}
    if neither:
        results = _classify_in_memory(classifier, feedback, neither)
        evaluated.append(EvaluatedSet.collect("neither, from feedback", neither, results))
    typical = next((one.subset(_sample(one.photos)) for one in evaluated if one.has_pets), None)
    if typical is None:
        labels = dict(zip(held_out.paths, held_out.labels, strict=True))
        trained = _evaluate_files(classifier, "train", {path: labels[path] for path in _sample(labels)}, progress)
        typical = held_out_answers(trained, held_out)
    doubts = typical.doubt_thresholds()
    return {
        "doubts": doubts,
        "metrics": {one.name: one.metrics(doubts) for one in evaluated},
        "seen": {name: len(sets[name]) - len(photos) for name, photos in left.items() if len(photos) < len(sets[name])},
        "reference": typical.drift_reference(classifier.card.input_size),
    }


def held_out_answers(trained: EvaluatedSet, held_out: LabelledPredictions) -> EvaluatedSet:
    """Replace the answers for training photos by those of cross-validation, by models that had not seen them.

    On photos that it was trained on, a model of a few dozen photos is so sure that it would call half of all others
    unsure, or photos of both animals. The class-activation maps stay those of the model, but are shifted: their mean is
    the logit that cross-validation found.
    """
    scores = dict(
        zip(
            held_out.paths,
            zip(held_out.proba_dog.tolist(), held_out.neither_score.tolist(), strict=True),
            strict=True,
        )
    )
    photos = {}
    for path, photo in trained.photos.items():
        proba_dog, neither_score = scores[path]
        prediction = replace(
            photo.prediction,
            answer=answer_of(proba_dog, neither_score),
            proba_cat=1 - proba_dog,
            proba_dog=proba_dog,
            neither_score=neither_score,
            explanation=_shifted(photo.prediction.explanation, proba_dog),
        )
        photos[path] = photo._replace(prediction=prediction)
    return replace(trained, photos=photos)


def _shifted(explanation: Explanation | None, proba_dog: float) -> Explanation | None:
    """Shift a class-activation map by one figure, so that its mean is the logit of `proba_dog`."""
    if explanation is None:
        return None
    activation = np.array(explanation.activation)
    activation += logit(np.clip(proba_dog, 1e-9, 1 - 1e-9)) - activation.mean()
    return replace(explanation, activation=tuple(map(tuple, activation.tolist())))


def _evaluate_files(
    classifier: Classifier, name: str, photos: Mapping[Path, Answer], progress: Progress
) -> EvaluatedSet:
    advance = stage_counter(progress, f"measuring on {name}", len(photos))
    found = EvaluatedSet.collect(name, photos, classifier.classify_files_with_statistics(photos), advance)
    return replace(found, fingerprint=fingerprint_files({path: photos[path] for path in found.photos}))


def _classify_in_memory(
    classifier: Classifier, feedback: FeedbackPhotos, paths: Collection[Path]
) -> Iterator[tuple[Path, ClassifiedPhoto]]:
    for path in paths:
        yield path, classifier.classify(feedback.content[path])


def _sample(paths: Collection[Path]) -> list[Path]:
    """Choose at most `REFERENCE_PHOTOS`, spread evenly."""
    return sorted(paths)[:: -(-len(paths) // REFERENCE_PHOTOS)]
