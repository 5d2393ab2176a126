"""At which fraction of its size a JPEG is decoded."""

from __future__ import annotations

import pytest

from catsdogs.model.photo_limits import MAX_DECODED_BYTES
from catsdogs.model.photos.jpeg import _divisor


@pytest.mark.parametrize(
    ("size", "side", "coefficients", "divisor"),
    [
        pytest.param((6000, 4000), None, 0, 1, id="whole"),
        pytest.param((4000, 2048), 256, 0, 4, id="twice the side is left"),
        pytest.param((4000, 2047), 256, 0, 2, id="less would be left"),
        pytest.param((10_000, 5001), None, 0, 2, id="more than 50 megapixels"),
        pytest.param((20_000, 10_001), None, 0, 4, id="more than 200 megapixels"),
        pytest.param((40_000, 6000), 256, 0, 8, id="the side asks for less than the memory"),
        pytest.param((7000, 7000), None, 3 * 49 * 10**6, 2, id="the coefficients take memory, too"),
        pytest.param((7000, 7000), None, MAX_DECODED_BYTES, 8, id="there is no memory left"),
    ],
)
def test_the_divisor_follows_from_the_side_and_the_memory(
    size: tuple[int, int], side: int | None, coefficients: float, divisor: int
) -> None:
    assert _divisor(*size, side, coefficients) == divisor
