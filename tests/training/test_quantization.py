"""The backbone in whole numbers: near to that in floating point, and the same in both runtimes to the last bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from scipy.special import softmax

from catsdogs.errors import InvalidInput
from catsdogs.model import preprocessing
from catsdogs.model.card import SHIPPED
from catsdogs.model.runtimes import open_session
from catsdogs.training.activation_statistics import STEPS, calibrate, inputs_last
from catsdogs.training.backbone import MAPS, Block, lite0, see
from catsdogs.training.dataset import Dataset
from catsdogs.training.gptq import round_together
from catsdogs.training.imagenet import CATS
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.onnx_graph import INPUT, build_onnx
from catsdogs.training.pipeline import _round_backbone
from catsdogs.training.quantization import FixedPoint, to_fixed_point
from catsdogs.training.weights import Arrays, load_imagenet_weights

SIZE = 96
FLOAT32_COUNTS_TO = 2**24


@pytest.fixture(scope="module")
def imagenet() -> Arrays:
    return load_imagenet_weights()


@pytest.fixture(scope="module")
def blocks(imagenet: Arrays) -> list[Block]:
    return lite0(imagenet)


@pytest.fixture(scope="module")
def pixels(cat_jpeg: bytes) -> np.ndarray:
    """A cat, its other sides, its negative, a part of it, and noise."""
    cat = preprocessing.centre_square(preprocessing.decode(cat_jpeg), SIZE)
    near = preprocessing.centre_square(preprocessing.decode(cat_jpeg), 2 * SIZE)[
        SIZE // 2 : -SIZE // 2, SIZE // 2 : -SIZE // 2
    ]
    noise = np.random.default_rng(0).integers(0, 256, cat.shape, np.uint8)
    return np.stack([cat, cat[:, ::-1], cat[::-1], 255 - cat, near, noise]).astype(np.float32)


@pytest.fixture(scope="module")
def network(blocks: list[Block], pixels: np.ndarray) -> FixedPoint:
    return to_fixed_point(blocks, calibrate(blocks, [pixels]))


def run_onnx(network: FixedPoint, pixels: np.ndarray) -> list[np.ndarray]:
    session = open_session(build_onnx(network, pixels.shape[1]).SerializeToString(), 1)
    maps: list[np.ndarray] = session.run(list(MAPS), {INPUT: pixels})
    return maps


def test_keras_and_onnx_runtime_agree_to_the_last_bit(network: FixedPoint, pixels: np.ndarray) -> None:
    unseen = np.random.default_rng(1).permutation(pixels.ravel()).reshape(pixels.shape)
    photos = np.concatenate([pixels, unseen])
    keras = [np.asarray(map_) for map_ in build_keras(network, SIZE)(photos)]
    for ours, theirs, channels in zip(run_onnx(network, photos), keras, MAPS.values(), strict=True):
        assert ours.shape == (12, 3, 3, channels)
        assert len(np.unique(ours)) > 100
        assert (ours == theirs).all()


def test_it_sees_what_is_seen_in_floating_point(
    network: FixedPoint, blocks: list[Block], pixels: np.ndarray, imagenet: Arrays
) -> None:
    for whole, real in zip(run_onnx(network, pixels), see(blocks, pixels), strict=True):
        seen, meant = (maps.mean(axis=(1, 2)) for maps in (whole, real))
        assert np.linalg.norm(seen - meant) < 0.15 * np.linalg.norm(meant - meant.mean(axis=0))
    logits = run_onnx(network, pixels)[0].mean(axis=(1, 2)) @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    assert softmax(logits[0])[CATS].sum() > 0.5


def test_another_network_has_another_fingerprint(network: FixedPoint, blocks: list[Block], pixels: np.ndarray) -> None:
    assert to_fixed_point(blocks, calibrate(blocks, [pixels])).fingerprint == network.fingerprint
    assert to_fixed_point(blocks, calibrate(blocks, [pixels[:3]])).fingerprint != network.fingerprint


def test_no_sum_overflows(network: FixedPoint) -> None:
    """Neither in float32, in which Keras adds, nor in the 16 bits of two products on processors without VNNI."""
    for name, whole in network.convolutions.items():
        kernel = np.abs(whole.kernel.astype(int))
        assert (255 * kernel.sum(axis=(1, 2, 3)) + np.abs(whole.bias) < FLOAT32_COUNTS_TO).all(), name
        if "depthwise" not in name:
            assert_pairs_fit(kernel)


def test_no_sum_of_the_shipped_model_overflows() -> None:
    graph = onnx.load(SHIPPED / "model.onnx").graph
    constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "QLinearConv"]
    assert len(convolutions) == 49
    for node in convolutions:
        kernel, bias = (np.abs(constants[node.input[place]].astype(int)) for place in (3, 8))
        assert (255 * kernel.sum(axis=(1, 2, 3)) + bias < FLOAT32_COUNTS_TO).all()
        if [attribute.i for attribute in node.attribute if attribute.name == "group"] == [1]:
            assert_pairs_fit(kernel)


def assert_pairs_fit(kernel: np.ndarray) -> None:
    """Two neighbours in memory, where channels come last, times the largest byte."""
    row = kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1)
    assert (255 * (row[:, :-1:2] + row[:, 1::2])).max() < 2**15


def test_weights_are_rounded_for_inputs_that_go_together() -> None:
    random = np.random.default_rng(2)
    inputs = random.normal(size=(2000, 3)) @ random.normal(size=(3, 24)) + random.normal(0, 0.1, (2000, 24))
    covariance = np.cov(inputs.T)
    weights = random.normal(0, 3, (5, 24))
    together, nearest = round_together(weights, covariance), np.round(weights)
    lost, lost_by_nearest = (np.square(inputs @ (rounded - weights).T).mean() for rounded in (together, nearest))
    assert lost < 0.3 * lost_by_nearest
    stacked = round_together(np.stack([weights, -weights]), np.stack([covariance, covariance]))
    assert (stacked == [together, -together]).all()


def test_weights_stay_in_range() -> None:
    weights = np.array([[300.0, 1.2, -500.0, -90.0], [100.4, 100.4, 0.0, 128.0]])
    assert round_together(weights, np.eye(4)).tolist() == [[127, 1, -127, -90], [100, 100, 0, 127]]
    assert round_together(weights, np.eye(4), 128).tolist() == [[127, 1, -127, -1], [100, 28, 0, 127]]


def test_inputs_that_never_vary_do_not_matter() -> None:
    assert round_together(np.array([[1.4, 2.6]]), np.zeros((2, 2))).tolist() == [[1, 3]]


def test_calibration_knows_what_goes_into_each_convolution(blocks: list[Block], pixels: np.ndarray) -> None:
    whole, parts = calibrate(blocks, [pixels]), calibrate(blocks, [pixels[:2], pixels[2:]])
    stem = blocks[0].convolutions[0]
    centre = slice(4 * 3, 5 * 3)  # the middle of 3 x 3 places, in red, green and blue
    assert whole.means[stem.name][centre] == pytest.approx((pixels.mean(axis=(0, 1, 2)) - 127) / 128, abs=0.05)
    assert inputs_last(stem)[:, centre] == pytest.approx(stem.kernel[:, :, 1, 1])
    assert whole.covariances[stem.name].shape == (27, 27)
    assert whole.covariances["blocks_3_depthwise_conv"].shape == (144, 25, 25)
    assert set(whole.steps.values()) < set(STEPS)
    assert parts.steps == whole.steps
    for name, mean in whole.means.items():
        assert np.allclose(parts.means[name], mean, atol=1e-5)
        assert np.allclose(parts.covariances[name], whole.covariances[name], atol=1e-3)


def test_peoples_photos_do_not_round_the_backbone(imagenet: Arrays) -> None:
    nobodys = Dataset([], [], np.zeros(0, bool), {}, "", feedback=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="photos of your own"):
        _round_backbone(imagenet, nobodys, SIZE, lambda *_: None)
