"""EfficientNet-Lite0 with its ImageNet weights: what is computed, in which order.

EfficientNet (Tan & Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and
with ReLU6, as TensorFlow's TPU models define Lite0
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). What the weights
expect, and what accuracy drops without: pixels scaled to (x - 127) / 128, TensorFlow's SAME
padding, batch normalisation with epsilon 1e-3.

Here it is in floating point. What is served computes the same in whole numbers, see
:mod:`catsdogs.training.quantization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from keras import KerasTensor, ops

from catsdogs.training.weights import Arrays

STEM = 32
"""Channels of the first convolution."""
HEAD, INNER = 1280, 1152
"""Of the last, and of the last depthwise one."""
MAPS = {"last": HEAD, "inner": INNER}
"""What the network ends with."""
SMALLER = 32
"""The last maps have so many times fewer rows and columns than the photo."""
EPSILON = 1e-3
MIDDLE, RANGE = 127, 128
"""Pixels are scaled to (x - 127) / 128."""
CEILING = 6.0
"""Of ReLU6."""

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


class Stage(NamedTuple):
    """A run of inverted residual blocks; the stride is that of the first of them."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Convolution:
    """With batch normalisation folded in: the network is frozen, so it is a constant scale and shift."""

    name: str
    kernel: Floats
    """Shape (out, in, height, width); of a depthwise one, (channels, 1, height, width)."""
    bias: Floats
    """Shape (out,)."""
    stride: int
    is_activated: bool
    """By ReLU6."""
    is_depthwise: bool


@dataclass(frozen=True)
class Block:
    """Convolutions one after the other."""

    name: str
    convolutions: Sequence[Convolution]
    is_residual: bool
    """The block's input is added to its output."""


def lite0(weights: Arrays) -> list[Block]:
    """Make the network of its weights, from :func:`catsdogs.training.weights.load_imagenet_weights`."""
    return list(_blocks(weights))


def _blocks(weights: Arrays) -> Iterator[Block]:
    def fold(name: str, norm: str, stride: int = 1, *, is_activated: bool = True) -> Convolution:
        gamma, beta, mean, variance = (
            weights[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        kernel = weights[f"{name}.weight"] * scale[:, None, None, None]
        legal = name.strip("_").replace("._", "_").replace(".", "_")
        return Convolution(legal, kernel, beta - mean * scale, stride, is_activated, "depthwise" in name)

    yield Block("stem", [fold("_conv_stem", "_bn0", 2)], is_residual=False)
    number, width = 0, STEM
    for stage in LITE0:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            prefix = f"_blocks.{number}."
            expand = [fold(f"{prefix}_expand_conv", f"{prefix}_bn0")] if stage.expansion > 1 else []
            filter_each = fold(f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride)
            project = fold(f"{prefix}_project_conv", f"{prefix}_bn2", is_activated=False)
            is_residual = stride == 1 and width == stage.filters
            yield Block(f"blocks_{number}", [*expand, filter_each, project], is_residual)
            number, width = number + 1, stage.filters
    yield Block("head", [fold("_conv_head", "_bn1")], is_residual=False)


def walk(
    blocks: Sequence[Block], x: T, convolve: Callable[[Convolution, T], T], add: Callable[[Block, T, T], T]
) -> tuple[T, T]:
    """Go through the network, from photos to what the last layer and the last depthwise layer make of them.

    Parameters
    ----------
    x
        What `convolve` takes first.
    add
        Given the block, its input, and its output so far.
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


def normalised(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scale RGB pixels, 0..255, as the weights expect them."""
    return (pixels - np.float32(MIDDLE)) / np.float32(RANGE)


def convolve(convolution: Convolution, x: KerasTensor) -> KerasTensor:
    """Apply a convolution to maps, shape (n, rows, columns, channels)."""
    kernel = convolution.kernel.astype(np.float32)
    if convolution.is_depthwise:
        y = ops.depthwise_conv(x, kernel.transpose(2, 3, 0, 1), convolution.stride, "same")
    else:
        y = ops.conv(x, kernel.transpose(2, 3, 1, 0), convolution.stride, "same")
    y = y + convolution.bias.astype(np.float32)
    return ops.relu6(y) if convolution.is_activated else y


def see(blocks: Sequence[Block], pixels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], ...]:
    """Look at photos in floating point.

    Parameters
    ----------
    pixels
        RGB, 0..255, shape (n, size, size, 3); the size a multiple of 32.

    Returns
    -------
    tuple of ndarray
        The last maps, shape (n, size / 32, size / 32, 1280), and those of the last depthwise layer,
        (n, size / 32, size / 32, 1152).
    """
    maps = walk(blocks, normalised(pixels), convolve, lambda _block, x, y: x + y)
    return tuple(np.asarray(map_) for map_ in maps)
