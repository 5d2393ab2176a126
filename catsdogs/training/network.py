"""The served network: frozen backbone, linear head, "neither" gate and class-activation map, in one graph."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from catsdogs.training.gate import NEIGHBOURS, Classes, Gate, split_classes
from catsdogs.training.head import Head
from catsdogs.training.weights import Arrays


def assemble(backbone: keras.Model, imagenet: Arrays, head: Head, gate: Gate) -> keras.Model:
    """Load a fitted head and gate into one graph with the backbone.

    The head is linear, and so is pooling: applied to each place of the feature map, before pooling,
    it gives the class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), whose
    mean is exactly the logit.

    Returns
    -------
    keras.Model
        From RGB pixels, float32 0..255, shape (n, size, size, 3), to the outputs that
        :class:`catsdogs.runtimes.Outputs` describes.
    """
    activation = _dense(backbone.output, head.weights[:, np.newaxis], head.bias, "head")
    activation = ops.squeeze(activation, axis=-1)
    pooled = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    model = keras.Model(
        backbone.input,
        {
            "activation": activation,
            "neither_score": _neither_score(pooled, split_classes(imagenet), gate),
            "proba_dog": ops.sigmoid(ops.mean(activation, axis=(1, 2))),
        },
        name="catsdogs",
    )
    model.trainable = False
    return model


def _neither_score(pooled: keras.KerasTensor, classes: Classes, gate: Gate) -> keras.KerasTensor:
    """Compute the score of :class:`Gate`; its standardisation is folded into the layers."""
    pets = _dense(pooled, classes.pet_weights, classes.pet_bias, "pet_classes")
    pets = ops.logsumexp(pets, axis=1, keepdims=True)
    others = _dense(
        pooled, classes.other_weights / gate.spread, (classes.other_bias - gate.mean) / gate.spread, "other_classes"
    )
    otherness = ops.max(others - _dense(pets, 1 / gate.spread[np.newaxis], None, "pet_margin"), axis=1)
    directions = layers.UnitNormalization(name="direction")(pooled)
    cosines = _dense(directions, gate.centroids.T, None, "centroids")
    similarity = ops.mean(ops.top_k(cosines, min(NEIGHBOURS, len(gate.centroids)))[0], axis=1)
    evidence = ops.stack([otherness, similarity], axis=1)
    return ops.squeeze(ops.sigmoid(_dense(evidence, gate.slopes[:, np.newaxis], -gate.threshold, "neither")), axis=-1)


def _dense(x: keras.KerasTensor, weights: np.ndarray, bias: np.ndarray | float | None, name: str) -> keras.KerasTensor:
    layer = layers.Dense(weights.shape[1], use_bias=bias is not None, name=name)
    x = layer(x)
    layer.set_weights([weights] if bias is None else [weights, np.reshape(bias, weights.shape[1])])
    return x


def save(model: keras.Model, folder: Path) -> None:
    """Write the network as ``model.keras`` and, for ONNX Runtime, as ``model.onnx``."""
    model.save(folder / "model.keras")
    model.predict(np.zeros((1, *model.input_shape[1:]), np.float32), verbose=0)  # the export needs one
    model.export(folder / "model.onnx", format="onnx", verbose=False)
