"""Plain data of the alerts: what a rule measures, the result, the states of an alert, and its JSON shape.

The visitors' kernels import this module, so it needs neither pydantic nor SQLAlchemy.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from typing_extensions import TypedDict

from catsdogs.json_types import Count, Timestamp

LOW_CONFIDENCE = 0.6
"""Probability, as people are told it, up to which an answer counts as unsure, 0..1; the same limit as in V2."""
INFERENCE_TIME_BASELINE = timedelta(days=7)
"""Period before an episode whose median daily mean of the inference time is the baseline."""
TRAFFIC_WEEKS = 4
"""Number of earlier weeks with which the number of photos is compared."""

CLOSE_UNMEASURED_AFTER = timedelta(days=7)
"""Time with too few photos or ratings to measure anything after which a firing alert is closed: some services are used
on one day a week."""


class Measure(StrEnum):
    """What an alert rule measures; ``alerting/rules.toml`` explains each value."""

    SATISFACTION = "satisfaction"
    INFERENCE_TIME = "inference_time"
    MEAN_TIME = "mean_time"
    P95_TIME = "p95_time"
    ERRORS = "errors"
    LOW_CONFIDENCE = "low_confidence"
    ONE_ANSWER = "one_answer"
    ACCURACY = "accuracy"
    TRAFFIC = "traffic"
    DRIFT_CONFIDENCE = "drift_confidence"
    DRIFT_ANSWERS = "drift_answers"
    DRIFT_NEITHER = "drift_neither"
    DRIFT_BRIGHTNESS = "drift_brightness"
    DRIFT_SHARPNESS = "drift_sharpness"
    DRIFT_SIZE = "drift_size"

    @property
    def is_drift(self) -> bool:
        """Whether the population stability index of one signal is measured."""
        return self.startswith("drift_")

    @property
    def is_time(self) -> bool:
        """Whether milliseconds are measured."""
        return self in (Measure.MEAN_TIME, Measure.P95_TIME)

    @property
    def is_bad_below(self) -> bool:
        """Whether small values are bad, not large ones: the texts of an alert say so."""
        return self in (Measure.SATISFACTION, Measure.ACCURACY, Measure.TRAFFIC)

    @property
    def is_share(self) -> bool:
        """Whether the measured value is between 0 and 1."""
        return not (self.is_drift or self.is_time or self in (Measure.INFERENCE_TIME, Measure.TRAFFIC))


class Severity(StrEnum):
    """How urgent an alert is."""

    CRITICAL = "critical"
    """Somebody should look at once."""
    WARNING = "warning"
    """Somebody should look within the day."""


class Measurement(NamedTuple):
    """A measured value, and what it was computed from."""

    value: float
    n: int
    """Number of predictions or ratings."""


class AlertState(StrEnum):
    """State of an alert."""

    PENDING = "pending"
    """The value is beyond the limit, but of so few photos or ratings that it may be chance."""
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(TypedDict):
    """One episode: a period in which a rule was broken."""

    rule: str
    measure: Measure
    severity: Severity
    state: AlertState
    since: Timestamp
    """Onset: time at which the value was first found beyond the limit, in UTC."""
    fired_at: Timestamp | None
    resolved_at: Timestamp | None
    value: float
    """Latest measured value of the episode."""
    n: Count
    """Number of predictions or ratings that `value` was computed from; 0 where the alert was closed because there were
    too few for :data:`CLOSE_UNMEASURED_AFTER`."""
    worst: float
    """Worst measured value of the episode."""
    worst_n: Count
    """Number of predictions or ratings that `worst` was computed from."""
    worst_at: Timestamp
    """Time at which `worst` was first measured."""
    limit: float
    """Limit of the rule when `value`, or of a resolved alert `worst`, was measured; in their unit."""
    baseline: float | None
    """Mean inference time before the episode, in milliseconds, where the rule compares with it."""
