"""How much worse than the champion a candidate may be. Plain numbers, which the command's help shows, too."""

from __future__ import annotations

MAX_LOG_LOSS_RATIO = 1.05
"""Largest ratio of the candidate's log-loss to the champion's."""
MAX_REFUSED_INCREASE = 0.005
"""Largest increase of refused pets, as a share of all photos of the set."""
MAX_LATENCY_RATIO = 1.5
"""Largest ratio of the candidate's inference time to the champion's."""
MIN_PHOTOS = 100
"""Smallest number of photos to compare on: of fewer, two versions make no error although one of them is far worse.

McNemar's exact test tells versions apart from 6 photos on that only one of them gets wrong: 6 % of 100.
"""
MIN_EACH = 20
"""Smallest number of photos of each animal among them: who always says "cat" makes no error on cats."""
RULE = (
    "A candidate is promoted if, on every set of photos, it makes no more errors, its log-loss is at most "
    f"{MAX_LOG_LOSS_RATIO:g} times the champion's and its share of refused pets at most {MAX_REFUSED_INCREASE:.1%} of "
    "the photos larger; "
    f"and if it takes at most {MAX_LATENCY_RATIO:g} times as long. At least {MIN_PHOTOS} photos are needed, and "
    f"{MIN_EACH} of each animal; copies of one photo count once. With --on, McNemar's exact test of both versions' "
    "answers says whether errors and refused pets are better or worse. A candidate of which it says that it refuses "
    "more pets is not promoted either; where it cannot tell, the rule above decides."
)
