"""The served network: frozen backbone, linear head, "neither" gate and class-activation map, in one graph.

The backbone is of whole numbers; what is fitted, and small, stays in floating point.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import onnx
from keras import layers, ops

from catsdogs.training.backbone import HEAD, MAPS
from catsdogs.training.gate import NEIGHBOURS, Gate
from catsdogs.training.head import Head
from catsdogs.training.imagenet import DOGS, Classes
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.onnx_graph import build_onnx
from catsdogs.training.quantization import FixedPoint


class Network(NamedTuple):
    """The same, in the two forms in which it is written."""

    model: keras.Model
    """From RGB pixels, float32 0..255, shape (n, size, size, 3), to the outputs that
    :class:`catsdogs.model.runtimes.Outputs` describes."""
    fitted: keras.Model
    """The part of it that comes after the backbone."""
    backbone: FixedPoint


def assemble(backbone: FixedPoint, size: int, classes: Classes, head: Head, gate: Gate) -> Network:
    """Load a fitted head and gate into one graph with the backbone, for photos of `size` x `size` pixels.

    The head is linear, and so is pooling: applied to each place of the feature maps, before pooling,
    it gives the class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), whose
    mean is exactly the logit.
    """
    seeing = build_keras(backbone, size)
    last, inner = (keras.Input(output.shape[1:], name=name) for output, name in zip(seeing.outputs, MAPS, strict=True))
    fitted = keras.Model([last, inner], _answers(last, inner, classes, head, gate), name="fitted")
    model = keras.Model(seeing.input, fitted(seeing.outputs), name="catsdogs")
    model.trainable = False
    return Network(model, fitted, backbone)


def _answers(
    last: keras.KerasTensor, inner: keras.KerasTensor, classes: Classes, head: Head, gate: Gate
) -> dict[str, keras.KerasTensor]:
    pooled = layers.GlobalAveragePooling2D(name="pool")(last)
    pets = _dense(pooled, classes.pet_weights, classes.pet_bias, "pet_classes")
    rows, columns, _ = last.shape[1:]
    # a place a row: of maps, Keras would write twenty nodes that ask how large they are
    places = [ops.reshape(map_, (-1, map_.shape[-1])) for map_ in (last, inner)]
    weights = np.split(head.weights[:, np.newaxis], [HEAD])
    heard = _dense(places[0], weights[0], head.bias, "head") + _dense(places[1], weights[1], None, "inner_head")
    activation = ops.reshape(heard, (-1, rows, columns)) + head.trust * _opinion(last, pets, classes)
    return {
        "activation": activation,
        "neither_score": _neither_score(pooled, pets, classes, gate),
        "proba_dog": ops.sigmoid(ops.mean(activation, axis=(1, 2))),
    }


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


def save(network: Network, folder: Path) -> None:
    """Write the network as ``model.keras`` and, for ONNX Runtime, as ``model.onnx``."""
    network.model.save(folder / "model.keras")
    path = folder / "model.onnx"
    fitted = network.fitted
    nothing = [np.zeros((1, *shape[1:]), np.float32) for shape in fitted.input_shape]
    fitted.predict(nothing, verbose=0)  # the export needs one
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="keras.src.export")  # of its own code
        fitted.export(path, format="onnx", verbose=False)
    after = onnx.load(path)
    [opset] = [known.version for known in after.opset_import if not known.domain]
    before = build_onnx(network.backbone, network.model.input_shape[1], opset, after.ir_version)
    onnx.save(onnx.compose.merge_models(before, after, [(name, name) for name in MAPS]), path)
