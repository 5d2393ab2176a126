"""Timestamps as texts, in addresses, requests and JSON: ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

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
            "{name} must be a date and time in ISO 8601, like 2026-01-31T12:00:00Z.", name=name
        ) from None
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):  # ValueError: in the first or last year, for a time zone of the machine
        raise _year_out_of_range() from None


def utc(moment: datetime) -> datetime:
    """Convert `moment` to UTC; without a time zone it is taken as UTC.

    Raises
    ------
    InvalidInput
        The year is not one of :data:`YEARS`.
    """
    try:
        moment = _convert(moment)
    except OverflowError:
        raise _year_out_of_range() from None
    if moment.year not in YEARS:
        raise _year_out_of_range()
    return moment


def iso(moment: datetime) -> str:
    """Format `moment` in ISO 8601, in UTC; :func:`parse_timestamp` reads it back. Without a zone it is taken as UTC."""
    return _convert(moment).isoformat()


def _convert(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _year_out_of_range() -> InvalidInput:
    return InvalidInput("The date must be between the years {first} and {last}.", first=YEARS[0], last=YEARS[-1])
