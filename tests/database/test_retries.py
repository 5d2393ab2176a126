"""Transient failures are retried a few times; the pauses between attempts to reach an absent database grow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.retries import Backoff
from catsdogs.errors import DatabaseError, DatabaseUnavailable, RecordRefused


def failing_once(statement: str, calls: list[int]) -> Callable[[sa.Connection], int]:
    def work(connection: sa.Connection) -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            connection.execute(sa.text(statement))
        return len(calls)

    return work


def raising(sqlstate: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '{sqlstate}'; END $$"


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53300"])
def test_transient_failures_are_retried(connected: Database, sqlstate: str) -> None:
    assert connected.run(failing_once(raising(sqlstate), [])) == 2


def test_a_broken_connection_is_replaced(connected: Database) -> None:
    assert connected.run(failing_once("SELECT pg_terminate_backend(pg_backend_pid())", [])) == 2


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        *((code, RecordRefused) for code in ("22003", "22021", "23502", "23514", "54000", "P0001")),
        *((code, DatabaseUnavailable) for code in ("25006", "42501", "53100", "53200", "55P03", "57014", "58030")),
        *((code, DatabaseUnavailable) for code in ("XX000", "42P01")),
        ("42601", DatabaseError),
    ],
)
def test_other_failures_are_not_retried_and_say_whether_they_may_pass(
    connected: Database, sqlstate: str, kind: type[DatabaseError]
) -> None:
    calls: list[int] = []
    with pytest.raises(DatabaseError) as failed:
        connected.run(failing_once(raising(sqlstate), calls))
    assert type(failed.value) is kind
    assert len(calls) == 1


def test_after_three_attempts_the_error_is_raised(connected: Database) -> None:
    calls: list[int] = []

    def work(connection: sa.Connection) -> None:
        calls.append(1)
        connection.execute(sa.text(raising("40001")))

    with pytest.raises(DatabaseUnavailable, match="on purpose"):
        connected.run(work)
    assert len(calls) == 3


def test_pauses_double_up_to_a_limit() -> None:
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(8)]
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 5, 5]
    backoff.reset()
    assert backoff.next() == pauses[0]
