"""Evaluation: metrics of predictions for labelled photos."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer, Doubt, Prediction
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.stats import wilson_interval

LABELS = (Answer.CAT, Answer.DOG, Answer.NEITHER)
BINS = 15
"""Number of bins of confidence, from 0.5 to 1, for calibration."""

Doubles = npt.NDArray[np.float64]
Classify = Callable[[Iterable[Path]], Iterator[tuple[Path, Prediction | InvalidImage]]]


@dataclass(frozen=True, slots=True)
class EvaluationMetrics:
    """Metrics of one set of photos.

    The choice between cat and dog and the answer "neither" are evaluated separately: a pet that was answered "neither"
    counts as `refused`, and as an error only if the probability of the other animal was the larger one.
    """

    n: int
    """Number of photos."""
    errors: int
    """Number of pets taken for the other animal, and of other photos taken for a pet."""
    refused: int
    """Number of pets answered "neither"."""
    unreadable: int
    """Number of files that could not be read; not in `n`."""
    accuracy: float
    """``1 - errors / n``."""
    accuracy_low: float
    """Lower end of its 95 % Wilson interval."""
    accuracy_high: float
    """Upper end of that interval."""
    log_loss: float | None
    """Mean negative natural logarithm of the true animal's probability, over the pets."""
    ece: float | None
    """Expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599), over the pets."""
    auroc: float | None
    """Area under the ROC curve of dogs against cats; ``None`` if one of them is missing."""
    reliability: tuple[tuple[float, float, int], ...]
    """One row for each bin: mean confidence, share of right choices, number of pets."""
    unsure: int = 0
    """Number of unsure answers."""
    both: int = 0
    """Number of answers for photos that seem to show both animals."""
    fingerprint: str = ""
    """Of the set, see :mod:`catsdogs.model.fingerprint`; empty on older cards, and for people's photos."""

    @property
    def pets(self) -> int:
        """Number of photos that show a pet."""
        return sum(count for _, _, count in self.reliability)

    @property
    def refused_interval(self) -> tuple[float, float] | None:
        """Ends of the 95 % Wilson interval of the share of pets that are refused; ``None`` without pets."""
        return wilson_interval(self.refused, self.pets)

    def figures(self) -> dict[str, Any]:
        """Return the metrics without the reliability table, for JSON."""
        figures = asdict(self)
        del figures["reliability"]
        figures["refused_low"], figures["refused_high"] = self.refused_interval or (None, None)
        return figures


_FOLDERS = {f"{label}{plural}": label for label in LABELS for plural in ("", "s")}
_NOT_PHOTOS = ("thumbs.db", "desktop.ini", "manifest.csv")


def labelled_photos(folder: Path) -> dict[Path, Answer]:
    """List the files below ``cat/``, ``dog/`` and ``neither/`` of `folder`, or ``cats/`` and ``dogs/``, in any case.

    They may be in a folder ``PetImages`` of it, as in Microsoft's archive of cats and dogs. Where there are no such
    folders, files whose names begin with ``cat.`` or ``dog.`` are taken, as in Kaggle's.

    Raises
    ------
    InvalidInput
        The folder is missing, or there are no photos in it.
    """
    if folder.is_file():
        raise InvalidInput("{folder} is a file. Name a folder of photos.", folder=folder)
    if not folder.is_dir():
        raise InvalidInput("There is no folder {folder}.", folder=folder)
    if (folder / "PetImages").is_dir():
        folder = folder / "PetImages"
    children = sorted(folder.iterdir())
    found = [(child, _FOLDERS[child.name.lower()]) for child in children if child.name.lower() in _FOLDERS]
    photos = {path: label for child, label in found if child.is_dir() for path in photo_files(child)}
    if not found:
        photos = {path: label for path in photo_files(folder) if (label := _label_of_name(path, folder))}
    if not photos:
        raise _without_labels(folder, children)
    return photos


def _label_of_name(path: Path, folder: Path) -> Answer | None:
    prefix = path.name.lower().partition(".")[0]
    return _FOLDERS.get(prefix) if path.parent == folder and path.name.count(".") > 1 else None


def _has_label(path: Path, folder: Path) -> bool:
    return path.name.lower() in _FOLDERS or bool(_label_of_name(path, folder))


def _without_labels(folder: Path, children: list[Path]) -> InvalidInput:
    """Return the error of a folder without labels, which names the parts of a data set that have them."""
    parts = [
        child.name for child in children if child.is_dir() and any(_has_label(one, child) for one in child.iterdir())
    ]
    if parts:
        return InvalidInput(
            "The photos of {folder} are in folders of their own. Choose one of them: {parts}.",
            folder=folder,
            parts=", ".join(parts),
        )
    return InvalidInput(
        "The folder {folder} holds no photos in cat/, dog/ or neither/. Sort the photos into such folders.",
        folder=folder,
    )


def photo_files(folder: Path) -> list[Path]:
    """List every file below `folder`, sorted; without hidden ones and those that are known not to be photos."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.name.lower() not in _NOT_PHOTOS
    )


def predict(
    classify: Classify, paths: Collection[Path], advance: Callable[[], object] = lambda: None
) -> dict[Path, Prediction]:
    """Classify photos; those that cannot be read are left out.

    Parameters
    ----------
    classify
        See :meth:`catsdogs.model.classifier.Classifier.classify_files`.
    advance
        Called after each photo.
    """
    predictions = {}
    for path, result in classify(paths):
        if isinstance(result, Prediction):
            predictions[path] = result
        advance()
    return predictions


def is_error(label: Answer, prediction: Prediction) -> bool:
    """Return whether a pet was taken for the other animal, or another photo for a pet."""
    if label is Answer.NEITHER:
        return prediction.answer is not Answer.NEITHER
    return (prediction.proba_dog >= 0.5) is not (label is Answer.DOG)


def is_refused(label: Answer, prediction: Prediction) -> bool:
    """Return whether a pet was answered "neither"."""
    return label is not Answer.NEITHER and prediction.answer is Answer.NEITHER


def measure(predictions: list[tuple[Answer, Prediction]], unreadable: int = 0) -> EvaluationMetrics:
    """Compute the metrics of pairs of label and prediction.

    Raises
    ------
    InvalidInput
        There are no predictions: all photos were unreadable.
    """
    if not predictions:
        raise InvalidInput("No labelled photo can be read, of {n}.", n=unreadable)
    pets = [(label, prediction) for label, prediction in predictions if label is not Answer.NEITHER]
    is_dog = np.array([label is Answer.DOG for label, _ in pets], bool)
    proba_dog = np.array([prediction.proba_dog for _, prediction in pets], float)
    errors = sum(is_error(*pair) for pair in predictions)
    n = len(predictions)
    low, high = wilson_interval(n - errors, n) or (0.0, 1.0)
    table = reliability(is_dog, proba_dog)
    return EvaluationMetrics(
        n=n,
        errors=errors,
        refused=sum(is_refused(*pair) for pair in predictions),
        unreadable=unreadable,
        accuracy=1 - errors / n,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=log_loss(is_dog, proba_dog) if pets else None,
        ece=sum(count * abs(confidence - right) for confidence, right, count in table) / len(pets) if pets else None,
        auroc=auroc(is_dog, proba_dog) if 0 < is_dog.sum() < len(pets) else None,
        reliability=tuple(table),
        unsure=sum(prediction.doubt is Doubt.UNSURE for _, prediction in predictions),
        both=sum(prediction.doubt is Doubt.BOTH for _, prediction in predictions),
    )


def log_loss(is_dog: npt.NDArray[np.bool_], proba_dog: Doubles) -> float:
    """Compute the mean negative log-likelihood (natural logarithm); probabilities are clipped at 1e-15."""
    likelihood = np.where(is_dog, proba_dog, 1 - proba_dog)
    return float(-np.log(np.maximum(likelihood, 1e-15)).mean())


def auroc(is_dog: npt.NDArray[np.bool_], proba_dog: Doubles) -> float:
    """Compute the chance that a dog has a larger probability than a cat; ties count half (Mann-Whitney U)."""
    values, inverse, counts = np.unique(proba_dog, return_inverse=True, return_counts=True)
    del values
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    dogs, cats = int(is_dog.sum()), int((~is_dog).sum())
    return float((ranks[is_dog].sum() - dogs * (dogs + 1) / 2) / (dogs * cats))


def reliability(is_dog: npt.NDArray[np.bool_], proba_dog: Doubles) -> list[tuple[float, float, int]]:
    """Compute mean confidence and share of right choices in `BINS` bins of equal width; empty bins are left out."""
    confidence = np.maximum(proba_dog, 1 - proba_dog)
    right = (proba_dog >= 0.5) == is_dog
    bins = np.minimum(((confidence - 0.5) * 2 * BINS).astype(int), BINS - 1)
    return [
        (float(confidence[bins == bin_].mean()), float(right[bins == bin_].mean()), int((bins == bin_).sum()))
        for bin_ in np.unique(bins)
    ]
