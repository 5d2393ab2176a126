"""Photos to train on in seconds: two textures that differ in every backbone's features; a quantized backbone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from catsdogs.model import preprocessing

if TYPE_CHECKING:
    from catsdogs.training.backbone import Block
    from catsdogs.training.quantization import QuantizedBackbone
    from catsdogs.training.weights import Arrays

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TEXTURE_SIZE = 64
INPUT_SIZE = 96
"""Side of the photos in `pixels`."""


def draw_textures(folder: Path, each: int) -> None:
    """Draw "cats" with horizontal stripes, and as many "dogs" with vertical ones, all with noise."""
    random = np.random.default_rng(0)
    stripes = np.where(np.arange(TEXTURE_SIZE) // 8 % 2, 200, 60)
    for label, pattern in (("cat", stripes[:, None]), ("dog", stripes[None, :])):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            noise = random.normal(0, 25, (TEXTURE_SIZE, TEXTURE_SIZE, 3))
            pixels = np.clip(pattern[..., None] + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


@pytest.fixture(scope="session")
def textures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 "cats" and 24 "dogs"."""
    folder = tmp_path_factory.mktemp("textures")
    draw_textures(folder, 24)
    return folder


@pytest.fixture(scope="session")
def imagenet() -> Arrays:
    from catsdogs.training.weights import load_imagenet_weights

    return load_imagenet_weights()


@pytest.fixture(scope="session")
def blocks(imagenet: Arrays) -> list[Block]:
    from catsdogs.training.backbone import build_lite0

    return build_lite0(imagenet)


@pytest.fixture(scope="session")
def pixels(cat_jpeg: bytes) -> np.ndarray:
    """A cat, its mirror images, its negative, a detail of it, and noise."""
    photo = preprocessing.decode(cat_jpeg)
    cat = preprocessing.centre_square(photo, INPUT_SIZE)
    margin = INPUT_SIZE // 2
    detail = preprocessing.centre_square(photo, 2 * INPUT_SIZE)[margin:-margin, margin:-margin]
    noise = np.random.default_rng(0).integers(0, 256, cat.shape, np.uint8)
    return np.stack([cat, cat[:, ::-1], cat[::-1], 255 - cat, detail, noise]).astype(np.float32)


@pytest.fixture(scope="session")
def backbone(blocks: list[Block], pixels: np.ndarray) -> QuantizedBackbone:
    """The backbone, quantized with the statistics of `pixels`."""
    from catsdogs.training.activation_statistics import collect_activation_statistics
    from catsdogs.training.quantization import quantize

    return quantize(blocks, collect_activation_statistics(blocks, [pixels]))
