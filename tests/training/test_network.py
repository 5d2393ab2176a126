"""The assembled network computes what its parts define, and the backbone fits its weights."""

from __future__ import annotations

import bisect
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logsumexp, softmax

from catsdogs.model import preprocessing
from catsdogs.training.backbone import build_lite0, forward
from catsdogs.training.gate import Gate, fit_gate
from catsdogs.training.head import Head, fit_head, scale_inputs
from catsdogs.training.imagenet import CATS, DOGS, ImageNetClassifier, split_classifier
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.network import assemble
from catsdogs.training.quantization import QuantizedBackbone
from catsdogs.training.weights import Arrays

from .conftest import INPUT_SIZE

EGYPTIAN_CAT = 285


@pytest.fixture(scope="module")
def imagenet_classifier(imagenet: Arrays) -> ImageNetClassifier:
    return split_classifier(imagenet)


def test_the_backbone_recognises_the_cat(
    imagenet: Arrays, imagenet_classifier: ImageNetClassifier, cat_jpeg: bytes
) -> None:
    pixels = preprocessing.centre_square(preprocessing.decode(cat_jpeg), 224)[np.newaxis].astype(np.float32)
    last, inner = forward(build_lite0(imagenet), pixels)
    assert (last.shape, inner.shape) == ((1, 7, 7, 1280), (1, 7, 7, 1152))
    assert min(last.min(), inner.min()) == 0
    assert max(last.max(), inner.max()) <= 6
    pooled = last.mean(axis=(1, 2))
    logits = pooled @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    probabilities = softmax(logits[0])
    assert probabilities.argmax() == EGYPTIAN_CAT
    assert probabilities[CATS].sum() > 0.5
    cat, dog = probabilities[CATS].sum(), probabilities[DOGS].sum()
    assert imagenet_classifier.prior_logits(pooled) == pytest.approx(np.log(dog / cat), abs=1e-4)
    assert imagenet_classifier.prior_logits(pooled) < -2


@pytest.mark.photos
def test_the_backbone_classifies_imagenet(imagenet: Arrays, photos: Path) -> None:
    """Of one photo each of 100 classes, 89 are right. Symmetric padding or other scaling would lose 7 and more.

    ImageNet numbers its classes in the order of their WordNet identifiers, with which the names of the
    photos begin; in that order, the numbers of right answers increase.
    """
    with (photos / "neither" / "manifest.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["source_path"])
    files = [(photos / "neither" / Path(row["file"]).name).read_bytes() for row in rows]
    pixels = np.stack([preprocessing.centre_square(preprocessing.decode(file), 224) for file in files]).astype(
        np.float32
    )
    blocks = build_lite0(imagenet)
    features = np.concatenate([forward(blocks, batch)[0].mean(axis=(1, 2)) for batch in np.split(pixels, 4)])
    answers = (features @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]).argmax(axis=1)
    increasing: list[int] = []  # patience sorting: the list gets as long as the longest increasing subsequence
    for answer in answers:
        position = bisect.bisect_left(increasing, answer)
        increasing[position : position + 1] = [answer]
    assert len(increasing) >= 86


def features_of(random: np.random.Generator, n: int) -> npt.NDArray[np.float32]:
    return np.abs(random.normal(0.4, 0.3, (n, 1280))).astype(np.float32)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def gate(random: np.random.Generator, imagenet_classifier: ImageNetClassifier) -> Gate:
    return fit_gate(features_of(random, 400), imagenet_classifier, seed=0)


def neither_score(
    gate: Gate, imagenet_classifier: ImageNetClassifier, features: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """The formula in the documentation of the gate."""
    margins = imagenet_classifier.margins(features.astype(float))
    margin = ((margins - gate.mean) / gate.spread).max(axis=1)
    cosines = features @ gate.centroids.T / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = np.sort(cosines, axis=1)[:, -3:].mean(axis=1)
    score: npt.NDArray[np.float64] = expit(np.stack([margin, similarity], 1) @ gate.slopes - gate.threshold)
    return score


def test_the_gate_refuses_the_share_that_its_rule_states(gate: Gate, imagenet_classifier: ImageNetClassifier) -> None:
    scores = neither_score(gate, imagenet_classifier, features_of(np.random.default_rng(1), 400))
    assert (scores >= 0.5).sum() == 3  # 0.6 % of 400, rounded up
    assert np.median(scores) == pytest.approx(0.02, abs=1e-6)


def test_the_gate_refuses_features_of_another_class(
    gate: Gate, imagenet: Arrays, imagenet_classifier: ImageNetClassifier
) -> None:
    typical = features_of(np.random.default_rng(1), 400).mean(axis=0, keepdims=True)
    sorrel = imagenet["_fc.weight"][339]
    steps = np.concatenate([np.clip(typical + step * sorrel, 0, 6) for step in (0, 1, 2, 3, 4)]).astype(np.float32)
    scores = neither_score(gate, imagenet_classifier, steps)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < 0.5 < scores[-1]


def test_the_pet_classes_are_domestic() -> None:
    wolf, fox, tabby, lynx, lion, chihuahua, african_hunting_dog = 269, 277, 281, 287, 291, 151, 275
    assert {tabby, EGYPTIAN_CAT} <= set(CATS)
    assert {chihuahua, 268} <= set(DOGS)
    assert not {wolf, fox, lynx, lion, african_hunting_dog} & {*CATS, *DOGS}


def test_the_graph_computes_head_map_and_gate(
    backbone: QuantizedBackbone, imagenet_classifier: ImageNetClassifier, gate: Gate, pixels: np.ndarray
) -> None:
    random = np.random.default_rng(2)
    weights = random.normal(0, 0.1, 2432)
    head = Head(weights, 0.7, 0.3, strength=1, temperature=1, errors=0, log_loss=0, held_out_proba_dog=np.zeros(0))
    last, inner = (np.asarray(features) for features in build_keras(backbone, INPUT_SIZE)(pixels))
    model = assemble(backbone, INPUT_SIZE, imagenet_classifier, head, gate).model
    outputs = {name: np.asarray(value) for name, value in model(pixels).items()}

    pooled = last.mean(axis=(1, 2))
    dogs, cats = np.split(pooled @ imagenet_classifier.pet_weights + imagenet_classifier.pet_bias, [118], axis=1)
    prior = logsumexp(dogs, axis=1) - logsumexp(cats, axis=1)
    features = np.concatenate([pooled, inner.mean(axis=(1, 2))], axis=1)
    logits = features @ head.weights + head.prior_weight * prior + head.bias
    assert outputs["activation"].shape == (6, 3, 3)
    assert outputs["activation"].mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-5)
    assert outputs["proba_dog"] == pytest.approx(expit(logits), abs=1e-5)
    assert outputs["neither_score"] == pytest.approx(neither_score(gate, imagenet_classifier, pooled), abs=1e-4)

    direction = (
        np.concatenate([softmax(dogs, axis=1), -softmax(cats, axis=1)], axis=1) @ imagenet_classifier.pet_weights.T
    )
    prior_map = np.einsum("nrck,nk->nrc", last, direction)
    prior_map += (prior - prior_map.mean(axis=(1, 2)))[:, None, None]
    expected = last @ weights[:1280] + inner @ weights[1280:] + head.prior_weight * prior_map + head.bias
    assert outputs["activation"] == pytest.approx(expected, abs=1e-4)


NO_PRIOR = np.zeros((2, 600))


def test_the_head_is_calibrated_and_finds_the_direction() -> None:
    random = np.random.default_rng(3)
    features = random.normal([3.0, -1.0] + [0.0] * 18, [1.0, 4.0] + [1.0] * 18, (600, 20))
    truth = np.array([2.0, -0.25] + [0.0] * 18)
    is_dog = random.random(600) < expit(features @ truth - 6.25)
    inputs = scale_inputs(np.stack([features, features]), NO_PRIOR)
    head = fit_head(inputs, is_dog, seed=0)
    assert head.weights[:2] == pytest.approx(truth[:2], abs=0.5)
    assert np.abs(head.weights[2:]).max() < 0.5
    assert head.bias == pytest.approx(-6.25, abs=1)
    assert head.log_loss < 0.5 < np.log(2)
    assert head.prior_weight == 0, "a constant input has no weight"
    assert head.weights.tolist() == fit_head(inputs, is_dog, seed=0).weights.tolist()


def test_the_head_uses_the_prior_logit() -> None:
    random = np.random.default_rng(5)
    is_dog = random.random(600) < 0.5
    noise = random.normal(0, 1, (2, 600, 20))
    prior_logits = random.normal(np.where(is_dog, 2, -2), 0.5, (2, 600))
    head = fit_head(scale_inputs(noise, prior_logits), is_dog, seed=0)
    assert head.errors < 5
    assert head.prior_weight > np.abs(head.weights).max()
    assert fit_head(scale_inputs(noise, NO_PRIOR), is_dog, seed=0).errors > 100


def test_a_held_out_photo_is_predicted_without_its_mirror_image() -> None:
    """Here the mirror images show the label, and the photos do not."""
    random = np.random.default_rng(4)
    is_dog = random.random(600) < 0.5
    upright = random.normal(0, 1, (600, 5))
    mirrored = 10 * is_dog[:, None] + random.normal(0, 1, (600, 5))
    assert fit_head(scale_inputs(np.stack([mirrored, mirrored]), NO_PRIOR), is_dog, seed=0).errors < 5
    assert fit_head(scale_inputs(np.stack([upright, mirrored]), NO_PRIOR), is_dog, seed=0).errors > 100
