"""Intervals agree with R, and comparisons of histograms with SciPy."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.stats import (
    chi_square_survival,
    chi_square_test,
    difference_interval,
    mcnemar_test,
    pairs_to_tell_apart,
    psi,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # R: prop.test(successes, n, correct=FALSE)$conf.int
        (0, 10, 0.0, 0.27753),
        (5, 10, 0.23659, 0.76341),
        (10, 10, 0.72247, 1.0),
        (81, 263, 0.25526, 0.36620),
    ],
)
def test_the_wilson_interval_equals_that_of_r(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_there_is_no_interval_without_trials() -> None:
    assert wilson_interval(0, 0) is None


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_contains_the_proportion_and_lies_within_0_and_1(trial: tuple[int, int]) -> None:
    successes, n = trial
    interval = wilson_interval(successes, n)
    assert interval
    low, high = interval
    assert 0 <= low <= successes / n <= high <= 1
    other = wilson_interval(n - successes, n)
    assert other
    assert (1 - high, 1 - low) == pytest.approx(other)


COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12)


@given(statistic=st.floats(0.001, 500), degrees=st.integers(1, 30))
def test_the_survival_function_equals_that_of_scipy(statistic: float, degrees: int) -> None:
    assert chi_square_survival(statistic, degrees) == pytest.approx(scipy.stats.chi2.sf(statistic, degrees), rel=1e-9)


@given(COUNTS)
def test_the_chi_square_test_equals_that_of_scipy(counts: list[tuple[int, int]]) -> None:
    old, new = zip(*counts, strict=True)
    filled = [pair for pair in counts if sum(pair)]
    if not sum(old) or not sum(new) or len(filled) < 2:
        assert chi_square_test(old, new) == 1
    else:
        expected = scipy.stats.chi2_contingency(list(zip(*filled, strict=True)), correction=False).pvalue
        assert chi_square_test(old, new) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_the_stability_index_equals_the_textbook_formula_for_large_counts() -> None:
    n = 10_000_000  # the half counts have no weight then
    found = psi([n // 2, n // 2], [n * 7 // 10, n * 3 // 10])
    assert found == pytest.approx((0.7 - 0.5) * log(0.7 / 0.5) + (0.3 - 0.5) * log(0.3 / 0.5), rel=1e-5)


@given(COUNTS)
def test_the_stability_index_is_finite_not_negative_and_symmetric(counts: list[tuple[int, int]]) -> None:
    old, new = zip(*counts, strict=True)
    assert 0 <= psi(old, new) + 1e-12 < 100
    assert psi(old, new) == pytest.approx(psi(new, old))
    assert psi(old, old) == 0


def test_the_difference_interval_equals_newcombes_example() -> None:
    """His example: 56 of 70 against 48 of 80 (Table II, method 10)."""
    assert difference_interval(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert difference_interval(1, 2, 0, 0) is None


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_the_difference_interval_contains_the_difference_and_is_antisymmetric(a: int, b: int, c: int, d: int) -> None:
    if not (a + b and c + d):
        return
    low, high = difference_interval(a, a + b, c, c + d) or (0, 0)
    assert -1 - 1e-9 <= low <= a / (a + b) - c / (c + d) <= high <= 1 + 1e-9
    turned = difference_interval(c, c + d, a, a + b)
    assert turned == pytest.approx((-high, -low))
    assert wilson_interval(a, a + b)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_test_is_the_binomial_test_of_the_pairs_that_differ(first: int, second: int) -> None:
    expected = scipy.stats.binomtest(first, first + second).pvalue if first + second else 1
    assert mcnemar_test(first, second) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "n", "pairs"),
    [
        (20, 10, 100, 234),  # by hand: ((1.95996 * sqrt(0.3) + 0.84162 * sqrt(0.3 - 0.01)) / 0.1) ** 2
        (3, 3, 1000, 47_091),  # as if one more went one way
        (0, 0, 50, 391),
    ],
)
def test_the_number_of_pairs_to_tell_proportions_apart(first: int, second: int, n: int, pairs: int) -> None:
    assert pairs_to_tell_apart(first, second, n) == pairs


def test_the_test_has_the_stated_power_with_that_many_pairs() -> None:
    """With 234 pairs, 20 % and 10 % of which differ, McNemar's test tells them apart four times in five."""
    counts = np.random.default_rng(0).multinomial(234, [0.2, 0.1, 0.7], 2000)
    assert np.mean([mcnemar_test(int(a), int(b)) <= 0.05 for a, b, _ in counts]) == pytest.approx(0.8, abs=0.05)
