"""Metrics, doubt thresholds and drift reference are computed from one set of predictions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catsdogs.domain import Answer, Box, Explanation, Prediction
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.model.classifier import ClassifiedPhoto, answer_of
from catsdogs.model.evaluated_set import EvaluatedSet
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.model.uncertainty import DoubtThresholds

SURE, LIKELY, REFUSED, BROKEN, OTHER = (Path(name) for name in ("sure", "likely", "refused", "broken", "other"))
SCORES = {SURE: (0.01, 0.02), LIKELY: (0.2, 0.1), REFUSED: (0.9, 0.8), OTHER: (0.6, 0.45)}
LABELS = {SURE: Answer.CAT, LIKELY: Answer.CAT, REFUSED: Answer.DOG, BROKEN: Answer.CAT, OTHER: Answer.NEITHER}
EVEN = Explanation(((-1.0,) * 8,) * 8, Box(0, 0, 1, 1))
DOUBTS = DoubtThresholds(photos="others", n=100, confidence=0.9, neither_score=0.4, both_score=5)


def classify(paths: list[Path]) -> Iterator[tuple[Path, ClassifiedPhoto | InvalidImage]]:
    """Results of a model for these photos."""
    for path in paths:
        if path in SCORES:
            proba_dog, neither_score = SCORES[path]
            answer = answer_of(proba_dog, neither_score)
            prediction = Prediction(answer, 1 - proba_dog, proba_dog, neither_score, "test", 1.0, explanation=EVEN)
            yield path, ClassifiedPhoto(prediction, ImageStatistics(300, 200, 0.5, 0.01))
        else:
            yield path, InvalidImage("no photo")


def evaluated(*paths: Path) -> EvaluatedSet:
    return EvaluatedSet.collect("few", {path: LABELS[path] for path in paths}, classify(list(paths)))


def test_each_photo_is_counted_once() -> None:
    done: list[None] = []
    found = EvaluatedSet.collect("few", LABELS, classify(list(LABELS)), lambda: done.append(None))
    assert (len(found.photos), found.unreadable, len(done)) == (4, 1, 5)


def test_metrics_count_all_photos_and_their_doubts() -> None:
    measured = evaluated(*LABELS).metrics(DOUBTS)
    assert (measured.n, measured.errors, measured.refused, measured.unreadable) == (4, 1, 1, 1)
    assert measured.unsure == 2, "likely and other"
    with pytest.raises(InvalidInput, match="No labelled photo can be read, of 1"):
        evaluated(BROKEN).metrics(DOUBTS)


def test_thresholds_are_chosen_by_pets_answered_with_an_animal() -> None:
    chosen = evaluated(SURE, REFUSED, BROKEN, OTHER).doubt_thresholds()
    assert (chosen.photos, chosen.n, chosen.confidence) == ("few", 1, 0.99)
    with pytest.raises(InvalidInput, match="nothing to compare"):
        evaluated(REFUSED, OTHER).doubt_thresholds()


def test_the_drift_reference_counts_readable_photos() -> None:
    found = evaluated(*LABELS).drift_reference(256)
    assert (found.photos, found.n) == ("few", 4)
    assert found.signals["answers"].counts == (2, 1)
    assert found.signals["confidence"].counts == (0, 1, 0, 1, 0, 0, 1)
    assert found.signals["size"].edges == (200.0,)
    with pytest.raises(InvalidInput, match="nothing to compare"):
        evaluated(REFUSED, BROKEN).drift_reference(256)


def test_a_subset_is_a_set() -> None:
    whole = evaluated(*LABELS)
    assert (whole.has_pets, whole.subset([OTHER]).has_pets) == (True, False)
    assert whole.subset([SURE, LIKELY]).doubt_thresholds().n == 2
