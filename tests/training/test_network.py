"""The graph computes what its parts say, and the backbone is the one that its weights were trained for."""

from __future__ import annotations

import bisect
import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logsumexp, softmax

from catsdogs.model import preprocessing
from catsdogs.training.activation_statistics import calibrate
from catsdogs.training.backbone import lite0, see
from catsdogs.training.gate import Gate, fit_gate
from catsdogs.training.head import Head, fit_head, scaled
from catsdogs.training.imagenet import CATS, DOGS, Classes, split_classes
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.network import assemble
from catsdogs.training.quantization import to_fixed_point
from catsdogs.training.weights import Arrays, load_imagenet_weights

EGYPTIAN_CAT = 285


@pytest.fixture(scope="module")
def imagenet() -> Arrays:
    return load_imagenet_weights()


@pytest.fixture(scope="module")
def classes(imagenet: Arrays) -> Classes:
    return split_classes(imagenet)


def test_the_backbone_sees_the_cat(imagenet: Arrays, classes: Classes, cat_jpeg: bytes) -> None:
    pixels = preprocessing.centre_square(preprocessing.decode(cat_jpeg), 224)[np.newaxis].astype(np.float32)
    last, inner = see(lite0(imagenet), pixels)
    assert (last.shape, inner.shape) == ((1, 7, 7, 1280), (1, 7, 7, 1152))
    assert min(last.min(), inner.min()) == 0
    assert max(last.max(), inner.max()) <= 6
    pooled = last.mean(axis=(1, 2))
    logits = pooled @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    probabilities = softmax(logits[0])
    assert probabilities.argmax() == EGYPTIAN_CAT
    assert probabilities[CATS].sum() > 0.5
    cat, dog = probabilities[CATS].sum(), probabilities[DOGS].sum()
    assert classes.opinion(pooled) == pytest.approx(np.log(dog / cat), abs=1e-4)
    assert classes.opinion(pooled) < -2


@pytest.mark.photos
def test_the_backbone_knows_imagenet(imagenet: Arrays, photos: Path) -> None:
    """One photo each of 100 classes: 89 right. Symmetric padding or other scaling would cost 7 and more.

    ImageNet numbers its classes in the order of their WordNet identifiers, with which the sources' names
    begin; so, in that order, right answers increase.
    """
    with (photos / "neither" / "manifest.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["source_path"])
    files = [(photos / "neither" / Path(row["file"]).name).read_bytes() for row in rows]
    pixels = np.stack([preprocessing.centre_square(preprocessing.decode(file), 224) for file in files]).astype(
        np.float32
    )
    blocks = lite0(imagenet)
    features = np.concatenate([see(blocks, batch)[0].mean(axis=(1, 2)) for batch in np.split(pixels, 4)])
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
def gate(random: np.random.Generator, classes: Classes) -> Gate:
    return fit_gate(features_of(random, 400), classes, seed=0)


def neither_score(gate: Gate, classes: Classes, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The formula of the gate's documentation, written down once more."""
    margins = classes.margins(features.astype(float))
    otherness = ((margins - gate.mean) / gate.spread).max(axis=1)
    cosines = features @ gate.centroids.T / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = np.sort(cosines, axis=1)[:, -3:].mean(axis=1)
    score: npt.NDArray[np.float64] = expit(np.stack([otherness, similarity], 1) @ gate.slopes - gate.threshold)
    return score


def test_the_gate_keeps_its_rule(gate: Gate, classes: Classes) -> None:
    scores = neither_score(gate, classes, features_of(np.random.default_rng(1), 400))
    assert (scores >= 0.5).sum() == 3  # 0.6 % of 400, rounded up
    assert np.median(scores) == pytest.approx(0.02, abs=1e-6)


def test_the_gate_refuses_what_another_class_explains(gate: Gate, imagenet: Arrays, classes: Classes) -> None:
    typical = features_of(np.random.default_rng(1), 400).mean(axis=0, keepdims=True)
    sorrel = imagenet["_fc.weight"][339]
    steps = np.concatenate([np.clip(typical + step * sorrel, 0, 6) for step in (0, 1, 2, 3, 4)]).astype(np.float32)
    scores = neither_score(gate, classes, steps)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < 0.5 < scores[-1]


def test_the_pet_classes_are_domestic() -> None:
    wolf, fox, tabby, lynx, lion, chihuahua, african_hunting_dog = 269, 277, 281, 287, 291, 151, 275
    assert {tabby, EGYPTIAN_CAT} <= set(CATS)
    assert {chihuahua, 268} <= set(DOGS)
    assert not {wolf, fox, lynx, lion, african_hunting_dog} & {*CATS, *DOGS}


def test_the_graph_computes_head_map_and_gate(imagenet: Arrays, classes: Classes, gate: Gate, cat_jpeg: bytes) -> None:
    random = np.random.default_rng(2)
    weights = random.normal(0, 0.1, 2432)
    head = Head(weights, 0.7, 0.3, strength=1, temperature=1, errors=0, log_loss=0, held_out=np.zeros(0))
    upright = preprocessing.centre_square(preprocessing.decode(cat_jpeg), 96)
    pixels = np.stack([upright, upright[::-1], 255 - upright]).astype(np.float32)
    blocks = lite0(imagenet)
    backbone = to_fixed_point(blocks, calibrate(blocks, [pixels]))
    last, inner = (np.asarray(features) for features in build_keras(backbone, 96)(pixels))
    model = assemble(backbone, 96, classes, head, gate).model
    outputs = {name: np.asarray(value) for name, value in model(pixels).items()}

    pooled = last.mean(axis=(1, 2))
    dogs, cats = np.split(pooled @ classes.pet_weights + classes.pet_bias, [118], axis=1)
    opinion = logsumexp(dogs, axis=1) - logsumexp(cats, axis=1)
    features = np.concatenate([pooled, inner.mean(axis=(1, 2))], axis=1)
    logits = features @ head.weights + head.trust * opinion + head.bias
    assert outputs["activation"].shape == (3, 3, 3)
    assert outputs["activation"].mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-5)
    assert outputs["proba_dog"] == pytest.approx(expit(logits), abs=1e-5)
    assert outputs["neither_score"] == pytest.approx(neither_score(gate, classes, pooled), abs=1e-4)

    direction = np.concatenate([softmax(dogs, axis=1), -softmax(cats, axis=1)], axis=1) @ classes.pet_weights.T
    told = np.einsum("nrck,nk->nrc", last, direction)
    told += (opinion - told.mean(axis=(1, 2)))[:, None, None]
    places = last @ weights[:1280] + inner @ weights[1280:] + head.trust * told + head.bias
    assert outputs["activation"] == pytest.approx(places, abs=1e-4)


NO_OPINION = np.zeros((2, 600))


def test_the_head_is_calibrated_and_finds_the_direction() -> None:
    random = np.random.default_rng(3)
    features = random.normal([3.0, -1.0] + [0.0] * 18, [1.0, 4.0] + [1.0] * 18, (600, 20))
    truth = np.array([2.0, -0.25] + [0.0] * 18)
    is_dog = random.random(600) < expit(features @ truth - 6.25)
    inputs = scaled(np.stack([features, features]), NO_OPINION)
    head = fit_head(inputs, is_dog, seed=0)
    assert head.weights[:2] == pytest.approx(truth[:2], abs=0.5)
    assert np.abs(head.weights[2:]).max() < 0.5
    assert head.bias == pytest.approx(-6.25, abs=1)
    assert head.log_loss < 0.5 < np.log(2)
    assert head.trust == 0, "what always says the same says nothing"
    assert head.weights.tolist() == fit_head(inputs, is_dog, seed=0).weights.tolist()


def test_the_head_hears_imagenets_opinion() -> None:
    random = np.random.default_rng(5)
    is_dog = random.random(600) < 0.5
    noise = random.normal(0, 1, (2, 600, 20))
    opinions = random.normal(np.where(is_dog, 2, -2), 0.5, (2, 600))
    heard = fit_head(scaled(noise, opinions), is_dog, seed=0)
    assert heard.errors < 5
    assert heard.trust > np.abs(heard.weights).max()
    assert fit_head(scaled(noise, NO_OPINION), is_dog, seed=0).errors > 100


def test_a_photo_held_out_is_judged_by_itself_not_with_its_mirror_image() -> None:
    """The mirror images tell the truth, the photos tell nothing: as served, there is nothing to go by."""
    random = np.random.default_rng(4)
    is_dog = random.random(600) < 0.5
    upright = random.normal(0, 1, (600, 5))
    mirrored = 10 * is_dog[:, None] + random.normal(0, 1, (600, 5))
    assert fit_head(scaled(np.stack([mirrored, mirrored]), NO_OPINION), is_dog, seed=0).errors < 5
    assert fit_head(scaled(np.stack([upright, mirrored]), NO_OPINION), is_dog, seed=0).errors > 100
