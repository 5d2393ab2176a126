"""Confidence intervals of proportions, and tests of whether two histograms or two paired proportions differ."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, erfc, exp, hypot, lgamma, log, sqrt

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""
_Z_POWER = 0.8416212335729143
"""80 % quantile of the standard normal distribution."""


def wilson_interval(successes: int, n: int, z: float = Z95) -> tuple[float, float] | None:
    """Return the Wilson score interval of a proportion, by default that of 95 %.

    Unlike the normal approximation it stays within 0..1, and holds for few trials and for proportions near 0 or 1.

    Parameters
    ----------
    successes
        Number of successes, 0..`n`.
    n
        Number of trials.
    z
        Quantile of the standard normal distribution.

    Returns
    -------
    tuple of float or None
        Lower and upper end, 0..1; ``None`` without trials.

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.
    """
    if n == 0:
        return None
    share = successes / n
    centre = share + z**2 / (2 * n)
    margin = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    low = 0.0 if successes == 0 else (centre - margin) / scale  # exact at the ends, free of rounding
    high = 1.0 if successes == n else (centre + margin) / scale
    return low, high


def likelihood_ratio(successes: int, n: int, share: float) -> float:
    """Return the statistic G of the likelihood-ratio test that `n` trials have this `share` of successes.

    It is 0 where they have exactly that share, and the larger, the less chance explains the difference.

    References
    ----------
    R. R. Sokal and F. J. Rohlf (1981), "Biometry", 2nd edition, chapter 17: the G-test.
    """
    pairs = (successes, n * share), (n - successes, n * (1 - share))
    return 2 * sum(found * log(found / expected) for found, expected in pairs if found)


def difference_interval(successes: int, n: int, successes_before: int, n_before: int) -> tuple[float, float] | None:
    """Return the 95 % interval of the difference of two proportions, the earlier one subtracted: hybrid score method.

    Returns
    -------
    tuple of float or None
        Lower and upper end, -1..1; ``None`` if one of them has no trials.

    References
    ----------
    R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17, 873-890, method 10.
    """
    now, before = wilson_interval(successes, n), wilson_interval(successes_before, n_before)
    if now is None or before is None:
        return None
    share, share_before = successes / n, successes_before / n_before
    down = hypot(share - now[0], before[1] - share_before)
    up = hypot(now[1] - share, share_before - before[0])
    return share - share_before - down, share - share_before + up


def mcnemar_test(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test, two-sided, that two paired proportions are equal.

    It is a sign test of the pairs that differ: each is as likely to go one way as the other.

    Parameters
    ----------
    only_first, only_second
        Number of pairs in which only the first, or only the second, is a success.

    References
    ----------
    Q. McNemar (1947), "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 153-157; exact by the binomial distribution: A. Agresti (2013), "Categorical Data Analysis",
    3rd edition, section 11.1. For classifiers: T. G. Dietterich (1998), Neural Computation 10, 1895-1923.
    """
    n = only_first + only_second
    ways = term = 1
    for k in range(min(only_first, only_second)):
        term = term * (n - k) // (k + 1)  # n over k + 1
        ways += term
    return min(1.0, 2 * ways / (1 << n))


def pairs_to_tell_apart(only_first: int, only_second: int, n: int) -> int:
    """Return how many pairs McNemar's test would need to tell two proportions apart, at 5 % with a power of 80 %.

    The shares of the pairs that differ are taken from `n` pairs; where as many differ one way as the other, as if one
    more went one way.

    References
    ----------
    R. J. Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics
    43, 207-211.
    """
    difference = max(abs(only_first - only_second), 1) / n
    differing = max(only_first + only_second, 1) / n
    return ceil(((Z95 * sqrt(differing) + _Z_POWER * sqrt(differing - difference**2)) / difference) ** 2)


def psi(expected: Sequence[float], found: Sequence[float]) -> float:
    """Return the population stability index of two histograms: 0 for equal shares, larger the more they differ.

    Half a count is added to each bin, so that an empty bin does not make the index infinite.

    References
    ----------
    N. Siddiqi (2006), "Credit Risk Scorecards".
    """
    bins = len(expected)
    before = [(count + 0.5) / (sum(expected) + bins / 2) for count in expected]
    after = [(count + 0.5) / (sum(found) + bins / 2) for count in found]
    return sum((new - old) * log(new / old) for old, new in zip(before, after, strict=True))


def chi_square_test(expected: Sequence[float], found: Sequence[float]) -> float:
    """Return the p-value of the chi-square test that both histograms come from one distribution.

    Bins that are empty in both are left out.

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
    """Return the probability that a chi-square variable exceeds `statistic`; exact, a finite sum for integer `degrees`.

    Computed here, because SciPy would add 140 MB to what is installed for serving.

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
