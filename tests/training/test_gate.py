"""The out-of-distribution score, and the share of pets that the gate refuses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from catsdogs.training.gate import REFUSED_SHARE, Gate, fit_gate, held_out_terms
from catsdogs.training.imagenet import ImageNetClassifier
from catsdogs.training.weights import Arrays

from .conftest import expected_neither_score, random_features

NO_OTHERS = np.zeros((0, 1280), np.float32)


def test_the_threshold_refuses_the_stated_share_of_pets_that_it_was_not_fitted_on(
    gate: Gate, imagenet_classifier: ImageNetClassifier
) -> None:
    pets, others = random_features(np.random.default_rng(1), 400), gate.reference.others
    terms = held_out_terms(pets.astype(float), others, imagenet_classifier, seed=0)
    assert gate.held_out_scores == pytest.approx(expit(terms @ gate.slopes - gate.threshold))
    assert (gate.held_out_scores >= 0.5).sum() == REFUSED_SHARE * 400
    assert 0 < gate.held_out_refused <= 4 * REFUSED_SHARE * 400, "by thresholds chosen without them"
    assert np.median(gate.held_out_scores) == pytest.approx(0.02, abs=1e-6)
    unseen = expected_neither_score(gate, imagenet_classifier, random_features(np.random.default_rng(3), 400))
    assert (unseen >= 0.5).mean() < 4 * REFUSED_SHARE, "with few photos, too"


def test_the_gate_refuses_features_of_another_class(
    gate: Gate, imagenet: Arrays, imagenet_classifier: ImageNetClassifier
) -> None:
    typical = random_features(np.random.default_rng(1), 400).mean(axis=0, keepdims=True)
    sorrel = imagenet["_fc.weight"][339]
    steps = np.concatenate([np.clip(typical + step * sorrel, 0, 6) for step in (0, 1, 2, 3, 4)]).astype(np.float32)
    scores = expected_neither_score(gate, imagenet_classifier, steps)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < 0.5 < scores[-1]


def test_a_photo_like_a_known_other_thing_is_refused_sooner(imagenet_classifier: ImageNetClassifier) -> None:
    pets = random_features(np.random.default_rng(1), 400)
    photo = random_features(np.random.default_rng(4), 1)
    without, with_it = (
        fit_gate(pets, others, imagenet_classifier, seed=0).scores(photo, imagenet_classifier)
        for others in (NO_OTHERS, photo)
    )
    assert with_it > 0.5 > without


def test_other_things_are_counted_that_only_their_likes_tell_from_pets(
    gate: Gate, imagenet_classifier: ImageNetClassifier
) -> None:
    pets, others = random_features(np.random.default_rng(1), 40), random_features(np.random.default_rng(4), 10)

    def accepted(others: npt.NDArray[np.float32]) -> int | None:
        return fit_gate(pets, others, imagenet_classifier, seed=0).held_out_accepted

    alone, in_pairs = accepted(others), accepted(np.concatenate([others, others]))
    assert alone is not None
    assert in_pairs is not None
    assert alone >= 5
    assert in_pairs < alone, "the double of most is in another fold"
    assert accepted(others[:4]) is None
    assert gate.held_out_accepted is not None


def test_the_scores_are_those_of_the_formula(gate: Gate, imagenet_classifier: ImageNetClassifier) -> None:
    photos = random_features(np.random.default_rng(5), 20)
    expected = expected_neither_score(gate, imagenet_classifier, photos)
    assert gate.scores(photos, imagenet_classifier) == pytest.approx(expected, abs=1e-6)
