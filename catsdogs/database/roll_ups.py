"""Summaries of every hour and every day, by model version and answer, so that long windows are read in a moment.

Triggers keep them true: each statement that inserts, changes or deletes predictions adds the hours that it touched
to a list of stale ones, in the same transaction. The list only grows, so that no writer waits for another, and a
summary counts only while its hours are not on it. :func:`refresh` takes hours off the list and counts them anew; it
sees at least what the marks it deletes stand for, because a mark and its rows become visible together.

Inference times are kept as a histogram whose bins grow by a constant factor: any percentile read from it is within
2 % of the one of the rows.

References
----------
C. Masson, J. E. Rim, H. K. Lee (2019), "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
guarantees", PVLDB 12(12), 2195-2205.
"""

# ruff: noqa: S608 (the names in the statements are those of tables, whose letters Settings has checked)

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from catsdogs.database.engine import Database
from catsdogs.database.tables import Tables
from catsdogs.datetimes import iso
from catsdogs.errors import DatabaseError

ACCURACY = 0.02
"""Largest relative error of a percentile."""
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
"""Factor from one bin's upper end to the next one's: bin `n` holds the times up to ``GROWTH ** n`` milliseconds."""
ORIGIN = "2001-01-01 00:00+00"
"""Where hours and days are counted from, in UTC."""
NO_TIME = -32768
"""Bin of the times below a microsecond, 0 included."""
AT_ONCE = 48
"""Hours that one transaction counts anew."""

REFRESH_SECONDS = 30.0
"""Seconds between two refreshes by :class:`RollUpRefresher`."""

Span = tuple[datetime, datetime]
"""From a moment to another, which does not belong to it."""

_LOCK = 7_228_321_665_105  # of those who refresh, among the advisory locks of the database: an arbitrary number

_log = logging.getLogger(__name__)


class RollUpRefresher:
    """Refreshes the roll-ups from a thread of its own, in every process that holds a service.

    A failed refresh is tried again after the next pause: figures are right without it, and only take longer to read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="catsdogs-roll-ups", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, after the refresh that may be running."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._refresh():
                self._stopping.wait(REFRESH_SECONDS)

    def _refresh(self) -> bool:
        try:
            return self._database.run(lambda connection: refresh(connection, self._database.tables))
        except DatabaseError as error:
            _log.debug("the roll-ups cannot be refreshed now: %s", error)
            return False


def summarise(table: str, hours: int, condition: str) -> str:
    """Write the query that summarises rows of predictions.

    Parameters
    ----------
    table
        Name of the table of predictions.
    hours
        Length of the interval of one summary: 1 or 24.
    condition
        SQL, of the rows.

    Returns
    -------
    str
        A query with the columns of the table of summaries, in their order.
    """
    return f"""SELECT {hours}, start, model_version, prediction_result, sum(n)::int AS predictions,
            sum(consents)::int AS consents, sum(satisfied)::int AS satisfied, sum(unsatisfied)::int AS unsatisfied,
            sum(milliseconds) AS milliseconds, min(fastest) AS fastest, max(slowest) AS slowest,
            array_agg(bin) FILTER (WHERE bin IS NOT NULL) AS bins,
            array_agg(n::int) FILTER (WHERE bin IS NOT NULL) AS counts
        FROM (
            SELECT date_bin('{hours} hours', "timestamp", '{ORIGIN}') AS start,
                coalesce(model_version, '') AS model_version, prediction_result,
                CASE WHEN NOT success THEN NULL WHEN inference_time_ms < 0.001 THEN {NO_TIME}
                    ELSE ceil(ln(inference_time_ms) / ln({GROWTH!r}::float8)) END::smallint AS bin,
                count(*) AS n,
                count(*) FILTER (WHERE rgpd_consent) AS consents,
                count(*) FILTER (WHERE user_feedback = 1) AS satisfied,
                count(*) FILTER (WHERE user_feedback = 0) AS unsatisfied,
                sum(inference_time_ms) FILTER (WHERE success) AS milliseconds,
                min(inference_time_ms) FILTER (WHERE success) AS fastest,
                max(inference_time_ms) FILTER (WHERE success) AS slowest
            FROM "{table}" WHERE {condition} GROUP BY 1, 2, 3, 4
        ) AS binned
        GROUP BY start, model_version, prediction_result"""


def refresh(connection: sa.Connection, tables: Tables) -> bool:
    """Count anew some of the stale hours that have ended, and their days; the latest first.

    Of processes that do so at once, one does, and the others go on.

    Returns
    -------
    bool
        Whether hours are left to do.
    """
    table = tables.predictions.name
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return False
    now = {"hour": datetime.now(UTC).replace(minute=0, second=0, microsecond=0)}
    # hours that go on are left as they are, with one mark for many
    connection.execute(
        sa.text(
            f"""WITH crowded AS (
                SELECT start FROM "{table}_stale" WHERE start >= :hour GROUP BY start HAVING count(*) > 1
            ), gone AS (DELETE FROM "{table}_stale" WHERE start IN (SELECT start FROM crowded) RETURNING start)
            INSERT INTO "{table}_stale" SELECT DISTINCT start FROM gone"""
        ),
        now,
    )
    ended = sa.text(f'SELECT DISTINCT start FROM "{table}_stale" WHERE start < :hour ORDER BY start DESC LIMIT :most')
    stale = list(connection.scalars(ended, now | {"most": AT_ONCE + 1}))
    starts = stale[:AT_ONCE]
    if not starts:
        return False
    connection.execute(sa.text(f'DELETE FROM "{table}_stale" WHERE start = ANY(:starts)'), {"starts": starts})
    days = sorted({start.replace(hour=0) for start in starts})
    for hours, intervals in ((1, starts), (24, days)):
        summary = {"hours": hours, "starts": intervals}
        connection.execute(
            sa.text(f'DELETE FROM "{table}_summary" WHERE hours = :hours AND start = ANY(:starts)'), summary
        )
        inside = within('"timestamp"', joined(intervals, timedelta(hours=hours)))
        connection.execute(sa.text(f'INSERT INTO "{table}_summary" {summarise(table, hours, inside)}'))
    return len(stale) > AT_ONCE


def joined(starts: Iterable[datetime], length: timedelta) -> list[Span]:
    """Join intervals of one length into the fewest spans."""
    spans: list[Span] = []
    for start in sorted(starts):
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], start + length)
        else:
            spans.append((start, start + length))
    return spans


def within(column: str, spans: Sequence[Span]) -> str:
    """Write the condition that a moment lies in one of some spans."""
    ranges = (f"({column} >= '{iso(first)}' AND {column} < '{iso(last)}')" for first, last in spans)
    return f"({' OR '.join(ranges) or 'false'})"
