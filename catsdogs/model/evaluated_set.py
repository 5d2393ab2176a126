"""What a model said of labelled photos: they are looked at once, whatever is then told from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.model.classifier import Seen
from catsdogs.model.drift_reference import Reference
from catsdogs.model.evaluation import Measured, measure
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.model.uncertainty import Doubts


class Look(NamedTuple):
    """At one photo."""

    label: Answer
    """What it shows."""
    prediction: Prediction
    statistics: ImageStatistics


@dataclass(frozen=True)
class Observed:
    """A set of photos, best one that the model was not trained on, and what the model said of each."""

    name: str
    """Of the set."""
    looks: Mapping[Path, Look]
    """At the photos that could be read."""
    unreadable: int = 0

    @classmethod
    def of(
        cls,
        name: str,
        labels: Mapping[Path, Answer],
        results: Iterable[tuple[Path, Seen | InvalidImage]],
        advance: Callable[[], object] = lambda: None,
    ) -> Self:
        """Collect what a model says of labelled photos, see :meth:`catsdogs.model.classifier.Classifier.look_at_files`.

        `advance` is called after each photo.
        """
        looks = {}
        for path, result in results:
            if not isinstance(result, InvalidImage):
                looks[path] = Look(labels[path], *result)
            advance()
        return cls(name, looks, len(labels) - len(looks))

    @property
    def shows_pets(self) -> bool:
        """Whether there are pets in it."""
        return any(look.label is not Answer.NEITHER for look in self.looks.values())

    def among(self, paths: Collection[Path]) -> Self:
        """Take some of the photos."""
        return replace(self, looks={path: self.looks[path] for path in paths})

    def measured(self, doubts: Doubts) -> Measured:
        """Compare answers, with their doubts, and labels.

        Raises
        ------
        InvalidInput
            Nothing could be read.
        """
        looks = self.looks.values()
        predictions = [(look.label, replace(look.prediction, doubt=doubts.about(look.prediction))) for look in looks]
        return measure(predictions, self.unreadable)

    def doubts(self) -> Doubts:
        """Choose which answers are in doubt, by the photos of pets.

        Raises
        ------
        InvalidInput
            None of them was answered with an animal.
        """
        pets = [look.prediction for look in self.looks.values() if look.label is not Answer.NEITHER]
        _require_an_animal(pets)
        return Doubts.of(self.name, pets)

    def reference(self, input_size: int) -> Reference:
        """Count what drift is told from; `input_size` is the side of the square that the network sees, in pixels.

        Raises
        ------
        InvalidInput
            No photo was answered with an animal.
        """
        _require_an_animal([look.prediction for look in self.looks.values()])
        seen = [(look.prediction, look.statistics) for look in self.looks.values()]
        return Reference.of(self.name, seen, input_size)


def _require_an_animal(predictions: Iterable[Prediction]) -> None:
    if all(prediction.answer is Answer.NEITHER for prediction in predictions):
        raise InvalidInput("None of these photos shows the model a cat or a dog: there is nothing to compare with.")
