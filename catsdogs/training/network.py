"""The served network: frozen backbone, linear head, "neither" gate and class-activation map, in one graph."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from catsdogs.training.backbone import HEAD
from catsdogs.training.gate import NEIGHBOURS, Gate
from catsdogs.training.head import Head
from catsdogs.training.imagenet import DOGS, Classes


def assemble(backbone: keras.Model, classes: Classes, head: Head, gate: Gate) -> keras.Model:
    """Load a fitted head and gate into one graph with the backbone.

    The head is linear, and so is pooling: applied to each place of the feature maps, before pooling,
    it gives the class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), whose
    mean is exactly the logit.

    Returns
    -------
    keras.Model
        From RGB pixels, float32 0..255, shape (n, size, size, 3), to the outputs that
        :class:`catsdogs.runtimes.Outputs` describes.
    """
    last, inner = backbone.outputs
    pooled = layers.GlobalAveragePooling2D(name="pool")(last)
    pets = _dense(pooled, classes.pet_weights, classes.pet_bias, "pet_classes")
    weights = head.weights[:, np.newaxis]
    activation = _dense(last, weights[:HEAD], head.bias, "head") + _dense(inner, weights[HEAD:], None, "inner_head")
    activation = ops.squeeze(activation, axis=-1) + head.trust * _opinion(last, pets, classes)
    model = keras.Model(
        backbone.input,
        {
            "activation": activation,
            "neither_score": _neither_score(pooled, pets, classes, gate),
            "proba_dog": ops.sigmoid(ops.mean(activation, axis=(1, 2))),
        },
        name="catsdogs",
    )
    model.trainable = False
    return model


def _opinion(last: keras.KerasTensor, pets: keras.KerasTensor, classes: Classes) -> keras.KerasTensor:
    """Spread :meth:`Classes.opinion` over the places of the last map that it comes from.

    A log-sum-exp is the sum of the logits weighted by their softmax, plus an entropy: the logits are of each place,
    the entropy is of the photo.
    """
    dogs, cats = pets[:, : len(DOGS)], pets[:, len(DOGS) :]
    opinion = _log_sum_exp(dogs) - _log_sum_exp(cats)
    shares = ops.concatenate([ops.softmax(dogs), -ops.softmax(cats)], axis=1)
    direction = _dense(shares, classes.pet_weights.T, None, "pet_direction")
    rows, columns, channels = last.shape[1:]
    places = ops.matmul(ops.reshape(last, (-1, rows * columns, channels)), ops.expand_dims(direction, axis=-1))
    places = places - ops.mean(places, axis=1, keepdims=True)
    # in this order: Keras on TensorFlow takes a second summand of shape (8, 1, 1) for the biases of 8 columns
    return ops.expand_dims(opinion, axis=-1) + ops.reshape(places, (-1, rows, columns))


def _neither_score(
    pooled: keras.KerasTensor, pets: keras.KerasTensor, classes: Classes, gate: Gate
) -> keras.KerasTensor:
    """Compute the score of :class:`Gate`; its standardisation is folded into the layers."""
    pets = _log_sum_exp(pets)
    others = _dense(
        pooled, classes.other_weights / gate.spread, (classes.other_bias - gate.mean) / gate.spread, "other_classes"
    )
    otherness = ops.max(others - _dense(pets, 1 / gate.spread[np.newaxis], None, "pet_margin"), axis=1)
    directions = layers.UnitNormalization(name="direction")(pooled)
    cosines = _dense(directions, gate.centroids.T, None, "centroids")
    similarity = ops.mean(ops.top_k(cosines, min(NEIGHBOURS, len(gate.centroids)))[0], axis=1)
    evidence = ops.stack([otherness, similarity], axis=1)
    return ops.squeeze(ops.sigmoid(_dense(evidence, gate.slopes[:, np.newaxis], -gate.threshold, "neither")), axis=-1)


def _log_sum_exp(logits: keras.KerasTensor) -> keras.KerasTensor:
    """Sum over the classes, shape (n, 1): in two steps for ONNX Runtime, where TensorFlow's own takes twenty."""
    return (logits - ops.log_softmax(logits))[:, :1]


def _dense(x: keras.KerasTensor, weights: np.ndarray, bias: np.ndarray | float | None, name: str) -> keras.KerasTensor:
    layer = layers.Dense(weights.shape[1], use_bias=bias is not None, name=name)
    x = layer(x)
    layer.set_weights([weights] if bias is None else [weights, np.reshape(bias, weights.shape[1])])
    return x


def save(model: keras.Model, folder: Path) -> None:
    """Write the network as ``model.keras`` and, for ONNX Runtime, as ``model.onnx``."""
    model.save(folder / "model.keras")
    model.predict(np.zeros((1, *model.input_shape[1:]), np.float32), verbose=0)  # the export needs one
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="keras.src.export")  # of its own code
        model.export(folder / "model.onnx", format="onnx", verbose=False)
