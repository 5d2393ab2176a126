"""Textures to train on, ImageNet's weights, and a quantized backbone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logsumexp

from catsdogs.domain import Answer
from catsdogs.model import preprocessing
from tests.textures import draw_textures

if TYPE_CHECKING:
    from catsdogs.training.backbone import Block
    from catsdogs.training.gate import Gate
    from catsdogs.training.imagenet import ImageNetClassifier
    from catsdogs.training.labelled_predictions import LabelledPredictions
    from catsdogs.training.quantization import QuantizedBackbone
    from catsdogs.training.weights import Arrays

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

INPUT_SIZE = 96
"""Side of the photos in `pixels`."""


@pytest.fixture(scope="session")
def textures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 "cats" and 24 "dogs"."""
    folder = tmp_path_factory.mktemp("textures")
    draw_textures(folder, 24)
    return folder


@pytest.fixture(scope="session")
def imagenet() -> Arrays:
    from catsdogs.training.weights import load_imagenet_weights

    return load_imagenet_weights("lite0")


@pytest.fixture(scope="session")
def blocks(imagenet: Arrays) -> list[Block]:
    from catsdogs.training.architectures import LITE0
    from catsdogs.training.backbone import build_backbone

    return build_backbone(LITE0, imagenet)


@pytest.fixture(scope="session")
def pixels(cat_jpeg: bytes) -> np.ndarray:
    """A cat, its mirror images, its negative, a detail of it, and noise."""
    photo = preprocessing.decode(cat_jpeg)
    cat = preprocessing.square(photo, INPUT_SIZE)
    margin = INPUT_SIZE // 2
    detail = preprocessing.square(photo, 2 * INPUT_SIZE)[margin:-margin, margin:-margin]
    noise = np.random.default_rng(0).integers(0, 256, cat.shape, np.uint8)
    return np.stack([cat, cat[:, ::-1], cat[::-1], 255 - cat, detail, noise]).astype(np.float32)


@pytest.fixture(scope="session")
def backbone(blocks: list[Block], pixels: np.ndarray) -> QuantizedBackbone:
    """The backbone, quantized with the statistics of `pixels`."""
    from catsdogs.training.activation_statistics import collect_activation_statistics
    from catsdogs.training.quantization import quantize

    return quantize(blocks, collect_activation_statistics(blocks, [pixels]))


@pytest.fixture(scope="session")
def imagenet_classifier(imagenet: Arrays) -> ImageNetClassifier:
    from catsdogs.training.imagenet import split_classifier

    return split_classifier(imagenet)


@pytest.fixture(scope="module")
def gate(imagenet_classifier: ImageNetClassifier) -> Gate:
    """A gate for 400 random features, which compares with 7 others."""
    from catsdogs.training.gate import fit_gate

    pets, others = random_features(np.random.default_rng(1), 400), random_features(np.random.default_rng(2), 7)
    return fit_gate(pets, others, imagenet_classifier, seed=0)


def random_features(random: np.random.Generator, n: int) -> npt.NDArray[np.float32]:
    return np.abs(random.normal(0.4, 0.3, (n, 1280))).astype(np.float32)


def expected_neither_score(
    gate: Gate, imagenet_classifier: ImageNetClassifier, features: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """The formula in the documentation of the gate."""
    reference = gate.reference
    margins = imagenet_classifier.margins(features.astype(float))
    mass = logsumexp(margins, axis=1)
    otherness = ((margins - reference.mean) / reference.spread).max(axis=1)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = np.sort(directions @ reference.centroids.T, axis=1)[:, -3:].mean(axis=1)
    nearest = (directions @ reference.others.T).max(axis=1) if len(reference.others) else 0
    contrast = nearest - similarity
    score: npt.NDArray[np.float64] = expit(np.stack([mass, otherness, contrast], 1) @ gate.slopes - gate.threshold)
    return score


@pytest.fixture
def predictions(tmp_path: Path, cat_jpeg: bytes) -> LabelledPredictions:
    """Six photos: among them a cat taken for a dog, a refused dog, and something else taken for a cat."""
    from catsdogs.training.labelled_predictions import LabelledPredictions

    cat, dog, neither = Answer.CAT, Answer.DOG, Answer.NEITHER
    paths = [tmp_path / f"{n}<b>.jpg" for n in range(6)]
    for path in paths[:5]:
        path.write_bytes(cat_jpeg)
    return LabelledPredictions(
        paths,
        [cat, cat, dog, dog, neither, neither],
        np.array([0.1, 0.9, 0.8, 0.95, 0.2, 0.3]),
        np.array([0.0, 0.1, 0.7, 0.1, 0.2, 0.9]),
    )
