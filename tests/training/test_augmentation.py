"""The changed copies of training photos."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from catsdogs.model.preprocessing import Photo
from catsdogs.training.augmentation import (
    CHANGES,
    add_bars,
    change_exposure,
    change_of,
    changed_copy,
    shrink,
    turn,
)


@pytest.fixture(scope="module")
def image() -> Image.Image:
    """A gradient of 300 x 200 pixels: no two of its sides are alike."""
    rows, columns = np.mgrid[:200, :300]
    return Image.fromarray(np.stack([rows, columns * 0.8, 0 * rows + 90], axis=-1).astype(np.uint8))


def digest(number: int) -> str:
    return hashlib.sha256(bytes([number])).hexdigest()


def test_each_change_changes_the_photo_and_leaves_the_original(image: Image.Image) -> None:
    before = np.asarray(image).copy()
    for change in CHANGES:
        for seed in range(20):
            copy = change(image, np.random.default_rng(seed))
            assert copy.mode == "RGB"
            assert copy.size != image.size or (np.asarray(copy) != before).any()
    assert (np.asarray(image) == before).all()


def test_bars_leave_most_of_the_photo(image: Image.Image) -> None:
    for seed in range(20):
        same = (np.asarray(add_bars(image, np.random.default_rng(seed))) == np.asarray(image)).all(axis=-1)
        assert 0.5 < same.mean() < 0.95
        assert not same.all(axis=0).all(), "bars from top to bottom"


def test_the_light_is_much_more_or_much_less(image: Image.Image) -> None:
    means = [np.asarray(change_exposure(image, np.random.default_rng(seed))).mean() for seed in range(20)]
    ratios = np.array(means) / np.asarray(image).mean()
    assert ((ratios < 0.75) | (ratios > 1.15)).all()
    assert {*(ratios > 1)} == {False, True}


def test_photos_are_turned_upside_down_or_on_a_side(image: Image.Image) -> None:
    corners = Counter(turn(image, np.random.default_rng(seed)).getpixel((0, 0)) for seed in range(40))
    assert set(corners) == {image.getpixel((299, 199)), image.getpixel((299, 0)), image.getpixel((0, 199))}
    assert corners[image.getpixel((299, 199))] >= 12


def test_small_copies_keep_the_ratio_of_the_sides(image: Image.Image) -> None:
    for seed in range(20):
        width, height = shrink(image, np.random.default_rng(seed)).size
        assert 64 <= height <= 150
        assert width == pytest.approx(1.5 * height, abs=1)


def test_the_digest_alone_decides_on_the_copy(image: Image.Image) -> None:
    photo = Photo(image, 600, 400)
    first, again = changed_copy(photo, digest(1)), changed_copy(photo, digest(1))
    assert (np.asarray(first.image) == np.asarray(again.image)).all()
    assert (first.width, first.height) == first.image.size
    kinds = Counter(change_of(digest(number))[0] for number in range(200))
    assert set(kinds) == set(CHANGES)
    assert min(kinds.values()) > 25
