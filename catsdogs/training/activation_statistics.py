"""Statistics of the backbone's activations on photos, by which its quantization is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from catsdogs.training.backbone import Block, Convolution, convolve, normalize_pixels, traverse

INT8_MIN, INT8_MAX = -128, 127
"""Range of the quantized values that no ReLU6 bounds, such as the sums of residual blocks."""
SCALES = tuple(2.0**exponent for exponent in range(-6, 4))
"""Candidates for the scale of such values: powers of two."""
_MAX_POSITIONS = 8
"""Largest number of rows, and of columns, of a feature map that enter the statistics."""

Floats = npt.NDArray[np.float64]
FeatureMaps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ActivationStatistics:
    """Moments of the inputs of each convolution, and the best scales, by name."""

    means: Mapping[str, Floats]
    """Mean of a convolution's inputs, in the order of :func:`flatten_kernel`: shape (inputs,), of a depthwise one
    (channels, inputs)."""
    covariances: Mapping[str, Floats]
    """Covariance of these inputs: shape (inputs, inputs), of a depthwise convolution (channels, inputs, inputs)."""
    scales: Mapping[str, float]
    """Member of `SCALES` with the smallest rounding error, for each convolution without ReLU6 and each residual sum."""


def collect_activation_statistics(
    blocks: Sequence[Block], batches: Iterable[FeatureMaps], advance: Callable[[int], object] = lambda _: None
) -> ActivationStatistics:
    """Run the backbone in floating point and collect the statistics of its activations.

    Parameters
    ----------
    blocks
        The backbone, see :func:`catsdogs.training.backbone.build_backbone`.
    batches
        RGB photos, 0..255, shape (n, size, size, 3) each.
    advance
        Called after each batch with its number of photos.
    """
    moments: dict[str, _Moments] = {}
    errors: dict[str, Floats] = {}

    def convolve_and_record(convolution: Convolution, x: FeatureMaps) -> FeatureMaps:
        moments.setdefault(convolution.name, _Moments()).add(_sample_inputs(convolution, x))
        y = np.asarray(convolve(convolution, x))
        return y if convolution.is_activated else record_rounding_errors(convolution.name, y)

    def record_rounding_errors(name: str, y: FeatureMaps) -> FeatureMaps:
        step = _sampling_step(y.shape[1])
        sample = y[:, ::step, ::step]
        errors[name] = errors.get(name, 0.0) + np.array([_rounding_error(sample, scale) for scale in SCALES])
        return y

    for batch in batches:
        traverse(
            blocks,
            normalize_pixels(batch),
            convolve_and_record,
            lambda block, x, y: record_rounding_errors(block.name, x + y),
        )
        advance(len(batch))
    return ActivationStatistics(
        means={name: moment.mean for name, moment in moments.items()},
        covariances={name: moment.covariance for name, moment in moments.items()},
        scales={name: SCALES[int(error.argmin())] for name, error in errors.items()},
    )


def flatten_kernel(convolution: Convolution) -> Floats:
    """Reshape a kernel to (out, inputs); inputs in the order of memory: rows, columns, channels."""
    return convolution.kernel.transpose(0, 2, 3, 1).reshape(len(convolution.kernel), -1)


class _Moments:
    """Running sums for a mean and a covariance."""

    def __init__(self) -> None:
        self._n = 0
        self._sum: Floats = np.zeros(())
        self._products: Floats = np.zeros(())

    def add(self, inputs: FeatureMaps) -> None:
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


def _sample_inputs(convolution: Convolution, x: FeatureMaps) -> FeatureMaps:
    """Return the inputs of the kernel at some positions: (positions, inputs), or (channels, positions, inputs)."""
    side = convolution.kernel.shape[-1]
    step = convolution.stride * _sampling_step(x.shape[1] // convolution.stride)
    padded = np.pad(x, ((0, 0), (side // 2, side // 2), (side // 2, side // 2), (0, 0)))
    windows = sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::step, ::step]
    if convolution.is_depthwise:
        return np.moveaxis(windows, 3, 0).reshape(x.shape[-1], -1, side * side)
    return np.moveaxis(windows, 3, -1).reshape(-1, side * side * x.shape[-1])


def _sampling_step(positions: int) -> int:
    return max(1, positions // _MAX_POSITIONS)


def _rounding_error(y: FeatureMaps, scale: float) -> float:
    """Return the sum of the squared quantization errors."""
    return float(np.square(np.clip(np.round(y / scale), INT8_MIN, INT8_MAX) * scale - y).sum())
