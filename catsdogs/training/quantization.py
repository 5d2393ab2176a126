"""Int8 quantization of the backbone: nearly twice as fast, and bit-exact in every runtime.

Activations and weights have 8 bits (Jacob et al. 2018, https://arxiv.org/abs/1712.05877). All scales but that of
activations after ReLU6 are powers of two, so that rescaling is exact: Keras, which computes in floating point, and
ONNX Runtime, which computes in integers, give the same bits on every machine.

Biases are corrected for the mean error of the rounded weights (Nagel et al. 2019, https://arxiv.org/abs/1906.04721).
The head and the gate are fitted on the features of this quantized backbone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catsdogs.training.activation_statistics import ActivationStatistics, flatten_kernel
from catsdogs.training.backbone import PIXEL_RANGE, RELU6_MAX, Block, Convolution, traverse
from catsdogs.training.gptq import MAX_PAIR_SUM, MAX_WEIGHT, round_weights

PIXEL_SCALE = 1 / PIXEL_RANGE
"""Scale of pixels, after their zero point was subtracted."""
RELU6_SCALE = RELU6_MAX / 255
"""Scale of activations after ReLU6, quantized to 0..255."""
_FLOAT32_INTEGERS = 2**24
"""Range in which float32 holds every integer; sums that are computed in float32 must stay below."""
_HEADROOM = 0.9
"""Share of that range to use: rounding can make sums a little larger."""
_SMALLEST_SCALE = 2.0**-24
"""Scale of a kernel that holds nothing but zeros."""


@dataclass(frozen=True)
class QuantizedConvolution:
    """An int8 convolution: output = (kernel * input + bias) / 2**shift, rounded half to even."""

    kernel: npt.NDArray[np.int8]
    """Weights, in the layout of :attr:`catsdogs.training.backbone.Convolution.kernel`."""
    bias: npt.NDArray[np.int32]
    """Shape (out,)."""
    shift: npt.NDArray[np.int32]
    """Shape (out,)."""


@dataclass(frozen=True)
class QuantizedBackbone:
    """An int8-quantized network."""

    blocks: Sequence[Block]
    """The network in floating point."""
    convolutions: Mapping[str, QuantizedConvolution]
    """Quantized convolutions by name."""
    scales: Mapping[str, float]
    """Scales of the outputs of convolutions and of residual blocks, by name."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all weights, biases, shifts and scales."""
        digest = hashlib.sha256(repr(sorted(self.scales.items())).encode())
        for name, quantized in sorted(self.convolutions.items()):
            for part in (quantized.kernel, quantized.bias, quantized.shift):
                digest.update(name.encode() + part.tobytes())
        return digest.hexdigest()


def quantize(blocks: Sequence[Block], statistics: ActivationStatistics) -> QuantizedBackbone:
    """Quantize the backbone by the statistics of its activations."""
    convolutions: dict[str, QuantizedConvolution] = {}
    scales: dict[str, float] = {}

    def convolve(convolution: Convolution, scale: float) -> float:
        name = convolution.name
        scales[name] = RELU6_SCALE if convolution.is_activated else statistics.scales[name]
        convolutions[name] = _quantize_convolution(convolution, scale, scales[name], statistics)
        return scales[name]

    def add(block: Block, _x: float, _y: float) -> float:
        scales[block.name] = statistics.scales[block.name]
        return scales[block.name]

    traverse(blocks, PIXEL_SCALE, convolve, add)
    return QuantizedBackbone(blocks, convolutions, scales)


def _quantize_convolution(
    convolution: Convolution, input_scale: float, output_scale: float, statistics: ActivationStatistics
) -> QuantizedConvolution:
    """Quantize one convolution; the shift of each output channel is the largest that causes no overflow."""
    name = convolution.name
    kernel = flatten_kernel(convolution) * (input_scale / output_scale)
    bias = convolution.bias / output_scale
    mean = statistics.means[name] / input_scale
    size = np.abs(kernel)
    sums = 255 * size.sum(axis=1) + np.abs(bias)
    least_scales = [
        size.max(axis=1) / MAX_WEIGHT,
        sums / (_HEADROOM * _FLOAT32_INTEGERS),
        np.full(len(bias), _SMALLEST_SCALE),
    ]
    if not convolution.is_depthwise:
        least_scales.append((size[:, :-1:2] + size[:, 1::2]).max(axis=1) / MAX_PAIR_SUM)
    shift = -np.ceil(np.log2(np.max(least_scales, axis=0))).astype(np.int32)
    kernel = kernel * 2.0 ** shift[:, None]
    if convolution.is_depthwise:
        rounded = round_weights(kernel[:, None], statistics.covariances[name])[:, 0]
    else:
        rounded = round_weights(kernel, statistics.covariances[name], MAX_PAIR_SUM)
    bias = bias * 2.0**shift - ((rounded - kernel) * mean).sum(axis=1)
    out, channels, *sides = convolution.kernel.shape
    rounded = rounded.reshape(out, *sides, channels).transpose(0, 3, 1, 2)
    return QuantizedConvolution(rounded, np.round(bias).astype(np.int32), shift)
