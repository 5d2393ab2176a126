"""Crops: which squares of a photo the network looks at.

The network sees a square, and the centred one comes first. Where the animal in it is not certain, its mirror image is
looked at, too, and the mean counts. Where the square shows neither animal, or only a guess in a wide photo, the rest of
the photo is looked at as well, in overlapping squares along its longer side. The square with the surest animal counts.

The mirror was chosen with version 2.0: on 1,000 photos of pets, 3 errors instead of 5, for one forward pass more on one
photo in twenty-six. It depends on the photo alone, so that the answer is the same whatever the load.

The squares were chosen with version 1.2 and measured again with 2.0: 300 photos of pets, cropped to squares, were put
at several places of wider frames, filled with the colours at their edges or with photos of other things. At 3:1, 98.8
% of the pets in the outer thirds are answered right, 98.7 % in the middle one and 99.2 % between two squares (with the
centre alone 0.2, 99.0 and 26 %). At 16:9, 98.9 % at the ends and 99.0 % in the middle (86.2 and 99.0 %). Of 1,000
ordinary photos of pets, 4 instead of 13 are refused and 3 instead of 2 are answered wrong; of 348 photos of other
things, none is taken for a pet either way. A pet in an outer third at 3:1 costs 5 forward passes, some 65 ms of two
cores instead of 13; ordinary photos of pets cost 7 % more passes, the mirror included, and photos of other things take
2.7 passes instead of one. Also tried, with version 1.2: to look at the rest of ordinary photos after a guess, too,
made one more error; the whole photo, scaled to a square or with borders, found fewer of the pets: 10 to 50 % at 3:1.
With version 2.0, a look at both ends of a wide photo after a sure centre noticed a cat beside a dog in 83 to 92 of 100
wide photos of both, instead of 42 to 80. It cost 11 % more passes on ordinary photos, of which one in 18 is wide.
"""

from __future__ import annotations

import math

from catsdogs.domain import Box

CERTAIN = 0.99
"""Confidence, 0..1, below which a cat or dog in the centre is looked at in the mirror, too: the mean of both counts."""
WIDE = 1.6
"""Ratio of the sides from which a photo is wide: its subject is often not in the centre."""
ENOUGH = 0.75
"""Probability of an animal in the centre of a wide photo, 0..1, below which it is a guess."""
MOST_SQUARES = 9
"""Largest number of squares of a photo; they show all of it up to this ratio of its sides."""
_LEAST_CUT_OFF = 0.02
"""Share of a square's side below which what the centred square lacks is not worth a look."""


def square_at(width: int, height: int, position: float) -> Box:
    """Return the largest square of a photo at a position along its longer side: 0 (left or top) .. 1."""
    edge = min(width, height)
    left, top = (position * (1 - edge / side) for side in (width, height))
    return Box(left, top, left + edge / width, top + edge / height)


def other_positions(width: int, height: int) -> list[float]:
    """Return the positions of the squares beside the centred one: all of the photo, each part in two of them.

    A photo longer than 5:1 has parts that are in one square only; beyond `MOST_SQUARES`:1, its ends are left out.
    """
    cut_off = aspect_ratio(width, height) - 1  # in sides of the square
    if cut_off < _LEAST_CUT_OFF:
        return []
    on_each_side = min(math.ceil(cut_off), MOST_SQUARES // 2)
    step = min(cut_off / 2 / on_each_side, 1) / cut_off
    return [0.5 + step * number for number in range(-on_each_side, on_each_side + 1) if number]


def aspect_ratio(width: int, height: int) -> float:
    """Return the ratio of the longer side to the shorter one, from 1 upwards."""
    return max(width, height) / min(width, height)
