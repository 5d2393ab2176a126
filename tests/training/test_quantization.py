"""The int8-quantized backbone is close to the one in floating point, and bit-exact in both runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from scipy.special import softmax

from catsdogs.errors import InvalidInput
from catsdogs.model.card import SHIPPED
from catsdogs.model.runtimes import open_session
from catsdogs.training.activation_statistics import collect_activation_statistics
from catsdogs.training.backbone import FEATURE_MAPS, Block, forward
from catsdogs.training.calibrations import Calibrations
from catsdogs.training.dataset import Dataset
from catsdogs.training.imagenet import CATS
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.onnx_graph import INPUT, build_onnx
from catsdogs.training.pipeline import quantize_backbone
from catsdogs.training.quantization import QuantizedBackbone, quantize
from catsdogs.training.weights import Arrays

from .conftest import INPUT_SIZE

FLOAT32_INTEGERS = 2**24


def run_onnx(backbone: QuantizedBackbone, pixels: np.ndarray) -> list[np.ndarray]:
    session = open_session(build_onnx(backbone, pixels.shape[1]).SerializeToString(), 1)
    maps: list[np.ndarray] = session.run(list(FEATURE_MAPS), {INPUT: pixels})
    return maps


def test_keras_and_onnx_runtime_are_bit_exact(backbone: QuantizedBackbone, pixels: np.ndarray) -> None:
    unseen = np.random.default_rng(1).permutation(pixels.ravel()).reshape(pixels.shape)
    photos = np.concatenate([pixels, unseen])
    keras = [np.asarray(map_) for map_ in build_keras(backbone, INPUT_SIZE)(photos)]
    for ours, theirs, channels in zip(run_onnx(backbone, photos), keras, (1280, 1152), strict=True):
        assert ours.shape == (12, 3, 3, channels)
        assert len(np.unique(ours)) > 100
        assert (ours == theirs).all()


def test_features_are_close_to_those_in_floating_point(
    backbone: QuantizedBackbone, blocks: list[Block], pixels: np.ndarray, imagenet: Arrays
) -> None:
    for quantized, exact in zip(run_onnx(backbone, pixels), forward(blocks, pixels), strict=True):
        features, expected = (maps.mean(axis=(1, 2)) for maps in (quantized, exact))
        assert np.linalg.norm(features - expected) < 0.15 * np.linalg.norm(expected - expected.mean(axis=0))
    logits = run_onnx(backbone, pixels)[0].mean(axis=(1, 2)) @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    assert softmax(logits[0])[CATS].sum() > 0.5


def test_the_fingerprint_depends_on_the_weights(blocks: list[Block], pixels: np.ndarray) -> None:
    first_blocks = blocks[:3]
    statistics = collect_activation_statistics(first_blocks, [pixels])
    fingerprint = quantize(first_blocks, statistics).fingerprint
    assert quantize(first_blocks, statistics).fingerprint == fingerprint
    others = collect_activation_statistics(first_blocks, [pixels[:3]])
    assert quantize(first_blocks, others).fingerprint != fingerprint


def test_no_sum_overflows(backbone: QuantizedBackbone) -> None:
    """Neither in float32, in which Keras adds, nor in the 16 bits of two products on processors without VNNI."""
    for name, quantized in backbone.convolutions.items():
        kernel = np.abs(quantized.kernel.astype(int))
        assert (255 * kernel.sum(axis=(1, 2, 3)) + np.abs(quantized.bias) < FLOAT32_INTEGERS).all(), name
        if "depthwise" not in name:
            assert_pairs_fit(kernel)


def test_no_sum_of_the_shipped_model_overflows() -> None:
    graph = onnx.load(SHIPPED / "model.onnx").graph
    constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "QLinearConv"]
    assert len(convolutions) == 64
    for node in convolutions:
        kernel, bias = (np.abs(constants[node.input[index]].astype(int)) for index in (3, 8))
        assert (255 * kernel.sum(axis=(1, 2, 3)) + bias < FLOAT32_INTEGERS).all()
        if [attribute.i for attribute in node.attribute if attribute.name == "group"] == [1]:
            assert_pairs_fit(kernel)


def assert_pairs_fit(kernel: np.ndarray) -> None:
    """Two neighbours in memory, where channels come last, times the largest byte."""
    row = kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1)
    assert (255 * (row[:, :-1:2] + row[:, 1::2])).max() < 2**15


def test_peoples_photos_do_not_enter_the_statistics(blocks: list[Block], tmp_path: Path) -> None:
    dataset = Dataset([], [], np.zeros(0, bool), {}, "", feedback=None, hashes=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="photos of your own"):
        quantize_backbone(blocks, dataset, INPUT_SIZE, lambda *_: None, Calibrations(tmp_path))
