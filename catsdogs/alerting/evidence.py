"""How sure a measured value is: the confidence intervals that decide whether a rule is broken.

A value beyond its limit may be chance where it is of few photos or ratings. So a rule looks at the ends of the value's
confidence interval, which is wide where there is little to go by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from typing import Protocol

from catsdogs.stats import wilson_interval

LIKELY = 0.6744897501960817
"""Quantile of the standard normal distribution: a value is beyond a one-sided bound by chance in 25 %."""
QUANTILES = tuple(hundredth / 100 for hundredth in range(70, 101))
"""Quantiles of the inference time that :class:`Percentile95` is made of."""


class Evidence(Protocol):
    """A measured value with its confidence intervals."""

    @property
    def value(self) -> float:
        """The value, in the unit of the rule's limit."""

    @property
    def n(self) -> int:
        """Number of predictions or ratings that it was computed from."""

    def interval(self, z: float) -> tuple[float, float]:
        """Return the ends of the interval; `z` is that of a rule, or :data:`LIKELY`. It is called only if `n` > 1."""


@dataclass(frozen=True)
class Share:
    """A share of predictions or ratings, with Wilson's interval."""

    found: int
    n: int

    @property
    def value(self) -> float:
        """The share, 0..1."""
        return self.found / (self.n or 1)

    def interval(self, z: float) -> tuple[float, float]:
        """See :func:`catsdogs.stats.wilson_interval`."""
        return wilson_interval(self.found, self.n, z) or (0.0, 1.0)


@dataclass(frozen=True)
class Mean:
    """A mean of positive figures, in `unit`; its logarithm is taken as normally distributed (delta method).

    With the logarithm, the interval is longer upwards, as the inference times are. The unit, a baseline of many more
    figures, is taken as known.

    References
    ----------
    G. Casella, R. L. Berger (2002), "Statistical Inference", 2nd edition, section 5.5.4.
    """

    mean: float
    deviation: float
    """Standard deviation of the single figures."""
    n: int
    unit: float = 1.0

    @property
    def value(self) -> float:
        """The mean, in `unit`."""
        return self.mean / self.unit

    def interval(self, z: float) -> tuple[float, float]:
        """Return the mean, divided by and multiplied with one factor."""
        factor = exp(z * self.deviation / self.mean / sqrt(self.n)) if self.mean else 1.0
        return self.value / factor, self.value * factor


@dataclass(frozen=True)
class Percentile95:
    """The 95th percentile of figures, with the interval that the order of the figures gives.

    References
    ----------
    G. J. Hahn, W. Q. Meeker, L. A. Escobar (2017), "Statistical Intervals", 2nd edition, section 5.2, with the normal
    approximation of the binomial distribution.
    """

    quantiles: Sequence[float]
    """The figures' :data:`QUANTILES`."""
    n: int

    @property
    def value(self) -> float:
        """The 95th percentile."""
        return self.quantiles[QUANTILES.index(0.95)]

    def interval(self, z: float) -> tuple[float, float]:
        """Return the quantiles on both sides at which the interval ends."""
        margin = 100 * z * sqrt(0.95 * 0.05 / self.n)
        last = len(QUANTILES) - 1
        return self.quantiles[max(0, floor(25 - margin))], self.quantiles[min(last, ceil(25 + margin))]


@dataclass(frozen=True)
class Traffic:
    """The number of photos, divided by the mean number in the same hours of earlier weeks.

    Of all these photos, the share that came in the last of the weeks has Wilson's interval.

    References
    ----------
    J. Przyborowski, H. Wilenski (1940), "Homogeneity of results in testing samples from Poisson series", Biometrika
    31, 313-323: the comparison of two counts, given their sum.
    """

    found: int
    before: int
    """Number of photos in the same hours of `weeks` earlier weeks."""
    weeks: int

    @property
    def n(self) -> int:
        """Number of all photos, those of the earlier weeks included."""
        return self.found + self.before

    @property
    def value(self) -> float:
        """1 for as many photos as usual."""
        return self.found * self.weeks / (self.before or 1)

    def interval(self, z: float) -> tuple[float, float]:
        """Return the interval of the ratio."""
        low, high = wilson_interval(self.found, self.n, z) or (0.0, 1.0)
        return low * self.weeks / (1 - low + 1e-9), high * self.weeks / (1 - high + 1e-9)


@dataclass(frozen=True)
class StabilityIndex:
    """A population stability index (PSI), less what chance adds to it; its interval is that of the normal distribution.

    Where nothing has moved, the index is on average ``(bins - 1) * (1 / n + 1 / n_reference)``.

    References
    ----------
    B. Yurdakul, J. Naranjo (2020), "Statistical properties of the population stability index", Journal of Risk Model
    Validation 14(4); the variance is that of the delta method for a multinomial distribution.
    """

    expected: Sequence[float]
    found: Sequence[float]
    """Shares of the bins; their sum is 1."""
    n_expected: int
    n: int

    @property
    def value(self) -> float:
        """The index, at least 0."""
        index = sum((new - old) * log(new / old) for new, old in self._pairs())
        return max(0.0, index - (len(self.found) - 1) * (1 / (self.n or 1) + 1 / (self.n_expected or 1)))

    def interval(self, z: float) -> tuple[float, float]:
        """Return the interval around the value."""
        slopes = [(new, log(new / old) + 1 - old / new) for new, old in self._pairs()]
        mean = sum(new * slope for new, slope in slopes)
        variance = sum(new * (slope - mean) ** 2 for new, slope in slopes) / self.n
        return self.value - z * sqrt(variance), self.value + z * sqrt(variance)

    def _pairs(self) -> list[tuple[float, float]]:
        """Return found and expected share of each bin, with half a count added as in :func:`catsdogs.stats.psi`."""
        half = len(self.found) / 2
        return [
            ((new * self.n + 0.5) / (self.n + half), (old * self.n_expected + 0.5) / (self.n_expected + half))
            for new, old in zip(self.found, self.expected, strict=True)
        ]
