"""What a report is asked for: a period and a language, checked before anything is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from babel.dates import LOCALTZ

from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES, N_
from catsdogs.monitoring.time_windows import utc

DEFAULT_LENGTH = timedelta(days=7)
JUST = timedelta(minutes=5)
"""A scheduler says what time it is, and the report is made some seconds later."""
LOCAL: tzinfo = LOCALTZ
"""This machine's zone: a period may begin in summer time and end in winter time."""


def period(start: str = "", end: str = "", *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Read the bounds of a report.

    Parameters
    ----------
    start, end
        ISO 8601, a date or a moment; without a time zone, :data:`LOCAL`. By default the end is the coming full
        minute, and the start is :data:`DEFAULT_LENGTH` before the end, by the clock on the wall.
    now
        Default: the clock's.

    Returns
    -------
    tuple of datetime
        In :data:`LOCAL`.

    Raises
    ------
    InvalidInput
        They are no such texts, the wrong way round, or in the future altogether.
    """
    now = now or datetime.now(UTC)
    coming = (now + timedelta(minutes=1)).replace(second=0, microsecond=0)
    until = _moment("end", end) if end else _local(coming)
    since = _moment("start", start) if start else _local(until.replace(tzinfo=None) - DEFAULT_LENGTH)
    if utc(since) >= utc(until):  # moments of one zone are compared by its clock, which is set back once a year
        raise InvalidInput("The start of the window must be before its end.")
    if since > now:
        raise InvalidInput("The period is in the future: there is nothing to report yet.")
    return since, until


def is_over(end: datetime) -> bool:
    """Say whether a period lies behind: what ended just now reaches to now."""
    return utc(end) < datetime.now(UTC) - JUST


def language_of(code: str) -> str:
    """Check the language of a report.

    Raises
    ------
    InvalidInput
    """
    if code not in LANGUAGES:
        raise InvalidInput("The language must be one of {languages}.", languages=", ".join(LANGUAGES))
    return code


def _moment(name: str, said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        raise InvalidInput(N_("{name} must be a moment in ISO 8601, like 2026-01-31T12:00:00Z."), name=name) from None
    utc(moment)  # the range of years
    return _local(moment)


def _local(moment: datetime) -> datetime:
    return moment.astimezone().astimezone(LOCAL)  # without a zone, it is of this machine's clock
