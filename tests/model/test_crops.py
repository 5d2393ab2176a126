from __future__ import annotations

from itertools import pairwise

import pytest

from catsdogs.domain import Box
from catsdogs.model import crops


@pytest.mark.parametrize(("width", "height"), [(100, 100), (101, 100), (100, 101)])
def test_a_square_photo_has_no_other_squares(width: int, height: int) -> None:
    assert crops.other_positions(width, height) == []


@pytest.mark.parametrize("ratio", [1.1, 4 / 3, 1.5, 16 / 9, 2, 2.2, 3, 4.9, 5, 7, 9])
@pytest.mark.parametrize("upright", [False, True])
def test_the_squares_show_all_of_a_photo_and_one_of_them_is_centred(ratio: float, upright: bool) -> None:
    width, height = (1000, round(1000 * ratio)) if upright else (round(1000 * ratio), 1000)
    positions = sorted([0.5, *crops.other_positions(width, height)])
    assert len(positions) <= crops.MOST_SQUARES
    boxes = [crops.square_at(width, height, position) for position in positions]
    along = [(box.top, box.bottom) if upright else (box.left, box.right) for box in boxes]
    across = [(box.left, box.right) if upright else (box.top, box.bottom) for box in boxes]
    assert set(across) == {(0, 1)}
    assert (along[0][0], along[-1][1]) == pytest.approx((0, 1))
    step = max(later[0] - earlier[0] for earlier, later in pairwise(along))
    assert step * ratio <= (0.5 if ratio <= 5 else 1) + 1e-9, "in sides of the square"


def test_a_longer_photo_is_looked_at_around_its_middle() -> None:
    boxes = [crops.square_at(2000, 100, position) for position in crops.other_positions(2000, 100)]
    assert (boxes[0].left, boxes[-1].right) == pytest.approx((0.275, 0.725)), "nine of twenty squares"


def test_a_square_is_as_large_as_the_photo_allows() -> None:
    assert crops.square_at(400, 200, 0) == Box(0, 0, 0.5, 1)
    assert crops.square_at(400, 200, 0.5) == Box(0.25, 0, 0.75, 1)
    assert crops.square_at(200, 400, 1) == Box(0, 0.5, 1, 1)
