"""Moments as texts, in addresses and requests."""

from __future__ import annotations

from datetime import UTC, datetime


def read_moment(text: str) -> datetime:
    """Read a moment in ISO 8601, in UTC; without a time zone it is taken as UTC.

    Raises
    ------
    ValueError
        It is no moment, or none that UTC has.
    """
    moment = datetime.fromisoformat(text.replace(" ", "+"))  # a + that nobody encoded
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
