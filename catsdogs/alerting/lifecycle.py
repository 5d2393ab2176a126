"""How an alert starts, fires and is resolved. This module needs no database.

::

    (none) --broken--> pending --broken for `for`--> firing --not broken for `clear`--> resolved
                          |                            ^  |
                          '--not broken--> (none)      '--' broken again within `clear`
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from uuid_utils.compat import uuid7

from catsdogs.alerting.alert import Alert, AlertState, Measurement
from catsdogs.alerting.rules import Rule
from catsdogs.datetimes import iso


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One period in which a rule was broken: a row of the table ``alerts``."""

    id: UUID
    rule: str
    since: datetime
    seen_at: datetime
    """Time of the latest evaluation that was stored."""
    value: float
    n: int
    fired_at: datetime | None = None
    clear_since: datetime | None = None
    """Since when the rule of a firing alert is not broken any more."""
    resolved_at: datetime | None = None

    @classmethod
    def start(cls, rule: Rule, measured: Measurement, now: datetime) -> Self:
        """Return a new, pending record."""
        return cls(uuid7(), rule.name, since=now, seen_at=now, value=measured.value, n=measured.n)


def advance(before: AlertRecord | None, rule: Rule, measured: Measurement | None, now: datetime) -> AlertRecord | None:
    """Compute the next state of a rule.

    Parameters
    ----------
    before
        The open record, pending or firing; ``None`` if there is none.
    measured
        ``None`` if there was too little data: that counts as not broken.
    now
        Not before `before.seen_at`.

    Returns
    -------
    AlertRecord or None
        A resolved record is returned once; after that it is no longer open.
    """
    if measured is None or not rule.is_broken_by(measured.value):
        return before and _advance_unbroken(before, rule, now)
    record = before or AlertRecord.start(rule, measured, now)
    fired_at = record.fired_at or (now if now - record.since >= rule.hold else None)
    return replace(record, seen_at=now, value=measured.value, n=measured.n, fired_at=fired_at, clear_since=None)


def _advance_unbroken(before: AlertRecord, rule: Rule, now: datetime) -> AlertRecord | None:
    if before.fired_at is None:
        return None
    clear_since = before.clear_since or now
    resolved_at = now if now - clear_since >= rule.clear else None
    return replace(before, seen_at=now, clear_since=clear_since, resolved_at=resolved_at)


def close(record: AlertRecord) -> AlertRecord | None:
    """Resolve a firing alert whose rule is no longer evaluated; a pending one is dropped (``None``)."""
    return None if record.fired_at is None else replace(record, resolved_at=record.seen_at)


def to_alert(record: AlertRecord, rule: Rule) -> Alert:
    """Convert a record to plain data."""
    open_state = AlertState.PENDING if record.fired_at is None else AlertState.FIRING
    return Alert(
        rule=rule.name,
        measure=rule.measure,
        state=AlertState.RESOLVED if record.resolved_at else open_state,
        since=iso(record.since),
        fired_at=iso(record.fired_at) if record.fired_at else None,
        resolved_at=iso(record.resolved_at) if record.resolved_at else None,
        value=record.value,
        n=record.n,
        limit=rule.limit,
    )
