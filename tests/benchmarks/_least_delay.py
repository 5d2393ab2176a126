"""After what time the figures allow a rule to find its incident: no rule can be faster on average.

References
----------
G. Lorden (1971), "Procedures for reacting to a change in distribution", Annals of Mathematical Statistics 42,
1897-1908: the mean delay of a rule with a mean time T between false firings is at least about log(T) / KL(incident ||
normal), both in observations.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from math import log

from catsdogs.alerting.alert import LOW_CONFIDENCE, Measure
from catsdogs.alerting.rules import Rule
from catsdogs.demo.history import HOURS, PHOTOS_A_DAY, RATED, SPREAD, UNREADABLE, History, Incident, IncidentKind, Row
from tests.alerting.replay import EXPECTED
from tests.alerting.running_sums import REFERENCE, signal

DAYS_BETWEEN = 30
"""Mean time between two false firings of a rule, in days."""
_START, _DAYS = datetime(2026, 3, 2, tzinfo=UTC), 60
_SLOWER = {IncidentKind.SLOW: 3.0, IncidentKind.STALLED: 100.0}
_DISTINGUISHED: dict[Measure, Callable[[Row], object]] = {
    Measure.SATISFACTION: lambda row: row["user_feedback"],
    Measure.ACCURACY: lambda row: row["user_feedback"],
    Measure.ERRORS: lambda row: row["success"],
    Measure.LOW_CONFIDENCE: lambda row: (
        None if (found := signal("confidence", row)) is None else found <= LOW_CONFIDENCE
    ),
    Measure.ONE_ANSWER: lambda row: row["prediction_result"] if row["success"] else None,
}
"""What a measure distinguishes in a prediction; ``None`` if it does not count the prediction."""


def least_delay(rule: Rule, hour: int) -> float:
    """Return the least mean delay in hours, for an incident that begins at an hour of the day."""
    rated = rule.measure in (Measure.SATISFACTION, Measure.ACCURACY)
    a_day = PHOTOS_A_DAY * ((1 - UNREADABLE) * RATED if rated else 1.0)
    needed = max(1.0, log(DAYS_BETWEEN * a_day) / _divergence(rule))
    hours = 0.0
    while needed > 0:
        rate = a_day * HOURS[hour % 24] / sum(HOURS)
        hours, needed, hour = hours + min(1.0, needed / rate), needed - rate, hour + 1
    return hours


def _divergence(rule: Rule) -> float:
    """Return the Kullback-Leibler divergence of one observation in the incident from one in normal times."""
    kind = EXPECTED[rule.name]
    if kind in _SLOWER:  # two log-normal distributions of the same spread
        return log(_SLOWER[kind]) ** 2 / (2 * SPREAD**2) * (1 - UNREADABLE)
    if kind is IncidentKind.GAP:  # a Poisson process that stops, for each photo that should have come
        return 1.0
    normal, incident = count_values(rule.measure, None), count_values(rule.measure, kind)
    bins = normal.keys() | incident.keys()

    def share(counts: Counter[object], found: object) -> float:
        return (counts[found] + 0.5) / (counts.total() + len(bins) / 2)

    return sum(share(incident, found) * log(share(incident, found) / share(normal, found)) for found in bins)


@cache
def count_values(measure: Measure, kind: IncidentKind | None) -> Counter[object]:
    """Count what a measure distinguishes, in normal times (`None`) or in an incident."""
    found = (_distinguish(measure, row) for row in _rows(kind))
    return Counter(value for value in found if value is not None)


@cache
def _rows(kind: IncidentKind | None) -> list[Row]:
    incidents = [Incident(kind, _START, _START + timedelta(days=_DAYS))] if kind else []
    return list(History(_START, _DAYS, incidents, seed=1).rows())


def _distinguish(measure: Measure, row: Row) -> object:
    if not measure.is_drift:
        return _DISTINGUISHED[measure](row)
    name = measure.removeprefix("drift_")
    value = signal(name, row)
    return None if value is None else bisect_right(REFERENCE.signals[name].edges, value)
