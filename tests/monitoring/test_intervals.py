from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.monitoring.intervals import wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # R: prop.test(successes, n, correct=FALSE)$conf.int
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72247, 1.0),
        (81, 263, 0.25526, 0.36620),
    ],
)
def test_it_is_the_interval_that_r_gives(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_without_trials_there_is_none() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_holds_the_share_and_stays_a_share(trial: tuple[int, int]) -> None:
    successes, n = trial
    interval = wilson(successes, n)
    assert interval
    low, high = interval
    assert 0 <= low <= successes / n <= high <= 1
    other = wilson(n - successes, n)
    assert other
    assert (1 - high, 1 - low) == pytest.approx(other)
