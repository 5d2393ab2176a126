"""The int8-quantized backbone as a Keras model: floating-point arithmetic, all values of which are integers."""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import layers, ops

from catsdogs.training.activation_statistics import INT8_MAX, INT8_MIN
from catsdogs.training.backbone import FEATURE_MAPS, PIXEL_ZERO_POINT, Block, Convolution, traverse
from catsdogs.training.quantization import PIXEL_SCALE, QuantizedBackbone


class _FeatureMaps(NamedTuple):
    values: keras.KerasTensor
    """Quantized values, shape (n, rows, columns, channels)."""
    scale: float


def build_keras(backbone: QuantizedBackbone, size: int) -> keras.Model:
    """Build the model.

    Parameters
    ----------
    backbone
        From :func:`catsdogs.training.quantization.quantize`.
    size
        Side of the square input in pixels, a multiple of 32.

    Returns
    -------
    keras.Model
        Input: RGB pixels, float32 0..255, shape (n, size, size, 3). Outputs: feature maps, float32 0..6, of the last
        layer, shape (n, size / 32, size / 32, 1280), and of the last depthwise one, (n, size / 32, size / 32,
        channels).
    """

    def convolve(convolution: Convolution, x: _FeatureMaps) -> _FeatureMaps:
        quantized = backbone.convolutions[convolution.name]
        factor = 0.5**quantized.shift
        side, stride, name = quantized.kernel.shape[-1], convolution.stride, convolution.name
        if convolution.is_depthwise:
            layer = layers.DepthwiseConv2D(side, stride, "same", name=name)
            kernel = quantized.kernel.transpose(2, 3, 0, 1) * factor[:, None]
        else:
            layer = layers.Conv2D(len(quantized.kernel), side, stride, "same", name=name)
            kernel = quantized.kernel.transpose(2, 3, 1, 0) * factor
        y = layer(x.values)
        layer.set_weights([kernel, quantized.bias * factor])
        lowest, highest = (0, 255) if convolution.is_activated else (INT8_MIN, INT8_MAX)
        return _FeatureMaps(_round(y, lowest, highest), backbone.scales[name])

    def add(block: Block, x: _FeatureMaps, y: _FeatureMaps) -> _FeatureMaps:
        scale = backbone.scales[block.name]
        return _FeatureMaps(_round(_rescale(x, scale) + _rescale(y, scale), INT8_MIN, INT8_MAX), scale)

    pixels = keras.Input((size, size, 3), name="pixels")
    maps = traverse(backbone.blocks, _FeatureMaps(pixels - float(PIXEL_ZERO_POINT), PIXEL_SCALE), convolve, add)
    outputs = [
        layers.Rescaling(map_.scale, name=name)(map_.values) for map_, name in zip(maps, FEATURE_MAPS, strict=True)
    ]
    return keras.Model(pixels, outputs, name="efficientnet_lite")


def _round(values: keras.KerasTensor, lowest: int, highest: int) -> keras.KerasTensor:
    return ops.clip(ops.round(values), lowest, highest)


def _rescale(maps: _FeatureMaps, scale: float) -> keras.KerasTensor:
    return maps.values if maps.scale == scale else maps.values * (maps.scale / scale)
