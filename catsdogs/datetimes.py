"""Timestamps as texts, in addresses, requests and JSON: ISO 8601, in UTC; names of time zones."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from catsdogs.errors import InvalidInput

YEARS = range(1970, 3000)
"""Years that a time window may reach to: far from the limits of Python and PostgreSQL."""


def parse_timestamp(text: str, name: str = "timestamp", *, zone: tzinfo | None = UTC) -> datetime:
    """Parse a date, or a date and time, in ISO 8601.

    Parameters
    ----------
    text
        In an address, a ``+`` that was not percent-encoded arrives as a space; it is accepted.
    name
        Name of the parameter, for the error message.
    zone
        Time zone of a text that names none; ``None`` for the time zone of this machine.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    InvalidInput
        `text` is not a date in ISO 8601, or UTC has no such date.
    """
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise InvalidInput(
            "{name} must be a date, or a date and time, in ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z.",
            name=name,
        ) from None
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):  # ValueError: in the first or last year, for a time zone of the machine
        raise _year_out_of_range(name) from None


def parse_interval(text: str) -> tuple[datetime, datetime]:
    """Parse an interval in ISO 8601, START/END; without a time zone, in that of this machine.

    Returns
    -------
    tuple of datetime
        In UTC.

    Raises
    ------
    InvalidInput
        It is not such an interval, or the start is not before the end.
    """
    first, _, last = text.partition("/")
    start, end = (utc(parse_timestamp(part.strip(), "interval", zone=None)) for part in (first, last))
    if start >= end:
        raise InvalidInput("The start of the window must be before its end.")
    return start, end


def utc(moment: datetime, name: str = "date") -> datetime:
    """Convert `moment` to UTC; without a time zone it is taken as UTC.

    Parameters
    ----------
    name
        Name of the parameter, for the error message.

    Raises
    ------
    InvalidInput
        The year is not one of :data:`YEARS`.
    """
    try:
        moment = _convert(moment)
    except OverflowError:
        raise _year_out_of_range(name) from None
    if moment.year not in YEARS:
        raise _year_out_of_range(name)
    return moment


def is_time_zone(name: str) -> bool:
    """Return whether `name` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such name, or no such file
        return False
    return True


def zone_name(zone: tzinfo) -> str:
    """Return the name of a time zone in the IANA database; "UTC" where it has none."""
    return zone.key if isinstance(zone, ZoneInfo) and zone.key else "UTC"


def iso(moment: datetime) -> str:
    """Format `moment` in ISO 8601, in UTC; :func:`parse_timestamp` reads it back. Without a zone it is taken as UTC."""
    return _convert(moment).isoformat()


def _convert(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _year_out_of_range(name: str) -> InvalidInput:
    return InvalidInput(
        "{name} must be between the years {first} and {last}.", name=name, first=YEARS[0], last=YEARS[-1]
    )
