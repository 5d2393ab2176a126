"""Doubtful answers, and the choice of their thresholds."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from catsdogs.domain import Answer, Box, Doubt, Explanation, Prediction
from catsdogs.model.classifier import Classifier, answer_of
from catsdogs.model.evaluation import measure
from catsdogs.model.uncertainty import DoubtThresholds, both_score

CAT = ((-8.0,) * 8,) * 8
DOUBTS = DoubtThresholds(photos="val", n=100, confidence=0.9, neither_score=0.4, both_score=5)


def prediction(proba_dog: float = 0.01, neither_score: float = 0.02, activation: object = CAT) -> Prediction:
    explanation = Explanation(tuple(tuple(row) for row in activation), Box(0, 0, 1, 1))  # type: ignore[attr-defined]
    answer = answer_of(proba_dog, neither_score)
    return Prediction(answer, 1 - proba_dog, proba_dog, neither_score, "test", 1.0, explanation=explanation)


def two(cat: float, dog: float, columns: int) -> list[list[float]]:
    """A map with evidence for a cat, except in the last `columns` columns."""
    return [[-cat] * (8 - columns) + [dog] * columns] * 8


@pytest.mark.parametrize(
    ("one", "doubt"),
    [
        (prediction(), None),
        (prediction(0.05), None),
        (prediction(0.2), Doubt.UNSURE),
        (prediction(0.8), Doubt.UNSURE),
        (prediction(neither_score=0.45), Doubt.UNSURE),
        (prediction(neither_score=0.55), Doubt.UNSURE),
        (prediction(neither_score=0.9), None),
        (prediction(activation=two(8, 8, 3)), Doubt.BOTH),
        (prediction(0.5, activation=two(8, 8, 4)), Doubt.BOTH),
        (prediction(activation=two(8, 4, 3)), None),
        (prediction(activation=two(8, 8, 1)), None),
        (prediction(neither_score=0.9, activation=two(8, 8, 4)), None),
    ],
)
def test_a_doubt_is_stated_where_there_is_one(one: Prediction, doubt: Doubt | None) -> None:
    assert DOUBTS.doubt_of(one) is doubt


def test_both_animals_count_by_their_strongest_region() -> None:
    assert both_score(prediction(activation=two(6, 9, 4))) == 6
    assert both_score(prediction(activation=two(9, 6, 4))) == 6
    assert both_score(prediction(activation=CAT)) == -8
    assert both_score(prediction(activation=[[-2.0, 1.0], [0.0, 3.0]])) == -0.5, "a map smaller than the window"


def test_thresholds_hold_the_stated_shares() -> None:
    random = np.random.default_rng(0)
    pets = [
        prediction(proba, score, random.normal(0, 8, (8, 8)))
        for proba, score in zip(random.uniform(0, 1, 2000), random.uniform(0, 0.6, 2000), strict=True)
    ]
    chosen = DoubtThresholds.choose("noise", pets)
    answered = [pet for pet in pets if pet.answer is not Answer.NEITHER]
    assert chosen.n == len(answered) < 2000
    assert np.mean([pet.confidence < chosen.confidence for pet in answered]) == pytest.approx(0.02, abs=0.001)
    assert np.mean([pet.neither_score > chosen.neither_score for pet in answered]) == pytest.approx(0.01, abs=0.001)
    assert np.mean([both_score(pet) > chosen.both_score for pet in answered]) == pytest.approx(0.01, abs=0.001)


def side_by_side(left: Path, right: Path) -> bytes:
    """Two photos as one square picture, each filling its half."""
    halves = [np.asarray(ImageOps.fit(Image.open(path), (256, 512))) for path in (left, right)]
    stream = io.BytesIO()
    Image.fromarray(np.hstack(halves)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def share_of_both(classifier: Classifier, pairs: list[tuple[Path, Path]]) -> float:
    return float(np.mean([classifier.classify(side_by_side(*pair))[0].doubt is Doubt.BOTH for pair in pairs]))


def test_a_cat_beside_a_dog_is_noticed(photos: Path, classifier: Classifier) -> None:
    cats, dogs = (list(islice(sorted((photos / "val" / label).glob("*.jpg")), 30)) for label in ("cat", "dog"))
    assert share_of_both(classifier, list(zip(cats, dogs, strict=True))) > 0.65
    assert share_of_both(classifier, list(zip(cats[:15], cats[15:], strict=True))) < 0.1
    assert share_of_both(classifier, list(zip(dogs[:15], dogs[15:], strict=True))) < 0.1


def test_doubts_are_counted() -> None:
    cat = prediction()
    predictions = [replace(cat, doubt=doubt) for doubt in (None, Doubt.UNSURE, Doubt.UNSURE, Doubt.BOTH)]
    measured = measure([(Answer.CAT, one) for one in predictions])
    assert (measured.unsure, measured.both) == (2, 1)
    assert {"unsure", "both"} <= measured.figures().keys()
