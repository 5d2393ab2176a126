"""The backbone in whole numbers, for Keras: in floating point, where everything comes out whole."""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import layers, ops

from catsdogs.training.activation_statistics import HIGHEST, LOWEST
from catsdogs.training.backbone import MAPS, MIDDLE, Block, Convolution, walk
from catsdogs.training.quantization import PIXEL, FixedPoint


class _Maps(NamedTuple):
    values: keras.KerasTensor
    """Whole numbers, shape (n, rows, columns, channels)."""
    step: float
    """What one step is worth."""


def build_keras(network: FixedPoint, size: int) -> keras.Model:
    """Build the network.

    Parameters
    ----------
    size
        Side of the square input in pixels, a multiple of 32.

    Returns
    -------
    keras.Model
        From RGB pixels, float32 0..255, shape (n, size, size, 3), to two maps of features, float32 0..6: the last,
        shape (n, size / 32, size / 32, 1280), and that of the last depthwise layer, (n, size / 32, size / 32, 1152).
    """

    def convolve(convolution: Convolution, x: _Maps) -> _Maps:
        whole = network.convolutions[convolution.name]
        scale = 0.5**whole.shift
        side, stride, name = whole.kernel.shape[-1], convolution.stride, convolution.name
        if convolution.is_depthwise:
            layer = layers.DepthwiseConv2D(side, stride, "same", name=name)
            kernel = whole.kernel.transpose(2, 3, 0, 1) * scale[:, None]
        else:
            layer = layers.Conv2D(len(whole.kernel), side, stride, "same", name=name)
            kernel = whole.kernel.transpose(2, 3, 1, 0) * scale
        y = layer(x.values)
        layer.set_weights([kernel, whole.bias * scale])
        lowest, highest = (0, 255) if convolution.is_activated else (LOWEST, HIGHEST)
        return _Maps(_rounded(y, lowest, highest), network.steps[name])

    def add(block: Block, x: _Maps, y: _Maps) -> _Maps:
        step = network.steps[block.name]
        return _Maps(_rounded(_in_steps(x, step) + _in_steps(y, step), LOWEST, HIGHEST), step)

    pixels = keras.Input((size, size, 3), name="pixels")
    maps = walk(network.blocks, _Maps(pixels - float(MIDDLE), PIXEL), convolve, add)
    outputs = [layers.Rescaling(map_.step, name=name)(map_.values) for map_, name in zip(maps, MAPS, strict=True)]
    return keras.Model(pixels, outputs, name="efficientnet_lite0")


def _rounded(values: keras.KerasTensor, lowest: int, highest: int) -> keras.KerasTensor:
    return ops.clip(ops.round(values), lowest, highest)


def _in_steps(maps: _Maps, step: float) -> keras.KerasTensor:
    return maps.values if maps.step == step else maps.values * (maps.step / step)
