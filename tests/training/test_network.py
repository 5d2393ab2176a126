"""The graph computes what its parts say, and the backbone is the one that its weights were trained for."""

from __future__ import annotations

import bisect
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, softmax

from catsdogs import images
from catsdogs.training.backbone import build_backbone
from catsdogs.training.gate import PET_CLASSES, Gate, fit_gate, split_classes
from catsdogs.training.head import Head, fit_head
from catsdogs.training.network import assemble
from catsdogs.training.weights import Arrays, load_imagenet_weights

EGYPTIAN_CAT = 285


@pytest.fixture(scope="module")
def imagenet() -> Arrays:
    return load_imagenet_weights()


def test_the_backbone_sees_the_cat(imagenet: Arrays, cat_jpeg: bytes) -> None:
    pixels = images.centre_square(images.decode(cat_jpeg), 224)[np.newaxis].astype(np.float32)
    features = np.asarray(build_backbone(imagenet, 224)(pixels))
    assert features.shape == (1, 7, 7, 1280)
    assert features.min() == 0
    assert features.max() <= 6
    logits = features.mean(axis=(1, 2)) @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    probabilities = softmax(logits[0])
    assert probabilities.argmax() == EGYPTIAN_CAT
    assert probabilities[281:286].sum() > 0.5


@pytest.mark.photos
def test_the_backbone_knows_imagenet(imagenet: Arrays, photos: Path) -> None:
    """One photo each of 100 classes: 89 right. Symmetric padding or other scaling would cost 7 and more.

    ImageNet numbers its classes in the order of their WordNet identifiers, with which the sources' names
    begin; so, in that order, right answers increase.
    """
    with (photos / "neither" / "manifest.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["source_path"])
    files = [(photos / "neither" / Path(row["file"]).name).read_bytes() for row in rows]
    pixels = np.stack([images.centre_square(images.decode(file), 224) for file in files]).astype(np.float32)
    features = build_backbone(imagenet, 224).predict(pixels, batch_size=25, verbose=0).mean(axis=(1, 2))
    answers = (features @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]).argmax(axis=1)
    increasing: list[int] = []  # patience sorting: its length is that of the longest increasing subsequence
    for answer in answers:
        place = bisect.bisect_left(increasing, answer)
        increasing[place : place + 1] = [answer]
    assert len(increasing) >= 86


def features_of(random: np.random.Generator, n: int) -> npt.NDArray[np.float32]:
    return np.abs(random.normal(0.4, 0.3, (n, 1280))).astype(np.float32)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture
def gate(random: np.random.Generator, imagenet: Arrays) -> Gate:
    return fit_gate(features_of(random, 400), imagenet, seed=0)


def neither_score(gate: Gate, imagenet: Arrays, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The formula of the gate's documentation, written down once more."""
    margins = split_classes(imagenet).margins(features.astype(float))
    otherness = ((margins - gate.mean) / gate.spread).max(axis=1)
    cosines = features @ gate.centroids.T / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = np.sort(cosines, axis=1)[:, -3:].mean(axis=1)
    score: npt.NDArray[np.float64] = expit(np.stack([otherness, similarity], 1) @ gate.slopes - gate.threshold)
    return score


def test_the_gate_keeps_its_rule(random: np.random.Generator, gate: Gate, imagenet: Arrays) -> None:
    scores = neither_score(gate, imagenet, features_of(np.random.default_rng(1), 400))
    assert (scores >= 0.5).sum() == 3  # 0.6 % of 400, rounded up
    assert np.median(scores) == pytest.approx(0.02, abs=1e-6)


def test_the_gate_refuses_what_another_class_explains(gate: Gate, imagenet: Arrays) -> None:
    typical = features_of(np.random.default_rng(1), 400).mean(axis=0, keepdims=True)
    sorrel = imagenet["_fc.weight"][339]
    steps = np.concatenate([np.clip(typical + step * sorrel, 0, 6) for step in (0, 1, 2, 3, 4)]).astype(np.float32)
    scores = neither_score(gate, imagenet, steps)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < 0.5 < scores[-1]


def test_the_pet_classes_are_domestic() -> None:
    wolf, fox, tabby, lynx, lion, chihuahua, african_hunting_dog = 269, 277, 281, 287, 291, 151, 275
    assert {tabby, chihuahua, EGYPTIAN_CAT, 268} <= set(PET_CLASSES)
    assert not {wolf, fox, lynx, lion, african_hunting_dog} & set(PET_CLASSES)


def test_the_graph_computes_head_map_and_gate(imagenet: Arrays, gate: Gate, cat_jpeg: bytes) -> None:
    random = np.random.default_rng(2)
    head = Head(random.normal(0, 0.1, 1280), 0.3, strength=1, temperature=1, errors=0, log_loss=0, held_out=np.zeros(0))
    backbone = build_backbone(imagenet, 96)
    upright = images.centre_square(images.decode(cat_jpeg), 96)
    pixels = np.stack([upright, upright[::-1], 255 - upright]).astype(np.float32)
    features = np.asarray(backbone(pixels))
    outputs = {name: np.asarray(value) for name, value in assemble(backbone, imagenet, head, gate)(pixels).items()}

    pooled = features.mean(axis=(1, 2))
    logits = pooled @ head.weights + head.bias
    assert outputs["activation"].shape == (3, 3, 3)
    assert outputs["activation"] == pytest.approx(features @ head.weights + head.bias, abs=1e-4)
    assert outputs["proba_dog"] == pytest.approx(expit(logits), abs=1e-5)
    assert outputs["neither_score"] == pytest.approx(neither_score(gate, imagenet, pooled), abs=1e-4)


def test_the_head_is_calibrated_and_finds_the_direction() -> None:
    random = np.random.default_rng(3)
    features = random.normal(0, 1, (600, 20)).astype(np.float32)
    truth = np.array([2.0, -1.0] + [0.0] * 18)
    is_dog = random.random(600) < expit(features @ truth)
    both_ways = np.stack([features, features])
    head = fit_head(both_ways, is_dog, seed=0)
    assert head.weights[:2] == pytest.approx(truth[:2], abs=0.5)
    assert np.abs(head.weights[2:]).max() < 0.5
    assert head.log_loss < 0.5 < np.log(2)
    assert head.weights.tolist() == fit_head(both_ways, is_dog, seed=0).weights.tolist()


def test_a_photo_held_out_is_judged_by_itself_not_with_its_mirror_image() -> None:
    """The mirror images tell the truth, the photos tell nothing: as served, there is nothing to go by."""
    random = np.random.default_rng(4)
    is_dog = random.random(400) < 0.5
    upright = random.normal(0, 1, (400, 5)).astype(np.float32)
    mirrored = (10 * is_dog[:, None] + random.normal(0, 1, (400, 5))).astype(np.float32)
    assert fit_head(np.stack([mirrored, mirrored]), is_dog, seed=0).errors < 5
    assert fit_head(np.stack([upright, mirrored]), is_dog, seed=0).errors > 100
