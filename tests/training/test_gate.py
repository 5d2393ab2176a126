"""The out-of-distribution score, and the share of pets that the gate refuses."""

from __future__ import annotations

import numpy as np
import pytest

from catsdogs.training.gate import Gate
from catsdogs.training.imagenet import ImageNetClassifier
from catsdogs.training.weights import Arrays

from .conftest import expected_neither_score, random_features


def test_the_gate_refuses_the_share_that_its_rule_states(gate: Gate, imagenet_classifier: ImageNetClassifier) -> None:
    scores = expected_neither_score(gate, imagenet_classifier, random_features(np.random.default_rng(1), 400))
    assert (scores >= 0.5).sum() == 3  # 0.6 % of 400, rounded up
    assert np.median(scores) == pytest.approx(0.02, abs=1e-6)


def test_the_gate_refuses_features_of_another_class(
    gate: Gate, imagenet: Arrays, imagenet_classifier: ImageNetClassifier
) -> None:
    typical = random_features(np.random.default_rng(1), 400).mean(axis=0, keepdims=True)
    sorrel = imagenet["_fc.weight"][339]
    steps = np.concatenate([np.clip(typical + step * sorrel, 0, 6) for step in (0, 1, 2, 3, 4)]).astype(np.float32)
    scores = expected_neither_score(gate, imagenet_classifier, steps)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < 0.5 < scores[-1]
