"""Weights rounded to whole numbers, so that what a layer computes of real inputs changes least.

GPTQ (Frantar et al. 2023, https://arxiv.org/abs/2210.17323): weights are rounded one after the other, and each time
those still to come make good what the rounding changed, as far as their inputs go together. Rounding to nearest
changes the backbone's features by half as much again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LARGEST = 127
"""Of an int8; -128 is left out, so that the range is symmetric."""
LARGEST_PAIR = 128
"""Of two neighbours (the first and the second, the third and the fourth ...) together, where bytes are multiplied by
matrices: times 255, it still fits into the 16 bits in which processors without VNNI add two products."""
DAMPING = 0.01
"""Share of the mean variance that is added to each, for inputs that always go together or never vary."""

Floats = npt.NDArray[np.float64]


def round_together(weights: Floats, covariance: Floats, largest_pair: int = 2 * LARGEST) -> npt.NDArray[np.int8]:
    """Round weights to -127..127.

    Parameters
    ----------
    weights
        In units of the result, shape (..., outputs, inputs).
    covariance
        Of the inputs, shape (..., inputs, inputs).
    largest_pair
        That the sizes of two neighbours add up to at most.
    """
    inputs = weights.shape[-1]
    variance = np.trace(covariance, axis1=-2, axis2=-1)[..., None, None] / inputs
    damped = covariance + (DAMPING * variance + 1e-9) * np.eye(inputs)
    # upper triangular: row i says how an error in weight i is best spread over the weights after it
    spread = np.swapaxes(np.linalg.cholesky(np.linalg.inv(damped)), -2, -1)
    left = weights.copy()
    rounded = np.empty(weights.shape, np.int8)
    for i in range(inputs):
        room = largest_pair - np.abs(rounded[..., i - 1].astype(int)) if i % 2 else largest_pair
        largest = np.minimum(LARGEST, room)
        rounded[..., i] = np.clip(np.round(left[..., i]), -largest, largest)
        error = (left[..., i] - rounded[..., i]) / spread[..., i, i, None]
        left[..., i + 1 :] -= error[..., None] * spread[..., None, i, i + 1 :]
    return rounded
