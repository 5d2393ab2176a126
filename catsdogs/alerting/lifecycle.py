"""How an alert starts, fires and is resolved. This module needs no database.

::

    (none) --beyond the limit--> pending --surely beyond--> firing --surely within the limit--> resolved
                                    |                         |
                                    '--within--> (none)       '-- otherwise it stays as it is

The rule says how sure is surely, for either. That makes a hysteresis: a firing alert is not resolved because its value
crossed the limit once, but when its interval in the fast window lies within the limit. Where nothing is measured, at
night or at a weekend, nobody knows whether it is over: it stays, and is closed after :data:`CLOSE_UNMEASURED_AFTER`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from uuid_utils.compat import uuid7

from catsdogs.alerting.alert import CLOSE_UNMEASURED_AFTER, AlertState, Measurement
from catsdogs.alerting.evidence import LIKELY, Evidence
from catsdogs.alerting.rules import Rule


class Judgement(StrEnum):
    """What the two windows of a rule say."""

    BROKEN = "broken"
    BEYOND = "beyond"
    """The value is likely beyond the limit, but it may be chance."""
    UNCLEAR = "unclear"
    """The value is not even likely beyond the limit, or there are too few predictions or ratings."""
    WITHIN = "within"
    """The value is surely within the limit."""


class Windows(NamedTuple):
    """The evidence in the time windows of a rule; ``None`` where it cannot be measured."""

    fast: Evidence | None
    slow: Evidence | None
    recent: Evidence | None
    """The fast window; where it has too few predictions or ratings, the latest ones of the slow window that are just
    enough."""
    calm: Evidence | None
    """What says that an episode is over: the recent window, or its latest `over_at_least` predictions or ratings."""


def judge(windows: Windows, rule: Rule) -> tuple[Judgement, Measurement | None]:
    """Compare what was measured with the limit of a rule.

    A rule is broken if the value is surely beyond its limit in the fast window; or surely in the slow window and likely
    in the recent one: so a small change is found, too, but not when it is over.

    Returns
    -------
    Judgement
    Measurement or None
        The value of the window that decided; ``None`` where there were too few predictions or ratings.

    References
    ----------
    Google (2018), "The Site Reliability Workbook", chapter 5, "Alerting on SLOs": multiwindow alerts.
    """
    fast, slow, recent, calm = (found if found is not None and found.n >= rule.at_least else None for found in windows)
    if fast is not None and _is_beyond(fast, rule, rule.sure_z):
        return Judgement.BROKEN, Measurement(fast.value, fast.n)
    if slow is None or recent is None:
        return Judgement.UNCLEAR, None
    if _is_beyond(slow, rule, rule.sure_z) and _is_beyond(recent, rule, LIKELY):
        return Judgement.BROKEN, Measurement(slow.value, slow.n)
    if calm is not None and _is_within(calm, rule):  # the slow one holds what was before the incident, too
        return Judgement.WITHIN, Measurement(calm.value, calm.n)
    measured = Measurement(recent.value, recent.n)
    return (Judgement.BEYOND if _is_beyond(recent, rule, LIKELY) else Judgement.UNCLEAR), measured


def _is_beyond(found: Evidence, rule: Rule, z: float) -> bool:
    low, high = found.interval(z)
    return rule.is_beyond(high if rule.below is not None else low)


def _is_within(found: Evidence, rule: Rule) -> bool:
    low, high = found.interval(rule.over_z)
    return not rule.is_beyond(low if rule.below is not None else high)


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One episode: a row of the table ``alerts``."""

    id: UUID
    rule: str
    since: datetime
    seen_at: datetime
    """Time of the latest evaluation that measured anything, and was stored."""
    value: float
    n: int
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    baseline: float | None = None
    """What the rule compares with, as it was when the episode began; the episode must not change it."""
    measure: str | None = None
    severity: str | None = None
    limit_value: float | None = None
    """What the rule was when `value` was measured; ``None`` in episodes of earlier versions."""

    @classmethod
    def start(cls, rule: Rule, measured: Measurement, now: datetime, baseline: float | None = None) -> Self:
        """Return a new, pending record."""
        return cls(uuid7(), rule.name, since=now, seen_at=now, value=measured.value, n=measured.n, baseline=baseline)

    @property
    def state(self) -> AlertState:
        """State that follows from the times."""
        if self.resolved_at:
            return AlertState.RESOLVED
        return AlertState.PENDING if self.fired_at is None else AlertState.FIRING


def advance(
    before: AlertRecord | None, rule: Rule, windows: Windows, now: datetime, baseline: float | None = None
) -> AlertRecord | None:
    """Compute the next state of a rule.

    Parameters
    ----------
    before
        The open record, pending or firing; ``None`` if there is none.
    windows
        What was measured.
    now
        Not before `before.seen_at`.
    baseline
        What `windows` were compared with.

    Returns
    -------
    AlertRecord or None
        A resolved record is returned once; after that it is no longer open.
    """
    judgement, measured = judge(windows, rule)
    record = before
    if record is None and measured is not None and judgement in (Judgement.BROKEN, Judgement.BEYOND):
        record = AlertRecord.start(rule, measured, now, baseline)
    if record is None or (record.fired_at is None and judgement not in (Judgement.BROKEN, Judgement.BEYOND)):
        return None
    if measured is None:
        is_long = now - record.seen_at >= CLOSE_UNMEASURED_AFTER
        return replace(record, seen_at=now, n=0, resolved_at=now) if is_long else record
    record = replace(record, value=measured.value, n=measured.n, limit_value=rule.limit)
    record = replace(record, measure=str(rule.measure), severity=str(rule.severity))
    fired_at = record.fired_at or (now if judgement is Judgement.BROKEN else None)
    resolved_at = now if judgement is Judgement.WITHIN else None
    frozen = baseline if record.baseline is None else record.baseline
    return replace(record, seen_at=now, fired_at=fired_at, resolved_at=resolved_at, baseline=frozen)


def close(record: AlertRecord) -> AlertRecord | None:
    """Resolve a firing alert whose rule is no longer evaluated; a pending one is dropped (``None``)."""
    return None if record.fired_at is None else replace(record, resolved_at=record.seen_at)
