"""Demonstration data in a database: marked, complete, and removed without a trace and without anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.database import Database, setup
from catsdogs.database.demo_ids import DEMO_ID_BITS, FIRST, LAST, demo_id
from catsdogs.database.roll_ups import refresh
from catsdogs.demo import storage
from catsdogs.demo.history import IncidentKind
from catsdogs.errors import Conflict, InvalidImage
from catsdogs.monitoring.kpis import statistics
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.records.predictions import PredictionRecord
from tests.rows import AGREES, InsertRows, random_rows

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
Content = dict[str, list[tuple[Any, ...]]]


def content(database: Database) -> Content:
    """Return all rows of all tables, roll-ups included; but not which hours are stale, such as the present one."""
    tables = database.tables

    def work(connection: sa.Connection) -> Content:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=str)
            for table in tables.metadata.sorted_tables
            if table is not tables.stale_hours
        }

    return database.run(work)


def add_alert(database: Database, since: datetime) -> UUID:
    """Store an alert that is over, so that there may be several of one rule."""
    alert = {"id": uuid7(), "rule": "slow", "value": 2.0, "n": 50, "seen_at": since + DAY}
    times = dict.fromkeys(("since", "fired_at", "resolved_at"), since)
    database.run(lambda connection: connection.execute(sa.insert(database.tables.alerts), [alert | times]))
    return alert["id"]  # type: ignore[return-value]


def alerts(database: Database) -> set[UUID]:
    return database.run(lambda connection: set(connection.scalars(sa.select(database.tables.alerts.c.id))))


def test_what_was_filled_is_removed_and_nothing_else(insert_rows: InsertRows) -> None:
    database = insert_rows(random_rows(seed=1))
    while database.run(lambda connection: refresh(connection, database.tables)):
        pass
    before = content(database)
    with pytest.raises(Conflict, match=r"predictions of people \(400\)"):
        storage.fill(database, NOW)
    assert content(database) == before
    added = storage.fill(database, NOW, mixed=True, days=5)
    after = content(database)
    assert len(after["predictions_feedback"]) == len(before["predictions_feedback"]) + added
    assert len(after["consents"]) > len(before["consents"])
    assert len(after["predictions_feedback_summary"]) > len(before["predictions_feedback_summary"])
    assert storage.remove(database) == added
    assert content(database) == before
    assert storage.remove(database) == 0


def test_alerts_that_were_made_from_it_are_removed(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    storage.fill(database, NOW, days=3)
    earlier, later = add_alert(database, NOW - DAY), add_alert(database, NOW + 32 * DAY)
    add_alert(database, NOW + timedelta(minutes=1))
    add_alert(database, NOW + 25 * DAY)
    storage.remove(database)
    assert alerts(database) == {earlier, later}


def test_the_same_seed_gives_the_same_history_which_replaces_the_first(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    first = storage.fill(database, NOW, days=3)
    stored = content(database)
    assert storage.fill(database, NOW, days=3) == first
    again = content(database)
    for table in ("predictions_feedback", "consents"):  # sums in roll-ups depend on the order in which rows are read
        assert again[table] == stored[table]
    second = storage.fill(database, NOW, days=2, seed=1)
    assert first > second > 200
    assert len(content(database)["predictions_feedback"]) == second


def test_the_history_has_feedback_comments_and_incidents(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    added = storage.fill(database, NOW)
    found = database.run(lambda c: statistics(c, database.tables.predictions, PredictionFilter(NOW - 60 * DAY, NOW)))
    assert found["total_predictions"] == added
    assert found["satisfaction"]["n"] > 3000
    assert found["consent_rate"] == pytest.approx(storage.CONSENT_SHARE, abs=0.03)
    assert len(found["model_versions"]) == 2
    assert any(point["user_comment"] for point in found["feedback"])
    incidents = storage.make_history(NOW, 60, 0).incidents
    [bad_days] = [incident for incident in incidents if incident.kind is IncidentKind.SLOW]
    worst = found["worst_days"]
    assert worst is not None
    for figure in (worst["latency"], worst["satisfaction"]):
        assert figure is not None
        assert bad_days.start.date() <= datetime.fromisoformat(figure["day"]).date() <= bad_days.end.date()


def test_the_figures_say_that_they_are_of_a_demonstration(insert_rows: InsertRows) -> None:
    database = insert_rows([row | {"timestamp": row["timestamp"].replace(year=2020)} for row in random_rows(seed=2)])

    def is_marked(start: datetime | None = None, end: datetime | None = None) -> bool:
        found = database.run(lambda c: statistics(c, database.tables.predictions, PredictionFilter(start, end)))
        return found["demonstration"]

    assert not is_marked()
    storage.fill(database, NOW, mixed=True, days=3)
    assert is_marked()
    assert is_marked(start=NOW - DAY)
    assert not is_marked(end=NOW - 4 * DAY)
    storage.remove(database)
    assert not is_marked()


def test_the_mark_survives_migrations(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    added = storage.fill(database, NOW, days=3)
    for revision in ("0005", "head"):
        setup.migrate(database, revision)
    assert storage.remove(database) == added


def test_no_record_of_a_person_carries_the_mark(
    make_record: Callable[..., tuple[PredictionRecord, str | None]],
) -> None:
    record, _ = make_record(AGREES)
    failure = PredictionRecord.of_failure(InvalidImage("damaged"), "1.2")
    assert record.decision
    for identifier in (record.id, failure.id, record.decision.id):
        assert not FIRST <= identifier <= LAST
    assert (demo_id(0), demo_id(2**DEMO_ID_BITS - 1)) == (FIRST, LAST)
    assert (demo_id(1).version, demo_id(1).variant) == (8, "specified in RFC 4122")
