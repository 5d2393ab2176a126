"""The parameters of a report, a period and a language, which are checked before any data is read."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from babel.dates import LOCALTZ

from catsdogs.datetimes import parse_timestamp, utc
from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES

DEFAULT_LENGTH = timedelta(days=7)
END_TOLERANCE = timedelta(minutes=5)
"""Time after which a period counts as over. A scheduler gives the current time as its end, and the report is made some
seconds later."""
LOCAL: tzinfo = LOCALTZ
"""Time zone of this machine; a period may start in summer time and end in winter time."""


class ParameterNames(NamedTuple):
    """What the parameters are called where they are given: messages about wrong ones name them so."""

    start: str
    end: str
    language: str
    folder: str


NOTEBOOK_NAMES = ParameterNames("start", "end", "language", "folder")


def parse_period(
    start: str = "", end: str = "", *, now: datetime | None = None, names: ParameterNames = NOTEBOOK_NAMES
) -> tuple[datetime, datetime]:
    """Parse the start and the end of a report's period.

    Parameters
    ----------
    start, end
        ISO 8601, a date or a date with a time; without a time zone, in :data:`LOCAL`. By default the end is the next
        full minute, and the start is :data:`DEFAULT_LENGTH` before the end in local time.
    now
        By default the current time.
    names
        What the caller calls `start` and `end`.

    Returns
    -------
    tuple of datetime
        Start and end, in :data:`LOCAL`.

    Raises
    ------
    InvalidInput
        A text is not ISO 8601, the start is not before the end, or the whole period is in the future.
    """
    now = now or datetime.now(UTC)
    until = _parse(end, names.end) if end else _coming_minute(now)
    since = _parse(start, names.start) if start else _local(until.replace(tzinfo=None) - DEFAULT_LENGTH)
    if since > now:
        raise InvalidInput(
            "{start}: the period is in the future, and there is nothing to report yet.", start=names.start
        )
    if since.astimezone(UTC) >= until.astimezone(UTC):  # in local time, an hour that comes twice has no order
        raise InvalidInput("{start} must be before {end}.", start=names.start, end=names.end)
    return since, until


def _parse(text: str, name: str) -> datetime:
    return utc(parse_timestamp(text, name, zone=None), name).astimezone(LOCAL)


def cut_to_data(start: datetime, end: datetime, first: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Cut a period to the time of which there is something to report: from the day of the first prediction to now.

    The end is a full minute, as in the name of the file of a report up to now.

    Parameters
    ----------
    start, end
        Period, in :data:`LOCAL`.
    first
        Time of the first prediction of all; ``None`` where there is none before `end`.
    """
    coming = _coming_minute(now)
    if end.astimezone(UTC) > coming.astimezone(UTC):
        end = coming
    if first:
        first_day = _local(datetime.combine(parse_timestamp(first).astimezone(LOCAL), time.min))
        if start.astimezone(UTC) < first_day.astimezone(UTC):
            start = first_day
    return start, end


def is_over(end: datetime) -> bool:
    """Return whether a period that ends at `end` is over, and did not end only just now."""
    return end < datetime.now(UTC) - END_TOLERANCE


def check_language(code: str, names: ParameterNames = NOTEBOOK_NAMES) -> str:
    """Check and return the language of a report.

    Raises
    ------
    InvalidInput
        It is not one of :data:`catsdogs.i18n.LANGUAGES`.
    """
    if code not in LANGUAGES:
        raise InvalidInput("{name} must be one of {languages}.", name=names.language, languages=", ".join(LANGUAGES))
    return code


def _coming_minute(now: datetime) -> datetime:
    return _local((now.astimezone(UTC) + timedelta(minutes=1)).replace(second=0, microsecond=0))


def _local(moment: datetime) -> datetime:
    return moment.astimezone().astimezone(LOCAL)  # a time without a zone is in the zone of this machine
