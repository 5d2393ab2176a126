"""Photos to train on in seconds: two textures that any backbone tells apart."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIZE = 64


def draw_textures(folder: Path, each: int) -> None:
    """Draw "cats" with stripes that lie, and as many "dogs" with stripes that stand; noise on each."""
    random = np.random.default_rng(0)
    stripes = np.where(np.arange(SIZE) // 8 % 2, 200, 60)
    for label, pattern in (("cat", stripes[:, None]), ("dog", stripes[None, :])):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            noise = random.normal(0, 25, (SIZE, SIZE, 3))
            pixels = np.clip(pattern[..., None] + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


@pytest.fixture(scope="session")
def textures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 "cats" and 24 "dogs"."""
    folder = tmp_path_factory.mktemp("textures")
    draw_textures(folder, 24)
    return folder
