"""Photos to train on in seconds: two textures that differ in every backbone's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64


def draw_textures(folder: Path, each: int, seed: int = 0) -> None:
    """Draw "cats" with horizontal stripes, and as many "dogs" with vertical ones; the noise depends on the seed."""
    random = np.random.default_rng(seed)
    stripes = np.where(np.arange(SIZE) // 8 % 2, 200, 60)
    for label, pattern in (("cat", stripes[:, None]), ("dog", stripes[None, :])):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            noise = random.normal(0, 25, (SIZE, SIZE, 3))
            pixels = np.clip(pattern[..., None] + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
