"""EfficientNet-Lite with its ImageNet weights: its layers, their order, and the forward pass.

:mod:`catsdogs.training.architectures` says which layers there are. The weights need the following, or
accuracy drops: pixels scaled to (x - 127) / 128, TensorFlow's SAME padding, batch normalisation with
epsilon 1e-3.

This is the network in floating point. The served one is int8-quantized, see
:mod:`catsdogs.training.quantization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from keras import KerasTensor, ops

from catsdogs.training.architectures import STEM_CHANNELS, Architecture
from catsdogs.training.weights import Arrays

LAST_CHANNELS = 1280
"""Number of channels of the last convolution."""
FEATURE_MAPS = ("last", "inner")
"""Names of the backbone's outputs: those of the last convolution, and of the last depthwise one."""
OUTPUT_STRIDE = 32
"""Ratio of the photo's side to that of the output feature maps."""
EPSILON = 1e-3
"""Small number that batch normalisation adds to the variance."""
PIXEL_ZERO_POINT, PIXEL_RANGE = 127, 128
"""Zero point and range of pixels, which are scaled to (x - 127) / 128."""
RELU6_MAX = 6.0
"""Largest output of ReLU6."""

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Convolution:
    """A convolution with its batch normalisation folded in: in a frozen network, a constant scale and shift."""

    name: str
    kernel: Floats
    """Weights, shape (out, in, height, width); of a depthwise convolution (channels, 1, height, width)."""
    bias: Floats
    """Shape (out,)."""
    stride: int
    is_activated: bool
    """Whether ReLU6 follows."""
    is_depthwise: bool


@dataclass(frozen=True)
class Block:
    """A sequence of convolutions."""

    name: str
    convolutions: Sequence[Convolution]
    is_residual: bool
    """Whether the block's input is added to its output."""


def build_backbone(architecture: Architecture, weights: Arrays) -> list[Block]:
    """Build the layers from the weights of :func:`catsdogs.training.weights.load_imagenet_weights`."""
    return list(_blocks(architecture, weights))


def _blocks(architecture: Architecture, weights: Arrays) -> Iterator[Block]:
    def fold(name: str, norm: str, stride: int = 1, *, is_activated: bool = True) -> Convolution:
        gamma, beta, mean, variance = (
            weights[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        kernel = weights[f"{name}.weight"] * scale[:, None, None, None]
        layer_name = name.strip("_").replace("._", "_").replace(".", "_")
        return Convolution(layer_name, kernel, beta - mean * scale, stride, is_activated, "depthwise" in name)

    yield Block("stem", [fold("_conv_stem", "_bn0", 2)], is_residual=False)
    number, width = 0, STEM_CHANNELS
    for stage in architecture.stages:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            prefix = f"_blocks.{number}."
            expand = [fold(f"{prefix}_expand_conv", f"{prefix}_bn0")] if stage.expansion > 1 else []
            depthwise = fold(f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride)
            project = fold(f"{prefix}_project_conv", f"{prefix}_bn2", is_activated=False)
            is_residual = stride == 1 and width == stage.filters
            yield Block(f"blocks_{number}", [*expand, depthwise, project], is_residual)
            number, width = number + 1, stage.filters
    yield Block("head", [fold("_conv_head", "_bn1")], is_residual=False)


def feature_channels(blocks: Sequence[Block]) -> dict[str, int]:
    """Return the number of channels of each of `FEATURE_MAPS`."""
    convolutions = [convolution for block in blocks for convolution in block.convolutions]
    inner = [convolution for convolution in convolutions if convolution.is_depthwise]
    return {"last": len(convolutions[-1].kernel), "inner": len(inner[-1].kernel)}


def traverse(
    blocks: Sequence[Block], x: T, convolve: Callable[[Convolution, T], T], add: Callable[[Block, T, T], T]
) -> tuple[T, T]:
    """Apply the layers in their order; return the outputs of the last convolution and of the last depthwise one.

    Parameters
    ----------
    blocks
        The layers, see :func:`build_backbone`.
    x
        Input of the first convolution.
    convolve
        Called with a convolution and its input; returns its output.
    add
        Called with a residual block, its input, and the output of its convolutions; returns their sum.
    """
    for block in blocks:
        shortcut = x
        for convolution in block.convolutions:
            x = convolve(convolution, x)
            if convolution.is_depthwise:
                inner = x
        if block.is_residual:
            x = add(block, shortcut, x)
    return x, inner


def normalize_pixels(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale RGB pixels, 0..255, to the range that the weights expect."""
    return (pixels - np.float32(PIXEL_ZERO_POINT)) / np.float32(PIXEL_RANGE)


def convolve(convolution: Convolution, x: KerasTensor) -> KerasTensor:
    """Apply a convolution to feature maps, shape (n, rows, columns, channels)."""
    kernel = convolution.kernel.astype(np.float32)
    if convolution.is_depthwise:
        y = ops.depthwise_conv(x, kernel.transpose(2, 3, 0, 1), convolution.stride, "same")
    else:
        y = ops.conv(x, kernel.transpose(2, 3, 1, 0), convolution.stride, "same")
    y = y + convolution.bias.astype(np.float32)
    return ops.relu6(y) if convolution.is_activated else y


def forward(blocks: Sequence[Block], pixels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], ...]:
    """Compute the forward pass in floating point.

    Parameters
    ----------
    blocks
        The layers, see :func:`build_backbone`.
    pixels
        RGB, 0..255, shape (n, size, size, 3); the size a multiple of 32.

    Returns
    -------
    tuple of ndarray
        The last feature maps, shape (n, size / 32, size / 32, 1280), and those of the last depthwise layer,
        shape (n, size / 32, size / 32, channels), see :func:`feature_channels`.
    """
    maps = traverse(blocks, normalize_pixels(pixels), convolve, lambda _block, x, y: x + y)
    return tuple(np.asarray(map_) for map_ in maps)
