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
"""Confidence up to which an answer counts as unsure, 0..1; the same limit as in V2."""
INFERENCE_TIME_BASELINE = timedelta(days=7)
"""Period before the measured predictions whose mean inference time is the baseline."""


class Measure(StrEnum):
    """What an alert rule measures; ``alerting/rules.toml`` explains each value."""

    SATISFACTION = "satisfaction"
    INFERENCE_TIME = "inference_time"
    ERRORS = "errors"
    LOW_CONFIDENCE = "low_confidence"
    ONE_ANSWER = "one_answer"
    ACCURACY = "accuracy"
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


class Measurement(NamedTuple):
    """A measured value, and what it was computed from."""

    value: float
    n: int
    """Number of predictions or ratings."""


class AlertState(StrEnum):
    """State of an alert."""

    PENDING = "pending"
    """The rule is broken, but not yet for as long as it requires."""
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(TypedDict):
    """One period in which a rule was broken."""

    rule: str
    measure: Measure
    state: AlertState
    since: Timestamp
    """Time at which the rule was first found broken, in UTC."""
    fired_at: Timestamp | None
    resolved_at: Timestamp | None
    value: float
    """Latest measured value while the rule was broken."""
    n: Count
    """Number of predictions or ratings that `value` was computed from."""
    limit: float
    """Limit of the rule, in the unit of `value`."""
