"""Labels and predictions of a set of photos: the data of the plots after a training."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput
from catsdogs.model.classifier import Classifier, answer_of
from catsdogs.model.evaluation import labelled_photos
from catsdogs.model.seen_photos import require_unseen

Doubles = npt.NDArray[np.float64]

_COLUMNS = ["file", "label", "proba_dog", "neither_score"]


@dataclass(frozen=True)
class LabelledPredictions:
    """Labels and predictions of n photos."""

    paths: list[Path]
    labels: list[Answer]
    """True content of each photo: cat, dog or neither."""
    proba_dog: Doubles
    """Shape (n,)."""
    neither_score: Doubles
    """Shape (n,)."""

    @classmethod
    def predict(cls, classifier: Classifier, folder: Path) -> Self:
        """Classify the labelled photos of `folder`, except those that the model was trained on and unreadable files.

        Raises
        ------
        InvalidInput
            There are no such photos, see :func:`catsdogs.model.evaluation.labelled_photos`.
        """
        labels = require_unseen(labelled_photos(folder), {classifier.version: classifier.seen})
        results = classifier.classify_files(labels)
        predictions = [(path, result) for path, result in results if isinstance(result, Prediction)]
        return cls(
            [path for path, _ in predictions],
            [labels[path] for path, _ in predictions],
            np.array([prediction.proba_dog for _, prediction in predictions]),
            np.array([prediction.neither_score for _, prediction in predictions]),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a table that :meth:`write` wrote.

        Raises
        ------
        InvalidInput
            The file is missing or is not such a table.
        """
        try:
            with path.open(newline="", encoding="utf-8") as stream:
                rows = list(csv.DictReader(stream))
            return cls(
                [Path(row["file"]) for row in rows],
                [Answer(row["label"]) for row in rows],
                np.array([float(row["proba_dog"]) for row in rows]),
                np.array([float(row["neither_score"]) for row in rows]),
            )
        except (OSError, ValueError, KeyError) as error:
            raise InvalidInput("The table {path} is missing or damaged.", path=path) from error

    def write(self, path: Path) -> None:
        """Write a CSV table with one row for each photo."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(_COLUMNS)
            figures = zip(self.proba_dog.tolist(), self.neither_score.tolist(), strict=True)
            writer.writerows(
                [path, label, *row] for path, label, row in zip(self.paths, self.labels, figures, strict=True)
            )

    @property
    def is_pet(self) -> npt.NDArray[np.bool_]:
        """Whether each photo shows a pet, shape (n,)."""
        return np.array([label is not Answer.NEITHER for label in self.labels], bool)

    @property
    def is_dog(self) -> npt.NDArray[np.bool_]:
        """Whether each photo shows a dog, shape (n,)."""
        return np.array([label is Answer.DOG for label in self.labels], bool)

    @property
    def answers(self) -> list[Answer]:
        """Answers as the service gives them."""
        return [answer_of(*scores) for scores in zip(self.proba_dog, self.neither_score, strict=True)]
