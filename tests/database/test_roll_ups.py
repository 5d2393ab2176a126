"""Roll-ups agree with the rows after any change, and figures read from roll-ups agree with those read from rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catsdogs.database import Database, roll_ups, setup
from catsdogs.database.engine import UNLIMITED
from catsdogs.database.roll_ups import BIN_GROWTH, RELATIVE_ERROR, ZERO_BIN, RollUpRefresher, Span
from catsdogs.database.tables import Tables
from catsdogs.domain import Answer
from catsdogs.errors import DatabaseUnavailable
from catsdogs.monitoring import aggregates, kpis
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.time_windows import DAY, HOUR, round_down
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.rows import NOW, InsertRows, make_row, random_rows
from tests.waiting import until

FIRST = NOW - timedelta(days=3)
MINUTES = 3 * 24 * 60
WHOLE = FIRST - DAY, NOW + DAY

times = st.one_of(st.floats(0, 0.002), st.floats(0.002, 1e5), st.sampled_from([BIN_GROWTH, BIN_GROWTH**7, 5.0]))
rows = st.builds(
    lambda minute, answer, ms, consent, rating, version: make_row(
        FIRST + timedelta(minutes=minute),
        prediction_result=answer,
        inference_time_ms=ms,
        rgpd_consent=consent,
        user_feedback=rating,
        model_version=version,
    ),
    st.integers(0, MINUTES),
    st.sampled_from(["cat", "dog", "neither", "error"]),
    times,
    st.booleans(),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(["1.0", "1.1", None]),
)
Operation = tuple[str, Any]
operations = st.one_of(
    st.tuples(st.just("insert"), st.lists(rows, min_size=1, max_size=12)),
    st.tuples(st.sampled_from(["rate", "erase", "withdraw", "move"]), st.integers(0, 2**30)),
    st.tuples(st.just("refresh"), st.none()),
)


def execute(database: Database, statement: str, **values: Any) -> None:
    database.run(lambda connection: connection.execute(sa.text(statement), values))


def refresh(database: Database) -> bool:
    return database.run(lambda connection: roll_ups.refresh(connection, database.tables))


def refresh_all(database: Database) -> None:
    while refresh(database):
        pass


def held(database: Database) -> list[dict[str, Any]]:
    query = sa.select(database.tables.predictions)
    return [dict(row) for row in database.run(lambda connection: connection.execute(query).mappings().all())]


def do(database: Database, insert_rows: InsertRows, operation: Operation) -> None:
    """Change the rows as the service does: by statements of its own, or by the cascade of a withdrawal."""
    name, value = operation
    offset = f"{value} % greatest((SELECT count(*) FROM predictions_feedback), 1)"
    chosen = f"(SELECT id FROM predictions_feedback ORDER BY id OFFSET {offset} LIMIT 1)"
    match name:
        case "insert":
            for row in value:
                row["id"] = uuid4()
                row["consent_id"] = row["id"] if row["rgpd_consent"] else None
            insert_rows(value)
        case "rate":
            execute(
                database,
                f"UPDATE predictions_feedback SET user_feedback = {value % 2}, feedback_at = now() WHERE id = {chosen}",
            )
        case "erase":
            execute(database, f"DELETE FROM predictions_feedback WHERE id = {chosen}")
        case "withdraw":
            execute(
                database,
                "UPDATE consents SET filename_and_comment = false, withdrawn_at = now()"
                f" WHERE id = (SELECT consent_id FROM predictions_feedback WHERE id = {chosen})",
            )
        case "move":  # our code never does this, an administrator might
            shift = timedelta(minutes=value % 300)
            execute(
                database,
                f'UPDATE predictions_feedback SET "timestamp" = "timestamp" + :shift WHERE id = {chosen}',
                shift=shift,
            )
        case "refresh":
            refresh(database)


def expected_roll_up(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Compute a roll-up in plain Python."""
    times = [row["inference_time_ms"] for row in found if row["success"]]
    return {
        "predictions": len(found),
        "consents": sum(row["rgpd_consent"] for row in found),
        "satisfied": sum(row["user_feedback"] == 1 for row in found),
        "unsatisfied": sum(row["user_feedback"] == 0 for row in found),
        "milliseconds": pytest.approx(sum(times)) if times else None,
        "fastest": min(times, default=None),
        "slowest": max(times, default=None),
    }


def check_roll_ups(database: Database) -> None:
    """Check that each hour and day that is not stale has exactly the roll-ups that its rows give."""
    found = held(database)
    tables = database.tables
    kept = database.run(lambda c: c.execute(sa.select(tables.roll_ups)).mappings().all())
    stale = set(database.run(lambda c: c.scalars(sa.select(tables.stale_hours.c.start)).all()))
    for hours, width in ((1, HOUR), (24, DAY)):
        unknown = {round_down(hour, width) for hour in stale}
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in found:
            start = round_down(row["timestamp"], width)
            if start not in unknown:
                key = (start, row["model_version"] or "", row["prediction_result"])
                groups.setdefault(key, []).append(row)
        here = {
            (row["start"], row["model_version"], row["prediction_result"]): row
            for row in kept
            if row["hours"] == hours and row["start"] not in unknown
        }
        assert here.keys() == groups.keys()
        for key, roll_up in here.items():
            assert {name: roll_up[name] for name in expected_roll_up([])} == expected_roll_up(groups[key])
            check_histogram(roll_up, groups[key])


def check_histogram(roll_up: Any, found: list[dict[str, Any]]) -> None:
    """Each time lies in its bin, as far as rounding at the bins' ends goes."""
    times = sorted(row["inference_time_ms"] for row in found if row["success"])
    bins = sorted(zip(roll_up["bins"] or (), roll_up["counts"] or (), strict=True))
    assert sum(count for _bin, count in bins) == len(times)
    for number, count in bins:
        inside, times = times[:count], times[count:]
        low, high = (0, 0.001) if number == ZERO_BIN else (BIN_GROWTH ** (number - 1), BIN_GROWTH**number)
        assert all(low * (1 - 1e-9) <= time <= high * (1 + 1e-9) for time in inside)


SUMS = ["predictions", "successes", "consents", "cat", "dog", "neither", "errors", "satisfied", "unsatisfied"]
SUMS += ["fastest", "slowest"]


def compare(database: Database, window: Span, width: int, chosen: PredictionFilter = ALL_PREDICTIONS) -> None:
    """Read a window both ways: counts and means are the same, percentiles within what is promised."""
    table = database.tables.predictions
    exact = database.run(lambda c: aggregates.aggregate_rows(c, table, chosen, window, width))
    found = database.run(lambda c: aggregates.aggregate_roll_ups(c, table, chosen, window, width))
    assert [row.bucket for row in found] == [row.bucket for row in exact]
    for quick, true in zip(found, exact, strict=True):
        assert [getattr(quick, name) for name in SUMS] == [getattr(true, name) for name in SUMS]
        assert quick.mean == (true.mean if true.mean is None else pytest.approx(true.mean))
        for estimate, percentile in zip(quick.percentiles or (), true.percentiles or (), strict=True):
            # of two neighbouring times, one may be below a microsecond, and the other one off by up to a bin
            assert abs(estimate - percentile) <= RELATIVE_ERROR * (1 + 1e-6) * percentile + 0.001
    total = database.run(lambda c: aggregates.totals(c, table, chosen, window))
    assert [getattr(total, name) for name in SUMS] == [getattr(found[0], name) for name in SUMS]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(operations, min_size=1, max_size=10),
    st.integers(0, MINUTES),
    st.integers(1, MINUTES),
    st.sampled_from([None, "1.1"]),
    st.sampled_from([None, Answer.DOG]),
)
def test_roll_ups_agree_with_the_rows_after_feedback_erasure_and_withdrawal(
    insert_rows: InsertRows, done: list[Operation], minute: int, length: int, version: str | None, answer: Answer | None
) -> None:
    database = insert_rows([])
    execute(database, "TRUNCATE consents CASCADE")
    for operation in done:
        do(database, insert_rows, operation)
    check_roll_ups(database)
    start = FIRST + timedelta(minutes=minute, seconds=7)
    window, chosen = (start, start + timedelta(minutes=length)), PredictionFilter(model_version=version, answer=answer)
    compare(database, window, 3600, chosen)
    compare(database, WHOLE, 86400)
    refresh_all(database)
    check_roll_ups(database)
    assert not database.run(lambda c: c.scalars(sa.select(database.tables.stale_hours.c.start)).all())
    compare(database, window, 7200, chosen)
    compare(database, WHOLE, 86400)


@pytest.mark.parametrize("change", ["insert", "rate", "erase", "withdraw", "move"])
def test_each_change_after_a_refresh_is_read(insert_rows: InsertRows, change: str) -> None:
    impersonal = {"filename": None, "user_comment": None}  # a withdrawal finds nothing else to change
    database = insert_rows([row | impersonal for row in random_rows(15, n=60)])
    refresh_all(database)
    before = held(database)
    month = NOW - timedelta(days=30), NOW + DAY
    for value in range(8):
        do(database, insert_rows, (change, random_rows(value, n=2) if change == "insert" else 7 * value))
    assert held(database) != before
    check_roll_ups(database)
    compare(database, month, 86400)
    refresh_all(database)
    check_roll_ups(database)
    compare(database, month, 86400)


def test_statistics_of_many_rows_are_those_of_few(insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of rows decides whether roll-ups are read; the figures do not depend on it."""
    database = insert_rows(random_rows(11, n=2000))
    refresh_all(database)
    table = database.tables.predictions
    start = NOW - timedelta(days=15, minutes=7)

    def statistics(**chosen: Any) -> Any:
        return database.run(lambda c: kpis.statistics(c, table, PredictionFilter(start, NOW, **chosen)))

    for chosen in ({}, {"model_version": "1.1"}, {"answer": "neither"}):
        exact = statistics(**chosen)
        with monkeypatch.context() as patch:
            patch.setattr(kpis, "MAX_EXACT_PREDICTIONS", 100)
            quick = statistics(**chosen)
        assert {name: quick[name] for name in quick if name not in ("inference_time_ms", "timeline")} == {
            name: exact[name] for name in exact if name not in ("inference_time_ms", "timeline")
        }
        latencies = [[found["inference_time_ms"], *found["timeline"]] for found in (quick, exact)]
        for estimated, true in zip(*latencies, strict=True):
            for name, value in true.items():
                tolerance = RELATIVE_ERROR if name in {"p50", "p95", "p99"} else 1e-9
                is_float = isinstance(value, float)
                assert estimated[name] == (pytest.approx(value, rel=tolerance) if is_float else value)


def test_feedback_is_read_no_further_back_than_it_takes(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "MAX_FEEDBACK_POINTS", 30)
    database = insert_rows(random_rows(12, n=1000))
    read: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *arguments: read.append(str(arguments[2:4])))
    found = database.run(lambda c: kpis.statistics(c, database.tables.predictions, PredictionFilter(end=NOW)))
    [asked] = [statement for statement in read if "LIMIT" in statement and "user_comment" in statement]
    times = sorted(row["timestamp"] for row in held(database) if row["user_feedback"] is not None)[-30:]
    assert [point["timestamp"] for point in found["feedback"]] == [moment.isoformat() for moment in times]
    assert str(FIRST.year) in asked
    assert repr(found["timeline"][0]["start"]) not in asked


def test_the_current_hour_stays_stale_in_one_row(insert_rows: InsertRows) -> None:
    """Several changes of an hour mark it once."""
    now = datetime.now(UTC)
    for second in range(3):
        database = insert_rows([make_row(now + DAY, width=second + 1)])
    stale = sa.select(database.tables.stale_hours.c.start)
    assert len(database.run(lambda c: c.scalars(stale).all())) == 3
    assert not refresh(database)
    assert database.run(lambda c: c.scalars(stale).all()) == [round_down(now + DAY, HOUR)]
    check_roll_ups(database)


def test_concurrent_refreshes_do_not_wait_for_each_other(insert_rows: InsertRows) -> None:
    database = insert_rows([make_row(NOW)])
    with database.engine.begin() as first:
        assert not roll_ups.refresh(first, database.tables)  # done, and holds the lock until it commits
        execute(database, "SET lock_timeout = '1s'")
        assert not refresh(database)
    check_roll_ups(database)


def test_an_hour_that_becomes_stale_during_a_refresh_stays_stale(insert_rows: InsertRows) -> None:
    """A writer that commits while the hour is being counted is not lost."""
    database = insert_rows([make_row(NOW)])
    with database.engine.begin() as slow:
        roll_ups.refresh(slow, database.tables)
        insert_rows([make_row(NOW, user_feedback=1)])
    assert database.run(lambda c: c.scalars(sa.select(database.tables.stale_hours.c.start)).all()) == [
        round_down(NOW, HOUR)
    ]
    compare(database, WHOLE, 86400)
    refresh_all(database)
    check_roll_ups(database)


def test_the_migration_marks_all_hours_as_stale(insert_rows: InsertRows) -> None:
    database = insert_rows(random_rows(13, n=2000))
    refresh_all(database)
    setup.migrate(database, "0004")
    execute(database, "ANALYZE predictions_feedback")
    statements: list[str] = []
    migrating = database._engine_for(UNLIMITED)
    sa.event.listen(migrating, "before_cursor_execute", lambda *arguments: statements.append(str(arguments[2])))
    setup.migrate(database)
    marked = database.run(lambda c: c.scalars(sa.select(database.tables.stale_hours.c.start)).all())
    assert sorted(marked) == sorted({round_down(row["timestamp"], HOUR) for row in held(database)})
    [marks] = [
        statement for statement in statements if statement.startswith('INSERT INTO "predictions_feedback_stale"')
    ]
    plan = "\n".join(database.run(lambda c: c.scalars(sa.text(f"EXPLAIN {marks}")).all()))
    assert "predictions_feedback_timestamp" in plan
    assert "Seq Scan on predictions_feedback" not in plan, "the migration holds a lock while it reads"
    compare(database, WHOLE, 86400)
    refresh_all(database)
    check_roll_ups(database)


def test_the_refresher_refreshes_stale_hours(insert_rows: InsertRows) -> None:
    database = insert_rows(random_rows(14, n=60))
    refresher = RollUpRefresher(database)
    refresher.start()
    stale = sa.select(database.tables.stale_hours.c.start).limit(1)
    until(lambda: database.run(lambda connection: connection.scalar(stale)) is None, timeout=60)
    refresher.close()
    check_roll_ups(database)


def test_a_service_refreshes_stale_hours(insert_rows: InsertRows, database: Settings) -> None:
    kept = insert_rows(random_rows(15, n=60))
    stale = sa.select(kept.tables.stale_hours.c.start).limit(1)
    with Local.open(database):
        until(lambda: kept.run(lambda connection: connection.scalar(stale)) is None, timeout=60)
    check_roll_ups(kept)


@pytest.mark.parametrize("failure", [DatabaseUnavailable("unreachable"), FileNotFoundError("There is no cluster.")])
def test_a_failed_refresh_does_not_end_the_thread(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    database = insert_rows(random_rows(16, n=60))
    refresh, attempts = roll_ups.refresh, iter([failure])

    def fail_once(connection: sa.Connection, tables: Tables) -> bool:
        for error in attempts:
            raise error
        return refresh(connection, tables)

    monkeypatch.setattr(roll_ups, "refresh", fail_once)
    monkeypatch.setattr(roll_ups, "REFRESH_SECONDS", 0.01)
    refresher = RollUpRefresher(database)
    refresher.start()
    stale = sa.select(database.tables.stale_hours.c.start).limit(1)
    until(lambda: database.run(lambda connection: connection.scalar(stale)) is None, timeout=60)
    refresher.close()
    check_roll_ups(database)


@pytest.mark.parametrize("damage", ["bins = ARRAY[32767]::smallint[]", "milliseconds = 1e308", "counts = NULL"])
def test_a_broken_roll_up_never_takes_the_figures_down(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(kpis, "MAX_EXACT_PREDICTIONS", 10)
    monkeypatch.setattr(kpis, "MAX_EXACT_BUCKET_SECONDS", 0)
    database = insert_rows([make_row(FIRST + timedelta(hours=hour)) for hour in range(60)])
    refresh_all(database)
    execute(database, f"UPDATE predictions_feedback_summary SET {damage}")
    table, window = database.tables.predictions, PredictionFilter(FIRST, NOW)
    found = database.run(lambda c: kpis.statistics(c, table, window))
    assert found["total_predictions"] == 60
    assert database.run(lambda c: aggregates.totals(c, table, ALL_PREDICTIONS, WHOLE)).predictions == 60


def test_a_stale_hour_of_another_age_does_no_harm(insert_rows: InsertRows) -> None:
    """Tables of an earlier version may hold one."""
    database = insert_rows([make_row(FIRST)])
    setup.migrate(database, "0007")
    execute(database, "INSERT INTO predictions_feedback_stale VALUES ('9999-12-31 23:00+00'), ('0001-01-01 00:00+00')")
    table = database.tables.predictions
    assert database.run(lambda c: aggregates.totals(c, table, ALL_PREDICTIONS, WHOLE)).predictions == 1
