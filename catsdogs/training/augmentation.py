"""Augmentation: one changed copy of each training photo, like the photos that are hard to answer.

A copy has bars over it as of a cage, is too bright or too dark, turned by 90 to 270 degrees, or small and compressed.
The head learns from it with a quarter of a photo's weight (:mod:`catsdogs.training.head`).

Measured for version 2.0, on 6,759 photos with one copy each. In cross-validation, errors fell from 26 to 20, with a
log-loss of 0.0109 instead of 0.0102. On held-out copies they fell from 75 to 60 of 1,711 with bars, and from 106 to 65
of 1,721 turned ones; of 1,676 too bright or too dark they were 6 and 7, of 1,651 small ones 32 both times. With twice
that weight, the log-loss rises to 0.0116. A copy takes as long as its photo: one forward pass, 29 ms of one core.

With fewer photos, they do not pay. Errors on 1,000 other photos, and on 334 other copies of each kind, without copies
and with them, as means of four or eight draws:

======  ========  ======  ======  ======
photos  ordinary  bars    turned  small
======  ========  ======  ======  ======
100     5.9, 6.8  18, 20  25, 24  15, 14
500     4.4, 5.9  16, 13  24, 19  13, 13
1,000   3.8, 4.3  13, 9   23, 15  12, 11
2,000   5.3, 6.3  15, 10  23, 16  12, 10
======  ========  ======  ======  ======
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from catsdogs.model.preprocessing import Photo

LEAST_PHOTOS = 5000
"""Number of photos from which on the head learns from copies, too."""
_GAMMA = 2.2
_BAR_GREYS = (30, 90, 150, 210)
_SMALL_SIDES = (64, 150)
"""Range of the shorter side of a small copy, in pixels."""
_JPEG_QUALITY = 75

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def add_bars(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Draw five to ten grey bars over a photo; in half of the cases, three across them."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    number, grey = int(random.integers(5, 11)), int(random.choice(_BAR_GREYS))
    step = image.width / number
    thickness, first = max(2.0, step * random.uniform(0.1, 0.25)), random.uniform(0, step)
    for left in first + step * np.arange(number):
        draw.rectangle((left, 0, left + thickness, image.height), fill=(grey,) * 3)
    if random.random() < 0.5:
        for top in (np.arange(3) + random.uniform(0.2, 0.8, 3)) * image.height / 3:
            draw.rectangle((0, top, image.width, top + thickness), fill=(grey,) * 3)
    return image


def change_exposure(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Multiply the light of a photo by 1.8 to 2.8, or by 0.2 to 0.4."""
    factor = random.uniform(1.8, 2.8) if random.random() < 0.6 else random.uniform(0.2, 0.4)
    light = (np.arange(256) / 255) ** _GAMMA * factor
    return image.point(np.round(255 * np.minimum(light, 1) ** (1 / _GAMMA)).astype(int).tolist() * 3)


def turn(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Turn a photo upside down, or as often on a side."""
    sides = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)
    return image.transpose(Image.Transpose.ROTATE_180 if random.random() < 0.5 else sides[random.integers(2)])


def shrink(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Make a photo small, and compress it."""
    factor = random.uniform(*_SMALL_SIDES) / min(image.size)
    size = (max(1, round(side * factor)) for side in image.size)
    content = io.BytesIO()
    image.resize((next(size), next(size)), Image.Resampling.BICUBIC).save(content, "JPEG", quality=_JPEG_QUALITY)
    return Image.open(content).convert("RGB")


CHANGES: tuple[Change, ...] = (add_bars, change_exposure, turn, shrink)


def change_of(digest: str) -> tuple[Change, np.random.Generator]:
    """Choose the change for a photo by the SHA-256 of its file: the same in every training, in every order."""
    random = np.random.default_rng(int(digest[:16], 16))
    return CHANGES[random.integers(len(CHANGES))], random


def changed_copy(photo: Photo, digest: str) -> Photo:
    """Return the changed copy of a photo, given the SHA-256 of its file."""
    change, random = change_of(digest)
    image = change(photo.image, random)
    return replace(photo, image=image, width=image.width, height=image.height)
