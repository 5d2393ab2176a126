"""The served network: frozen backbone, linear head, "neither" gate and class-activation map, in one graph."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from catsdogs.training.gate import NEIGHBOURS, Gate
from catsdogs.training.head import Head


def pooled_features(backbone: keras.Model) -> keras.Model:
    """Give the network that turns pixels into the features that head and gate are fitted on.

    Returns
    -------
    keras.Model
        From RGB pixels, shape (n, size, size, 3), to mean features, shape (n, 1280).
    """
    return keras.Model(backbone.input, layers.GlobalAveragePooling2D(name="pool")(backbone.output))


def assemble(backbone: keras.Model, head: Head, gate: Gate) -> keras.Model:
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
            "neither_score": _neither_score(pooled, gate),
            "proba_dog": ops.sigmoid(ops.mean(activation, axis=(1, 2))),
        },
        name="catsdogs",
    )
    model.trainable = False
    return model


def _neither_score(pooled: keras.KerasTensor, gate: Gate) -> keras.KerasTensor:
    """Compute what :meth:`Gate.score` computes."""
    pet = ops.logsumexp(_dense(pooled, gate.pet_weights, gate.pet_bias, "pet_classes"), axis=1, keepdims=True)
    other = _dense(pooled, gate.other_weights / gate.spread, (gate.other_bias - gate.mean) / gate.spread, "others")
    otherness = ops.max(other - _dense(pet, 1 / gate.spread[np.newaxis], None, "pet_margin"), axis=1)
    direction = layers.UnitNormalization(name="direction")(pooled)
    similarity, _ = ops.top_k(_dense(direction, gate.centroids.T, None, "centroids"), NEIGHBOURS)
    evidence = ops.stack([otherness, ops.mean(similarity, axis=1)], axis=1)
    return ops.squeeze(ops.sigmoid(_dense(evidence, gate.slopes[:, np.newaxis], gate.offset, "neither")), axis=-1)


def _dense(x: keras.KerasTensor, weights: np.ndarray, bias: np.ndarray | float | None, name: str) -> keras.KerasTensor:
    layer = layers.Dense(weights.shape[1], use_bias=bias is not None, name=name)
    x = layer(x)
    layer.set_weights([weights] if bias is None else [weights, np.reshape(bias, weights.shape[1])])
    return x
