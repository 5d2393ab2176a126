"""The confidence intervals of the measured values, compared with simulations and with figures computed by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate
from math import log
from statistics import NormalDist, mean, quantiles, stdev

import pytest

from catsdogs.alerting.evidence import LIKELY, QUANTILES, Evidence, Mean, Percentile95, StabilityIndex, Traffic

REPETITIONS = 1000
SURE = NormalDist().inv_cdf(0.99)


def test_likely_is_a_confidence_of_75_percent() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.75)) == LIKELY


def draw_mean(choose: random.Random) -> Mean:
    times = [choose.lognormvariate(2, 0.5) for _ in range(12)]
    return Mean(mean(times), stdev(times), len(times))


def draw_percentile(choose: random.Random) -> Percentile95:
    times = quantiles([choose.expovariate(1) for _ in range(60)], n=1000, method="inclusive")
    return Percentile95([times[min(998, round(1000 * share) - 1)] for share in QUANTILES], 60)


def draw_traffic(choose: random.Random) -> Traffic:
    def count(expected: float) -> int:
        moments = accumulate(choose.expovariate(expected) for _ in range(200))
        return sum(moment < 1 for moment in moments)

    return Traffic(count(8), count(80), 4)


def draw_index(choose: random.Random) -> StabilityIndex:
    found = choose.choices(range(4), [1, 1, 1, 2], k=60)
    return StabilityIndex([0.25] * 4, [found.count(number) / 60 for number in range(4)], 1000, 60)


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (draw_mean, 7.389 * 1.1331),  # exp(2 + 0.5 ** 2 / 2)
        (draw_percentile, 2.9957),  # -log(0.05)
        (draw_traffic, 0.4),
        (draw_index, sum((new - 0.25) * log(new / 0.25) for new in (0.2, 0.2, 0.2, 0.4))),
    ],
)
def test_the_truth_is_rarely_outside_of_an_interval(draw: Callable[[random.Random], Evidence], truth: float) -> None:
    choose = random.Random(1)
    outside = {SURE: [0, 0], LIKELY: [0, 0]}
    for _ in range(REPETITIONS):
        found = draw(choose)
        for z, sides in outside.items():
            low, high = found.interval(z)
            sides[0] += truth < low
            sides[1] += truth > high
    # of few figures, each interval is a little too narrow; a mean that seems too low raises no alert
    assert outside[SURE][0] / REPETITIONS <= 0.03, outside
    assert outside[LIKELY][0] / REPETITIONS <= 0.3, outside
    assert outside[SURE][1] / REPETITIONS <= 0.07, outside
    assert outside[LIKELY][1] / REPETITIONS <= 0.36, outside


def test_values_by_hand() -> None:
    assert Mean(30.0, 3.0, 9, unit=10.0).value == 3.0
    low, high = Mean(30.0, 9.0, 9, unit=10.0).interval(1.0)
    assert (low, high) == pytest.approx((3 / 1.10517, 3 * 1.10517), rel=1e-4)
    assert Traffic(3, 40, 4).value == pytest.approx(0.3)
    assert Traffic(3, 40, 4).interval(0.0) == pytest.approx((0.3, 0.3))
    assert StabilityIndex([0.5, 0.5], [0.5, 0.5], 100, 100).value == 0.0
    assert StabilityIndex([0.5, 0.5], [0.0, 0.0], 100, 0).value == 0.0, "of no photos, nothing is known"
    assert Percentile95([float(number) for number in range(70, 101)], 1000).value == 95.0
    assert Percentile95([float(number) for number in range(70, 101)], 1000).interval(1.0) == (94.0, 96.0)
    assert Percentile95([float(number) for number in range(70, 101)], 10).interval(1.0) == (88.0, 100.0)
