"""The head finds the direction of the labels, and is calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from catsdogs.training import plots
from catsdogs.training.head import (
    LearningPoint,
    fit_head,
    learning_curve,
    read_learning_curve,
    scale_inputs,
    write_learning_curve,
)

NO_PRIOR = np.zeros((1, 600))


def test_the_head_is_calibrated_and_finds_the_direction() -> None:
    random = np.random.default_rng(3)
    features = random.normal([3.0, -1.0] + [0.0] * 18, [1.0, 4.0] + [1.0] * 18, (600, 20))
    truth = np.array([2.0, -0.25] + [0.0] * 18)
    is_dog = random.random(600) < expit(features @ truth - 6.25)
    inputs = scale_inputs(features[np.newaxis], NO_PRIOR)
    head = fit_head(inputs, is_dog, seed=0)
    assert head.weights[:2] == pytest.approx(truth[:2], abs=0.5)
    assert np.abs(head.weights[2:]).max() < 0.5
    assert head.bias == pytest.approx(-6.25, abs=1)
    assert head.log_loss < 0.5 < np.log(2)
    assert head.prior_weight == 0, "a constant input has no weight"
    assert head.weights.tolist() == fit_head(inputs, is_dog, seed=0).weights.tolist()


def test_the_head_uses_the_prior_logit() -> None:
    random = np.random.default_rng(5)
    is_dog = random.random(600) < 0.5
    noise = random.normal(0, 1, (1, 600, 20))
    prior_logits = random.normal(np.where(is_dog, 2, -2), 0.5, (1, 600))
    head = fit_head(scale_inputs(noise, prior_logits), is_dog, seed=0)
    assert head.errors < 5
    assert head.prior_weight > np.abs(head.weights).max()
    assert fit_head(scale_inputs(noise, NO_PRIOR), is_dog, seed=0).errors > 100


def test_the_head_learns_from_copies_what_photos_do_not_show() -> None:
    """The second channel says what is on a copy, and nothing on a photo: photos alone would give it no weight."""
    random = np.random.default_rng(6)
    is_dog = random.random(600) < 0.5
    features = random.normal(0, 1, (2, 600, 2))
    features[0, :, 0] += 3 * is_dog
    features[1, :, 1] += 3 * is_dog
    head = fit_head(scale_inputs(features, np.zeros((2, 600))), is_dog, seed=0)
    assert 0.1 < head.weights[1] < head.weights[0], "copies count less"
    assert abs(fit_head(scale_inputs(features[:1], NO_PRIOR), is_dog, seed=0).weights[1]) < 0.1


def test_inputs_are_scaled_by_the_photos_and_not_by_their_copies() -> None:
    photos = np.random.default_rng(7).normal(0, 1, (600, 3))
    inputs = scale_inputs(np.stack([photos, photos + 9]), np.zeros((2, 600)))
    assert inputs.values[0].mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-5)
    assert (inputs.values[1] - inputs.values[0]).mean(axis=0) == pytest.approx(
        9 * inputs.scale * [1, 1, 1, 0], rel=1e-4
    )


def test_the_learning_curve_falls(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    is_dog = random.random(1000) < 0.3
    features = random.normal(0, 1, (1000, 30)).astype(np.float32)
    features[:, 0] += 3 * is_dog
    inputs = scale_inputs(features[np.newaxis], np.zeros((1, 1000)))
    points = learning_curve(inputs, is_dog, 0.1, seed=0)
    assert [point.n for point in points[:-1]] == [32, 64, 128, 256]
    assert 256 < points[-1].n <= 2 * is_dog.sum()
    assert {point.held_out for point in points} == {200}
    assert points[-1].errors < points[0].errors
    assert points[-1].log_loss < points[0].log_loss
    assert points == learning_curve(inputs, is_dog, 0.1, seed=0)

    write_learning_curve(points, tmp_path / "curve.csv")
    assert read_learning_curve(tmp_path / "curve.csv") == points
    curve = plots.learning_curve([LearningPoint(32, 4, 200, 0.1), LearningPoint(64, 2, 200, 0.05)]).data[0]
    assert (list(curve.x), list(curve.y)) == ([32, 64], [0.02, 0.01])
