"""GPTQ: weights are rounded so that the output of a layer changes least on real inputs.

Weights are rounded one after the other (Frantar et al. 2023, https://arxiv.org/abs/2210.17323); the weights still to be
rounded compensate each rounding error, as far as their inputs are correlated. Rounding to nearest changes the
backbone's features by half as much again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAX_WEIGHT = 127
"""Largest absolute value of an int8 weight; -128 is not used, so that the range is symmetric."""
MAX_PAIR_SUM = 128
"""Largest sum of the absolute values of two neighbours (the first and the second, the third and the fourth ...) in an
int8 matrix product: times 255, it fits into the 16 bits in which processors without VNNI add two products."""
DAMPING = 0.01
"""Share of the mean variance that is added to each variance, for inputs that are collinear or constant."""

Floats = npt.NDArray[np.float64]


def round_weights(weights: Floats, covariance: Floats, max_pair_sum: int = 2 * MAX_WEIGHT) -> npt.NDArray[np.int8]:
    """Round weights to integers from -127 to 127.

    Parameters
    ----------
    weights
        Weights in units of the result, shape (..., outputs, inputs).
    covariance
        Covariance of the inputs, shape (..., inputs, inputs).
    max_pair_sum
        Largest sum of the absolute values of two neighbours.

    Returns
    -------
    ndarray
        Shape of `weights`.
    """
    inputs = weights.shape[-1]
    variance = np.trace(covariance, axis1=-2, axis2=-1)[..., None, None] / inputs
    damped = covariance + (DAMPING * variance + 1e-9) * np.eye(inputs)
    # upper triangular: row i holds how the error of weight i is best compensated by the weights after it
    factor = np.swapaxes(np.linalg.cholesky(np.linalg.inv(damped)), -2, -1)
    remaining = weights.copy()
    rounded = np.empty(weights.shape, np.int8)
    for i in range(inputs):
        allowed = max_pair_sum - np.abs(rounded[..., i - 1].astype(int)) if i % 2 else max_pair_sum
        limit = np.minimum(MAX_WEIGHT, allowed)
        rounded[..., i] = np.clip(np.round(remaining[..., i]), -limit, limit)
        error = (remaining[..., i] - rounded[..., i]) / factor[..., i, i, None]
        remaining[..., i + 1 :] -= error[..., None] * factor[..., None, i, i + 1 :]
    return rounded
