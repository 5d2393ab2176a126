"""The parameters of a report, a period and a language, which are checked before any data is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from babel.dates import LOCALTZ

from catsdogs.datetimes import parse_timestamp
from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES
from catsdogs.monitoring.prediction_filter import PredictionFilter

DEFAULT_LENGTH = timedelta(days=7)
END_TOLERANCE = timedelta(minutes=5)
"""Time after which a period counts as over. A scheduler gives the current time as its end, and the report is made some
seconds later."""
LOCAL: tzinfo = LOCALTZ
"""Time zone of this machine; a period may start in summer time and end in winter time."""


def parse_period(start: str = "", end: str = "", *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Parse the start and the end of a report's period.

    Parameters
    ----------
    start, end
        ISO 8601, a date or a date with a time; without a time zone, in :data:`LOCAL`. By default the end is the next
        full minute, and the start is :data:`DEFAULT_LENGTH` before the end in local time.
    now
        By default the current time.

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
    coming = (now + timedelta(minutes=1)).replace(second=0, microsecond=0)
    until = parse_timestamp(end, "end", zone=None).astimezone(LOCAL) if end else _local(coming)
    since = (
        parse_timestamp(start, "start", zone=None).astimezone(LOCAL)
        if start
        else _local(until.replace(tzinfo=None) - DEFAULT_LENGTH)
    )
    PredictionFilter(since, until)  # the order and the range of years
    if since > now:
        raise InvalidInput("The period is in the future: there is nothing to report yet.")
    return since, until


def is_over(end: datetime) -> bool:
    """Return whether a period that ends at `end` is over, and did not end only just now."""
    return end < datetime.now(UTC) - END_TOLERANCE


def check_language(code: str) -> str:
    """Check and return the language of a report.

    Raises
    ------
    InvalidInput
        It is not one of :data:`catsdogs.i18n.LANGUAGES`.
    """
    if code not in LANGUAGES:
        raise InvalidInput("The language must be one of {languages}.", languages=", ".join(LANGUAGES))
    return code


def _local(moment: datetime) -> datetime:
    return moment.astimezone().astimezone(LOCAL)  # a time without a zone is in the zone of this machine
