"""The smallest change that a rule can see: the value nearest to its limit at which expected evidence makes it fire.

A rule sees that change within the time in about half of the cases, and a larger one in more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil, exp
from statistics import NormalDist

from catsdogs.alerting.alert import TRAFFIC_WEEKS, Measure
from catsdogs.alerting.evidence import QUANTILES, Evidence, Mean, Percentile95, Share, StabilityIndex, Traffic
from catsdogs.alerting.rules import Rule
from catsdogs.demo.history import HOURS, PHOTOS_A_DAY, RATED, SPREAD
from tests.alerting.replay import EXPECTED
from tests.alerting.running_sums import REFERENCE
from tests.benchmarks._least_delay import count_values

STEPS = 200
_NORMAL = NormalDist()


def smallest_change(rule: Rule, within: timedelta) -> str:
    """Return the value that a rule can see in a time, and of a drift the share of the photos that changed."""
    window = rule.slow if rule.slow <= within else rule.fast
    n = _photos(min(window, within) / timedelta(hours=1))
    for found, share in _evidence(rule, n):
        low, high = found.interval(rule.sure_z)
        if found.n >= rule.at_least and rule.is_beyond(high if rule.below is not None else low):
            return f"{found.value:.3g}" if share is None else f"{found.value:.2g} ({share:.0%} of the photos)"
    return "none"


def _photos(hours: float) -> int:
    """Return the number of photos in the busiest hours of a day, or in days."""
    if hours > 24:
        return round(PHOTOS_A_DAY * hours / 24)
    busiest = sorted(HOURS)[-ceil(hours) :]
    return round(PHOTOS_A_DAY * sum(busiest) / sum(HOURS) * hours / ceil(hours))


def _evidence(rule: Rule, n: int) -> Iterator[tuple[Evidence, float | None]]:
    """Yield expected evidence, from the value at the limit on to worse and worse ones."""
    if rule.measure.is_drift:
        yield from _drifts(rule, n)
        return
    if rule.measure in (Measure.SATISFACTION, Measure.ACCURACY):
        n = round(n * RATED)
    worst = 0.0 if rule.below is not None else 1.0 if rule.measure.is_share else 5 * rule.limit
    for step in range(STEPS + 1):
        yield _expected(rule, rule.limit + (worst - rule.limit) * step / STEPS, n), None


def _expected(rule: Rule, value: float, n: int) -> Evidence:
    if rule.measure.is_share:
        return Share(round(value * n), n)
    if rule.measure is Measure.TRAFFIC:
        return Traffic(round(value * n), TRAFFIC_WEEKS * n, TRAFFIC_WEEKS)
    if rule.measure is Measure.P95_TIME:
        levels = [_NORMAL.inv_cdf(min(share, 1 - 0.5 / n)) - _NORMAL.inv_cdf(0.95) for share in QUANTILES]
        return Percentile95([value * exp(SPREAD * level) for level in levels], n)
    return Mean(value, value * SPREAD, n)


def _drifts(rule: Rule, n: int) -> Iterator[tuple[Evidence, float]]:
    """Mix more and more photos of the rule's incident into normal ones."""
    normal, incident = count_values(rule.measure, None), count_values(rule.measure, EXPECTED[rule.name])
    bins = sorted(normal.keys() | incident.keys(), key=str)
    expected = [normal[name] / normal.total() for name in bins]
    for step in range(STEPS + 1):
        part = step / STEPS
        found = [
            (1 - part) * share + part * incident[name] / incident.total()
            for name, share in zip(bins, expected, strict=True)
        ]
        yield StabilityIndex(expected, found, REFERENCE.n, n), part
