"""Photos with what they show and what a model says: what the plots after a training are drawn from."""

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

Doubles = npt.NDArray[np.float64]

_COLUMNS = ["file", "label", "proba_dog", "neither_score"]


@dataclass(frozen=True)
class Judged:
    """A set of n photos."""

    paths: list[Path]
    labels: list[Answer]
    """Cat, dog or neither."""
    proba_dog: Doubles
    """Shape (n,)."""
    neither_score: Doubles

    @classmethod
    def by(cls, classifier: Classifier, folder: Path) -> Self:
        """Let a model look at the labelled photos of `folder`; what cannot be read is left out.

        Raises
        ------
        InvalidInput
            There are no photos, see :func:`catsdogs.model.evaluation.labelled_photos`.
        """
        labels = labelled_photos(folder)
        seen = [(path, one) for path, one in classifier.classify_files(labels) if isinstance(one, Prediction)]
        return cls(
            [path for path, _ in seen],
            [labels[path] for path, _ in seen],
            np.array([one.proba_dog for _, one in seen]),
            np.array([one.neither_score for _, one in seen]),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what :meth:`write` wrote.

        Raises
        ------
        InvalidInput
            It is missing or something else.
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
        """Write a table, a row a photo."""
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(_COLUMNS)
            figures = zip(self.proba_dog.tolist(), self.neither_score.tolist(), strict=True)
            writer.writerows(
                [path, label, *row] for path, label, row in zip(self.paths, self.labels, figures, strict=True)
            )

    @property
    def pets(self) -> npt.NDArray[np.bool_]:
        """Which show a pet, shape (n,)."""
        return np.array([label is not Answer.NEITHER for label in self.labels], bool)

    @property
    def is_dog(self) -> npt.NDArray[np.bool_]:
        """Which show a dog, shape (n,)."""
        return np.array([label is Answer.DOG for label in self.labels], bool)

    @property
    def answers(self) -> list[Answer]:
        """What a visitor would be told."""
        return [answer_of(*scores) for scores in zip(self.proba_dog, self.neither_score, strict=True)]
