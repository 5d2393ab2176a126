"""GPTQ rounds weights within their range, and better than to nearest."""

from __future__ import annotations

import numpy as np

from catsdogs.training.gptq import round_weights


def test_weights_are_rounded_for_correlated_inputs() -> None:
    random = np.random.default_rng(2)
    inputs = random.normal(size=(2000, 3)) @ random.normal(size=(3, 24)) + random.normal(0, 0.1, (2000, 24))
    covariance = np.cov(inputs.T)
    weights = random.normal(0, 3, (5, 24))
    gptq, nearest = round_weights(weights, covariance), np.round(weights)
    error, error_of_nearest = (np.square(inputs @ (rounded - weights).T).mean() for rounded in (gptq, nearest))
    assert error < 0.3 * error_of_nearest
    stacked = round_weights(np.stack([weights, -weights]), np.stack([covariance, covariance]))
    assert (stacked == [gptq, -gptq]).all()


def test_weights_stay_in_range() -> None:
    weights = np.array([[300.0, 1.2, -500.0, -90.0], [100.4, 100.4, 0.0, 128.0]])
    assert round_weights(weights, np.eye(4)).tolist() == [[127, 1, -127, -90], [100, 100, 0, 127]]
    assert round_weights(weights, np.eye(4), 128).tolist() == [[127, 1, -127, -1], [100, 28, 0, 127]]


def test_constant_inputs_do_not_change_the_rounding() -> None:
    assert round_weights(np.array([[1.4, 2.6]]), np.zeros((2, 2))).tolist() == [[1, 3]]
