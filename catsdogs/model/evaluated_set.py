"""Predictions of a model for labelled photos: made once, for metrics, doubt thresholds and drift reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.model.classifier import ClassifiedPhoto
from catsdogs.model.drift_reference import DriftReference
from catsdogs.model.evaluation import EvaluationMetrics, measure
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.model.uncertainty import DoubtThresholds


class EvaluatedPhoto(NamedTuple):
    """A photo's label, its prediction and its statistics."""

    label: Answer
    prediction: Prediction
    statistics: ImageStatistics


@dataclass(frozen=True)
class EvaluatedSet:
    """A set of labelled photos, best one that the model was not trained on, with the model's predictions."""

    name: str
    photos: Mapping[Path, EvaluatedPhoto]
    """The photos that could be read."""
    unreadable: int = 0
    """Number of the other photos."""
    fingerprint: str = ""
    """See :mod:`catsdogs.model.fingerprint`; empty where the photos are not files."""

    @classmethod
    def collect(
        cls,
        name: str,
        labels: Mapping[Path, Answer],
        results: Iterable[tuple[Path, ClassifiedPhoto | InvalidImage]],
        advance: Callable[[], object] = lambda: None,
    ) -> Self:
        """Combine labels and results.

        Parameters
        ----------
        name
            Name of the set.
        labels
            Labels of all photos.
        results
            From :meth:`catsdogs.model.classifier.Classifier.classify_files_with_statistics`.
        advance
            Called after each photo.
        """
        photos = {}
        for path, result in results:
            if not isinstance(result, InvalidImage):
                photos[path] = EvaluatedPhoto(labels[path], *result)
            advance()
        return cls(name, photos, len(labels) - len(photos))

    @property
    def has_pets(self) -> bool:
        """Whether any photo shows a pet."""
        return any(photo.label is not Answer.NEITHER for photo in self.photos.values())

    def subset(self, paths: Collection[Path]) -> Self:
        """Return the set of these photos alone."""
        return replace(self, photos={path: self.photos[path] for path in paths}, fingerprint="")

    def metrics(self, doubts: DoubtThresholds) -> EvaluationMetrics:
        """Compare predictions, with the doubts that these thresholds give, and labels.

        Raises
        ------
        InvalidInput
            No photo could be read.
        """
        photos = self.photos.values()
        predictions = [
            (photo.label, replace(photo.prediction, doubt=doubts.doubt_of(photo.prediction))) for photo in photos
        ]
        return replace(measure(predictions, self.unreadable), fingerprint=self.fingerprint)

    def doubt_thresholds(self) -> DoubtThresholds:
        """Choose the thresholds for doubtful answers, by the photos of pets.

        Raises
        ------
        InvalidInput
            None of them was answered with an animal.
        """
        pets = [photo.prediction for photo in self.photos.values() if photo.label is not Answer.NEITHER]
        _require_an_animal(pets)
        return DoubtThresholds.choose(self.name, pets)

    def drift_reference(self, input_size: int) -> DriftReference:
        """Count the signals that drift is computed from; `input_size` is the side of the network's input, in pixels.

        Raises
        ------
        InvalidInput
            No photo was answered with an animal.
        """
        _require_an_animal([photo.prediction for photo in self.photos.values()])
        pairs = [(photo.prediction, photo.statistics) for photo in self.photos.values()]
        return DriftReference.count(self.name, pairs, input_size)


def _require_an_animal(predictions: Iterable[Prediction]) -> None:
    if all(prediction.answer is Answer.NEITHER for prediction in predictions):
        raise InvalidInput("The model answers no photo of this set with cat or dog: there is nothing to compare with.")
