"""Roll-ups: aggregates of every hour and every day, by model version and answer, so that long windows are read fast.

Triggers mark stale roll-ups: each statement that inserts, changes or deletes predictions adds the hours it touched to
the table of stale hours, in the same transaction. Writers only add rows there, so that none waits for another. A
roll-up is read only if none of its hours is stale. :func:`refresh` deletes stale hours and computes their roll-ups
again. It misses no change, because a row of stale hours and the change it stands for become visible together.

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

RELATIVE_ERROR = 0.02
"""Largest relative error of a percentile."""
BIN_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
"""Factor from one bin's upper end to the next one's: bin `n` holds the times up to ``BIN_GROWTH ** n`` milliseconds."""
BIN_ORIGIN = "2001-01-01 00:00+00"
"""Start of the first bin of hours and days, in UTC."""
ZERO_BIN = -32768
"""Bin of the inference times below a microsecond, 0 included."""
HOURS_PER_REFRESH = 48
"""Largest number of hours that one transaction refreshes."""

REFRESH_SECONDS = 30.0
"""Seconds between two refreshes by :class:`RollUpRefresher`."""

Span = tuple[datetime, datetime]
"""Start (included) and end (excluded) of an interval."""

_LOCK = 7_228_321_665_105  # an arbitrary number: the advisory lock held during a refresh

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
        except Exception:  # noqa: BLE001 (whatever it is: without this thread the roll-ups would stay stale)
            _log.exception("the roll-ups cannot be refreshed")
        return False


def roll_up_query(table: str, hours: int, condition: str) -> str:
    """Return the query that computes roll-ups from rows of predictions.

    Parameters
    ----------
    table
        Name of the table of predictions.
    hours
        Length of the interval of one roll-up: 1 or 24.
    condition
        SQL condition on the rows.

    Returns
    -------
    str
        A query with the columns of the table of roll-ups, in their order.
    """
    return f"""SELECT {hours}, start, model_version, prediction_result, sum(n)::int AS predictions,
            sum(consents)::int AS consents, sum(satisfied)::int AS satisfied, sum(unsatisfied)::int AS unsatisfied,
            sum(milliseconds) AS milliseconds, min(fastest) AS fastest, max(slowest) AS slowest,
            array_agg(bin) FILTER (WHERE bin IS NOT NULL) AS bins,
            array_agg(n::int) FILTER (WHERE bin IS NOT NULL) AS counts
        FROM (
            SELECT date_bin('{hours} hours', "timestamp", '{BIN_ORIGIN}') AS start,
                coalesce(model_version, '') AS model_version, prediction_result,
                CASE WHEN NOT success THEN NULL WHEN inference_time_ms < 0.001 THEN {ZERO_BIN}
                    ELSE ceil(ln(inference_time_ms) / ln({BIN_GROWTH!r}::float8)) END::smallint AS bin,
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
    """Refresh the roll-ups of some stale hours that have ended, and of their days; the latest first.

    If another process refreshes at the same time, nothing is done.

    Returns
    -------
    bool
        Whether stale hours are left.
    """
    table = tables.predictions.name
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return False
    now = {"hour": datetime.now(UTC).replace(minute=0, second=0, microsecond=0)}
    # Of the current hour, which goes on, keep one row instead of many.
    connection.execute(
        sa.text(
            f"""WITH repeated AS (
                SELECT start FROM "{table}_stale" WHERE start >= :hour GROUP BY start HAVING count(*) > 1
            ), deleted AS (DELETE FROM "{table}_stale" WHERE start IN (SELECT start FROM repeated) RETURNING start)
            INSERT INTO "{table}_stale" SELECT DISTINCT start FROM deleted"""
        ),
        now,
    )
    ended = sa.text(f'SELECT DISTINCT start FROM "{table}_stale" WHERE start < :hour ORDER BY start DESC LIMIT :most')
    stale = list(connection.scalars(ended, now | {"most": HOURS_PER_REFRESH + 1}))
    starts = stale[:HOURS_PER_REFRESH]
    if not starts:
        return False
    connection.execute(sa.text(f'DELETE FROM "{table}_stale" WHERE start = ANY(:starts)'), {"starts": starts})
    days = sorted({start.replace(hour=0) for start in starts})
    for hours, intervals in ((1, starts), (24, days)):
        parameters = {"hours": hours, "starts": intervals}
        connection.execute(
            sa.text(f'DELETE FROM "{table}_summary" WHERE hours = :hours AND start = ANY(:starts)'), parameters
        )
        condition = lies_within('"timestamp"', merge_intervals(intervals, timedelta(hours=hours)))
        connection.execute(sa.text(f'INSERT INTO "{table}_summary" {roll_up_query(table, hours, condition)}'))
    return len(stale) > HOURS_PER_REFRESH


def merge_intervals(starts: Iterable[datetime], length: timedelta) -> list[Span]:
    """Merge adjacent intervals of the same length."""
    spans: list[Span] = []
    for start in sorted(starts):
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], start + length)
        else:
            spans.append((start, start + length))
    return spans


def lies_within(column: str, spans: Sequence[Span]) -> str:
    """Return the SQL condition that a timestamp lies within one of the spans."""
    ranges = (f"({column} >= '{iso(first)}' AND {column} < '{iso(last)}')" for first, last in spans)
    return f"({' OR '.join(ranges) or 'false'})"
