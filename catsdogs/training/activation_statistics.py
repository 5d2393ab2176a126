"""What flows through the network when it sees photos: what rounding must be good for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from catsdogs.training.backbone import Block, Convolution, convolve, normalised, walk

LOWEST, HIGHEST = -128, 127
"""Whole numbers for what no activation bounds, and for sums."""
STEPS = tuple(2.0**exponent for exponent in range(-6, 4))
"""To choose from for what one of them is worth."""
_PLACES = 8
"""At most so many rows and columns of a map are looked at."""

Floats = npt.NDArray[np.float64]
Maps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """By name."""

    means: Mapping[str, Floats]
    """Of a convolution's inputs, see :func:`inputs_last`: shape (inputs,), of a depthwise one (channels, inputs)."""
    covariances: Mapping[str, Floats]
    """Shape (inputs, inputs), or (channels, inputs, inputs)."""
    steps: Mapping[str, float]
    """Of what is not activated, and of sums: which of `STEPS` loses least."""


def calibrate(
    blocks: Sequence[Block], batches: Iterable[Maps], advance: Callable[[int], object] = lambda _: None
) -> Calibration:
    """Look at photos, RGB, 0..255, shape (n, size, size, 3) a batch."""
    moments: dict[str, _Moments] = {}
    errors: dict[str, Floats] = {}

    def watch(convolution: Convolution, x: Maps) -> Maps:
        moments.setdefault(convolution.name, _Moments()).add(_inputs(convolution, x))
        y = np.asarray(convolve(convolution, x))
        return y if convolution.is_activated else judge(convolution.name, y)

    def judge(name: str, y: Maps) -> Maps:
        step = _apart(y.shape[1])
        some = y[:, ::step, ::step]
        errors[name] = errors.get(name, 0.0) + np.array([_rounding_error(some, unit) for unit in STEPS])
        return y

    for batch in batches:
        walk(blocks, normalised(batch), watch, lambda block, x, y: judge(block.name, x + y))
        advance(len(batch))
    return Calibration(
        means={name: moment.mean for name, moment in moments.items()},
        covariances={name: moment.covariance for name, moment in moments.items()},
        steps={name: STEPS[int(error.argmin())] for name, error in errors.items()},
    )


def inputs_last(convolution: Convolution) -> Floats:
    """Bring a kernel into the shape (out, inputs), in the order in which memory holds them: rows, columns, channels."""
    return convolution.kernel.transpose(0, 2, 3, 1).reshape(len(convolution.kernel), -1)


class _Moments:
    """Adds up."""

    def __init__(self) -> None:
        self._n = 0
        self._sum: Floats = np.zeros(())
        self._products: Floats = np.zeros(())

    def add(self, inputs: Maps) -> None:
        self._n += inputs.shape[-2]
        self._sum = self._sum + inputs.sum(axis=-2, dtype=np.float64)
        self._products = self._products + np.swapaxes(inputs, -2, -1) @ inputs

    @property
    def mean(self) -> Floats:
        return self._sum / self._n

    @property
    def covariance(self) -> Floats:
        mean = self.mean
        return self._products / self._n - mean[..., :, None] * mean[..., None, :]


def _inputs(convolution: Convolution, x: Maps) -> Maps:
    """Take what the kernel is multiplied with at some places: shape (places, inputs), or (channels, places, inputs)."""
    side = convolution.kernel.shape[-1]
    step = convolution.stride * _apart(x.shape[1] // convolution.stride)
    padded = np.pad(x, ((0, 0), (side // 2, side // 2), (side // 2, side // 2), (0, 0)))
    seen = sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::step, ::step]
    if convolution.is_depthwise:
        return np.moveaxis(seen, 3, 0).reshape(x.shape[-1], -1, side * side)
    return np.moveaxis(seen, 3, -1).reshape(-1, side * side * x.shape[-1])


def _apart(places: int) -> int:
    return max(1, places // _PLACES)


def _rounding_error(y: Maps, step: float) -> float:
    """Compute the sum of squares of what is lost."""
    return float(np.square(np.clip(np.round(y / step), LOWEST, HIGHEST) * step - y).sum())
