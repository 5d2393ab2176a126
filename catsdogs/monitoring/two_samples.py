"""Whether two histograms differ, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, lgamma, log, sqrt

MODERATE, STRONG = 0.1, 0.25
"""Population stability index: below, no drift; above, strong. The usual reading (Siddiqi 2006)."""


def psi(expected: Sequence[float], found: Sequence[float]) -> float:
    """Give the population stability index: by how much shares moved, 0 (not at all) upwards.

    Half a count is added to each bin, so that an empty one is not infinitely far.

    References
    ----------
    N. Siddiqi (2006), "Credit Risk Scorecards".
    """
    bins = len(expected)
    before = [(count + 0.5) / (sum(expected) + bins / 2) for count in expected]
    after = [(count + 0.5) / (sum(found) + bins / 2) for count in found]
    return sum((new - old) * log(new / old) for old, new in zip(before, after, strict=True))


def chi_square_test(expected: Sequence[float], found: Sequence[float]) -> float:
    """Give the p-value of the chi-square test that both histograms come from one distribution.

    Bins that are empty in both say nothing and are left out.

    References
    ----------
    W. H. Press et al. (2007), "Numerical Recipes", 3rd edition, section 14.3: two binned samples of unequal size.
    """
    n_expected, n_found = sum(expected), sum(found)
    if not n_expected or not n_found:
        return 1.0
    filled = [(old, new) for old, new in zip(expected, found, strict=True) if old + new]
    weight = sqrt(n_found / n_expected)
    statistic = sum((weight * old - new / weight) ** 2 / (old + new) for old, new in filled)
    return chi_square_survival(statistic, len(filled) - 1)


def chi_square_survival(statistic: float, degrees: int) -> float:
    """Give the chance that a chi-square variable exceeds `statistic`: exact, a finite sum for whole `degrees`.

    Written out, because SciPy would add 140 MB to what is installed for serving.

    References
    ----------
    M. Abramowitz, I. Stegun (1964), "Handbook of Mathematical Functions", 26.4.4 and 26.4.5.
    """
    if degrees < 1 or statistic <= 0:
        return 1.0
    half = statistic / 2
    chance = erfc(sqrt(half)) if degrees % 2 else 0.0
    first = 0.5 if degrees % 2 else 0.0
    terms = (power + first for power in range(degrees // 2))
    return min(1.0, chance + sum(exp(-half + power * log(half) - lgamma(power + 1)) for power in terms))
