"""EfficientNet-Lite0 in Keras, frozen, with its ImageNet weights.

EfficientNet (Tan & Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and
with ReLU6, as TensorFlow's TPU models define Lite0
(https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). What the weights
expect, and what accuracy drops without: pixels scaled to (x - 127) / 128, TensorFlow's SAME
padding, batch normalisation with epsilon 1e-3.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from catsdogs.training.weights import Arrays

STEM, HEAD = 32, 1280
EPSILON = 1e-3


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


def build_backbone(weights: Arrays, size: int) -> keras.Model:
    """Build the network up to its last feature maps.

    Batch normalisation is folded into the convolutions: the network is frozen, so it is a constant
    scale and shift.

    Parameters
    ----------
    weights
        From :func:`catsdogs.training.weights.load_imagenet_weights`.
    size
        Side of the square input in pixels, a multiple of 32.

    Returns
    -------
    keras.Model
        From RGB pixels, float32 0..255, shape (n, size, size, 3), to two maps of features, float32: the last,
        shape (n, size / 32, size / 32, 1280), and that of the last depthwise layer, (n, size / 32, size / 32, 1152).
    """
    build = _Builder(weights)
    pixels = keras.Input((size, size, 3), name="pixels")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    x = build.convolution(x, "_conv_stem", "_bn0", STEM, kernel=3, stride=2)
    block = 0
    for stage in LITE0:
        for repeat in range(stage.repeats):
            x, inner = build.inverted_residual(x, f"_blocks.{block}.", stage, stage.stride if repeat == 0 else 1)
            block += 1
    last = build.convolution(x, "_conv_head", "_bn1", HEAD)
    model = keras.Model(pixels, [last, inner], name="efficientnet_lite0")
    model.trainable = False
    return model


class _Builder:
    """Adds layers that already hold their weights."""

    def __init__(self, weights: Arrays) -> None:
        self.weights = weights

    def inverted_residual(
        self, x: keras.KerasTensor, prefix: str, stage: Stage, stride: int
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Expand, filter each channel, project linearly; add the input where the shapes agree.

        Returns
        -------
        tuple of KerasTensor
            The block's output, and what was filtered.
        """
        shortcut, width = x, x.shape[-1]
        if stage.expansion > 1:
            x = self.convolution(x, f"{prefix}_expand_conv", f"{prefix}_bn0", width * stage.expansion)
        filtered = self.depthwise(x, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stage.kernel, stride)
        x = self.convolution(filtered, f"{prefix}_project_conv", f"{prefix}_bn2", stage.filters, activation=None)
        return layers.add([shortcut, x]) if stride == 1 and width == stage.filters else x, filtered

    def convolution(
        self,
        x: keras.KerasTensor,
        name: str,
        norm: str,
        filters: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        activation: str | None = "relu6",
    ) -> keras.KerasTensor:
        scale, shift = self._normalisation(norm)
        layer = layers.Conv2D(filters, kernel, stride, "same", activation=activation, name=_legal(name))
        x = layer(x)
        # PyTorch (out, in, height, width) -> Keras (height, width, in, out)
        layer.set_weights([self.weights[f"{name}.weight"].transpose(2, 3, 1, 0) * scale, shift])
        return x

    def depthwise(self, x: keras.KerasTensor, name: str, norm: str, kernel: int, stride: int) -> keras.KerasTensor:
        scale, shift = self._normalisation(norm)
        layer = layers.DepthwiseConv2D(kernel, stride, "same", activation="relu6", name=_legal(name))
        x = layer(x)
        # PyTorch (channel, 1, height, width) -> Keras (height, width, channel, 1)
        layer.set_weights([self.weights[f"{name}.weight"].transpose(2, 3, 0, 1) * scale[:, None], shift])
        return x

    def _normalisation(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Scale and shift that batch normalisation `name` amounts to."""
        gamma, beta, mean, variance = (
            self.weights[f"{name}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        return scale, beta - mean * scale


def _legal(name: str) -> str:
    return name.strip("_").replace("._", "_").replace(".", "_")
