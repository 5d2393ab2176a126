"""The served network: frozen backbone, linear head, "neither" gate and class-activation map, in one graph.

The backbone is int8-quantized; head and gate, which are small, are in floating point.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import onnx
from keras import layers, ops

from catsdogs.training.backbone import FEATURE_MAPS, LAST_CHANNELS
from catsdogs.training.gate import NEIGHBOURS, Gate
from catsdogs.training.head import Head
from catsdogs.training.imagenet import DOGS, ImageNetClassifier
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.onnx_graph import build_onnx
from catsdogs.training.quantization import QuantizedBackbone


class TrainedNetwork(NamedTuple):
    """A network as it is exported for Keras and for ONNX Runtime."""

    model: keras.Model
    """The whole network. Input: RGB pixels, float32 0..255, shape (n, size, size, 3); outputs: see
    :class:`catsdogs.model.runtimes.Outputs`."""
    fitted: keras.Model
    """The part after the backbone."""
    backbone: QuantizedBackbone


def assemble(
    backbone: QuantizedBackbone, size: int, imagenet_classifier: ImageNetClassifier, head: Head, gate: Gate
) -> TrainedNetwork:
    """Combine backbone, head and gate in one graph, for photos of `size` x `size` pixels.

    The head is linear, and so is pooling: applied to each position of the feature maps, before pooling,
    it gives the class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), whose
    mean is exactly the logit.
    """
    features = build_keras(backbone, size)
    last, inner = (
        keras.Input(output.shape[1:], name=name) for output, name in zip(features.outputs, FEATURE_MAPS, strict=True)
    )
    fitted = keras.Model([last, inner], _outputs(last, inner, imagenet_classifier, head, gate), name="fitted")
    model = keras.Model(features.input, fitted(features.outputs), name="catsdogs")
    model.trainable = False
    return TrainedNetwork(model, fitted, backbone)


def _outputs(
    last: keras.KerasTensor, inner: keras.KerasTensor, imagenet_classifier: ImageNetClassifier, head: Head, gate: Gate
) -> dict[str, keras.KerasTensor]:
    pooled = layers.GlobalAveragePooling2D(name="pool")(last)
    pets = _dense(pooled, imagenet_classifier.pet_weights, imagenet_classifier.pet_bias, "pet_classes")
    rows, columns, _ = last.shape[1:]
    # one row for each position: for maps, Keras would write twenty nodes that compute their shape
    positions = [ops.reshape(map_, (-1, map_.shape[-1])) for map_ in (last, inner)]
    weights = np.split(head.weights[:, np.newaxis], [LAST_CHANNELS])
    logits = _dense(positions[0], weights[0], head.bias, "head") + _dense(positions[1], weights[1], None, "inner_head")
    prior = _prior_activation(last, pets, imagenet_classifier)
    activation = ops.reshape(logits, (-1, rows, columns)) + head.prior_weight * prior
    return {
        "activation": activation,
        "neither_score": _neither_score(pooled, pets, imagenet_classifier, gate),
        "proba_dog": ops.sigmoid(ops.mean(activation, axis=(1, 2))),
    }


def _prior_activation(
    last: keras.KerasTensor, pets: keras.KerasTensor, imagenet_classifier: ImageNetClassifier
) -> keras.KerasTensor:
    """Distribute the prior logit over the positions of the last map; its mean stays the prior logit.

    A log-sum-exp is the sum of the logits weighted by their softmax, plus an entropy: the logits belong to each
    position, the entropy belongs to the whole photo.
    """
    dogs, cats = pets[:, : len(DOGS)], pets[:, len(DOGS) :]
    prior = _log_sum_exp(dogs) - _log_sum_exp(cats)
    shares = ops.concatenate([ops.softmax(dogs), -ops.softmax(cats)], axis=1)
    direction = _dense(shares, imagenet_classifier.pet_weights.T, None, "pet_direction")
    rows, columns, channels = last.shape[1:]
    positions = ops.matmul(ops.reshape(last, (-1, rows * columns, channels)), ops.expand_dims(direction, axis=-1))
    positions = positions - ops.mean(positions, axis=1, keepdims=True)
    # in this order: Keras on TensorFlow takes a second summand of shape (8, 1, 1) for the biases of 8 columns
    return ops.expand_dims(prior, axis=-1) + ops.reshape(positions, (-1, rows, columns))


def _neither_score(
    pooled: keras.KerasTensor, pets: keras.KerasTensor, imagenet_classifier: ImageNetClassifier, gate: Gate
) -> keras.KerasTensor:
    """Compute the out-of-distribution score of :class:`catsdogs.training.gate.Gate`."""
    reference = gate.reference
    others = _dense(pooled, imagenet_classifier.other_weights, imagenet_classifier.other_bias, "other_classes")
    margins = others - _log_sum_exp(pets)
    standardise = layers.BatchNormalization(epsilon=0, center=False, scale=False, name="other_margins")
    otherness = ops.max(standardise(margins), axis=1, keepdims=True)
    standardise.set_weights([reference.mean, np.square(reference.spread)])
    directions = layers.UnitNormalization(name="direction")(pooled)
    cosines = _dense(directions, reference.centroids.T, None, "centroids")
    similarity = ops.mean(ops.top_k(cosines, min(NEIGHBOURS, len(reference.centroids)))[0], axis=1, keepdims=True)
    contrast = -similarity
    if len(reference.others):
        nearest = ops.max(_dense(directions, reference.others.T, None, "others"), axis=1, keepdims=True)
        contrast = nearest - similarity
    terms = ops.concatenate([_log_sum_exp(margins), otherness, contrast], axis=1)
    return ops.squeeze(ops.sigmoid(_dense(terms, gate.slopes[:, np.newaxis], -gate.threshold, "neither")), axis=-1)


def _log_sum_exp(logits: keras.KerasTensor) -> keras.KerasTensor:
    """Compute the log-sum-exp, shape (n, 1), with two nodes in ONNX; TensorFlow's own function gives twenty."""
    return (logits - ops.log_softmax(logits))[:, :1]


def _dense(x: keras.KerasTensor, weights: np.ndarray, bias: np.ndarray | float | None, name: str) -> keras.KerasTensor:
    layer = layers.Dense(weights.shape[1], use_bias=bias is not None, name=name)
    x = layer(x)
    layer.set_weights([weights] if bias is None else [weights, np.reshape(bias, weights.shape[1])])
    return x


def save(network: TrainedNetwork, folder: Path) -> None:
    """Write the network as ``model.keras`` and, for ONNX Runtime, as ``model.onnx``."""
    network.model.save(folder / "model.keras")
    path = folder / "model.onnx"
    fitted = network.fitted
    zeros = [np.zeros((1, *shape[1:]), np.float32) for shape in fitted.input_shape]
    fitted.predict(zeros, verbose=0)  # the export needs a model that was called
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="keras.src.export")  # about Keras's own code
        fitted.export(path, format="onnx", verbose=False)
    after = onnx.load(path)
    [opset] = [known.version for known in after.opset_import if not known.domain]
    before = build_onnx(network.backbone, network.model.input_shape[1], opset, after.ir_version)
    onnx.save(onnx.compose.merge_models(before, after, [(name, name) for name in FEATURE_MAPS]), path)
