"""How sure a share is, and the difference of two."""

from __future__ import annotations

from math import hypot, sqrt

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """Give the 95 % Wilson score interval of a share.

    Unlike the normal approximation it stays within 0..1 and is right for few trials and for shares near 0 or 1.

    Parameters
    ----------
    successes
        0..`n`.
    n
        Number of trials.

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
    centre = share + Z95**2 / (2 * n)
    margin = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    low = 0.0 if successes == 0 else (centre - margin) / scale  # exact at the ends, free of rounding
    high = 1.0 if successes == n else (centre + margin) / scale
    return low, high


def difference(successes: int, n: int, successes_before: int, n_before: int) -> tuple[float, float] | None:
    """Give the 95 % interval of a share less an earlier one, by the hybrid score method.

    Returns
    -------
    tuple of float or None
        Lower and upper end, -1..1; ``None`` where one of them has no trials.

    References
    ----------
    R. G. Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17, 873-890, method 10.
    """
    now, before = wilson(successes, n), wilson(successes_before, n_before)
    if now is None or before is None:
        return None
    share, share_before = successes / n, successes_before / n_before
    down = hypot(share - now[0], before[1] - share_before)
    up = hypot(now[1] - share, share_before - before[0])
    return share - share_before - down, share - share_before + up
