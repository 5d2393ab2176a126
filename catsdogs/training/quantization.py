"""The backbone in whole numbers: nearly twice as fast, and the same to the last bit wherever it runs.

What flows is 8 bits wide, and so are the weights (Jacob et al. 2018, https://arxiv.org/abs/1712.05877). All scales but
the first are powers of two, so that scaling is exact: Keras, which computes in floating point, and ONNX Runtime, which
computes in whole numbers, cannot differ, on any machine.

What rounding the weights shifts on average, the biases take back (Nagel et al. 2019,
https://arxiv.org/abs/1906.04721). The head and the gate are fitted on what this backbone sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catsdogs.training.activation_statistics import Calibration, inputs_last
from catsdogs.training.backbone import CEILING, RANGE, Block, Convolution, walk
from catsdogs.training.gptq import LARGEST, LARGEST_PAIR, round_together

PIXEL = 1 / RANGE
"""What one step of a pixel less `MIDDLE` is worth."""
ACTIVATED = CEILING / 255
"""What one step of 0..255 is worth, after ReLU6."""
_EXACT = 2**24
"""Up to here, float32 counts without a gap; sums that are computed in it must stay below."""
_HEADROOM = 0.9
"""Rounding can make sums a little larger."""
_FINEST = 2.0**-24
"""Of kernels that hold nothing but zeros."""


@dataclass(frozen=True)
class Whole:
    """A convolution of whole numbers: output = (kernel * input + bias) / 2**shift, rounded to even."""

    kernel: npt.NDArray[np.int8]
    """As :attr:`catsdogs.training.backbone.Convolution.kernel`."""
    bias: npt.NDArray[np.int32]
    """Shape (out,)."""
    shift: npt.NDArray[np.int32]
    """Shape (out,)."""


@dataclass(frozen=True)
class FixedPoint:
    """A network in whole numbers."""

    blocks: Sequence[Block]
    """What it was made of."""
    convolutions: Mapping[str, Whole]
    """By name."""
    steps: Mapping[str, float]
    """By name, what one step is worth after a convolution, or after a block's sum."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all numbers."""
        digest = hashlib.sha256(repr(sorted(self.steps.items())).encode())
        for name, whole in sorted(self.convolutions.items()):
            for part in (whole.kernel, whole.bias, whole.shift):
                digest.update(name.encode() + part.tobytes())
        return digest.hexdigest()


def to_fixed_point(blocks: Sequence[Block], calibration: Calibration) -> FixedPoint:
    """Round a network."""
    convolutions: dict[str, Whole] = {}
    steps: dict[str, float] = {}

    def convolve(convolution: Convolution, step: float) -> float:
        name = convolution.name
        steps[name] = ACTIVATED if convolution.is_activated else calibration.steps[name]
        convolutions[name] = _whole(convolution, step, steps[name], calibration)
        return steps[name]

    def add(block: Block, _x: float, _y: float) -> float:
        steps[block.name] = calibration.steps[block.name]
        return steps[block.name]

    walk(blocks, PIXEL, convolve, add)
    return FixedPoint(blocks, convolutions, steps)


def _whole(convolution: Convolution, step: float, step_after: float, calibration: Calibration) -> Whole:
    name = convolution.name
    kernel = inputs_last(convolution) * (step / step_after)
    bias = convolution.bias / step_after
    mean = calibration.means[name] / step
    # as fine as bytes, pairs of them and exact sums allow
    size = np.abs(kernel)
    sums = 255 * size.sum(axis=1) + np.abs(bias)
    coarseness = [size.max(axis=1) / LARGEST, sums / (_HEADROOM * _EXACT), np.full(len(bias), _FINEST)]
    if not convolution.is_depthwise:
        coarseness.append((size[:, :-1:2] + size[:, 1::2]).max(axis=1) / LARGEST_PAIR)
    shift = -np.ceil(np.log2(np.max(coarseness, axis=0))).astype(np.int32)
    kernel = kernel * 2.0 ** shift[:, None]
    if convolution.is_depthwise:
        rounded = round_together(kernel[:, None], calibration.covariances[name])[:, 0]
    else:
        rounded = round_together(kernel, calibration.covariances[name], LARGEST_PAIR)
    bias = bias * 2.0**shift - ((rounded - kernel) * mean).sum(axis=1)
    out, channels, *sides = convolution.kernel.shape
    rounded = rounded.reshape(out, *sides, channels).transpose(0, 3, 1, 2)
    return Whole(rounded, np.round(bias).astype(np.int32), shift)
