"""What a report is asked for: a period and a language, checked before anything is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES, N_
from catsdogs.monitoring.windows import utc

DEFAULT_LENGTH = timedelta(days=7)


def period(start: str = "", end: str = "", *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Read the bounds of a report.

    Parameters
    ----------
    start, end
        ISO 8601, a date or a moment; without a time zone, the one of this machine. By default the end is the
        coming full minute, and the start is :data:`DEFAULT_LENGTH` before the end.
    now
        Default: the clock's.

    Returns
    -------
    tuple of datetime
        In this machine's time zone.

    Raises
    ------
    InvalidInput
        They are no such texts, the wrong way round, or in the future altogether.
    """
    now = now or datetime.now(UTC)
    until = _moment("end", end) if end else (now + timedelta(minutes=1)).replace(second=0, microsecond=0).astimezone()
    since = _moment("start", start) if start else until - DEFAULT_LENGTH
    if since >= until:
        raise InvalidInput("The start of the window must be before its end.")
    if since > now:
        raise InvalidInput("The period is in the future: there is nothing to report yet.")
    return since, until


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
    except ValueError:
        raise InvalidInput(N_("{name} must be a moment in ISO 8601, like 2026-01-31T12:00:00Z."), name=name) from None
    utc(moment)  # the range of years
    return moment.astimezone()
