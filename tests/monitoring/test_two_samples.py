"""Two histograms compared, beside SciPy's figures."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from catsdogs.monitoring.two_samples import chi_square_survival, chi_square_test, psi

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12)


@given(statistic=st.floats(0.001, 500), degrees=st.integers(1, 30))
def test_the_survival_function_is_scipys(statistic: float, degrees: int) -> None:
    assert chi_square_survival(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-9)


@given(COUNTS)
def test_the_test_is_scipys(counts: list[tuple[int, int]]) -> None:
    old, new = zip(*counts, strict=True)
    filled = [pair for pair in counts if sum(pair)]
    if not sum(old) or not sum(new) or len(filled) < 2:
        assert chi_square_test(old, new) == 1
    else:
        expected = stats.chi2_contingency(list(zip(*filled, strict=True)), correction=False).pvalue
        assert chi_square_test(old, new) == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_the_stability_index_is_the_textbooks_on_many_photos() -> None:
    n = 10_000_000  # the half counts weigh nothing then
    found = psi([n // 2, n // 2], [n * 7 // 10, n * 3 // 10])
    assert found == pytest.approx((0.7 - 0.5) * log(0.7 / 0.5) + (0.3 - 0.5) * log(0.3 / 0.5), rel=1e-5)


@given(COUNTS)
def test_the_stability_index_is_finite_not_negative_and_the_same_both_ways(counts: list[tuple[int, int]]) -> None:
    old, new = zip(*counts, strict=True)
    assert 0 <= psi(old, new) + 1e-12 < 100
    assert psi(old, new) == pytest.approx(psi(new, old))
    assert psi(old, old) == 0
