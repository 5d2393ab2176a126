"""The migrations: up and down on a filled database, and two processes at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import RowMapping
from uuid_utils.compat import uuid7

from catsdogs.database import Database, roll_ups, setup
from catsdogs.database.engine import MAINTENANCE_DATABASE
from catsdogs.domain import Answer, Consent, TrueLabel, contradict
from catsdogs.errors import DatabaseError, RecordRefused
from catsdogs.monitoring import kpis
from catsdogs.records import consent_changes, predictions
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.consents import hash_receipt
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.rows import NOW, make_row
from tests.storage import Storage
from tests.waiting import until


def constraints(connection: sa.Connection) -> set[tuple[str, str, str]]:
    query = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 'catsdogs_version'::regclass"""
    return {(row[0], row[1], row[2]) for row in connection.execute(sa.text(query))}


def indexes(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")))


@pytest.fixture
def filled(connected: Database, make_record: Callable[..., tuple[PredictionRecord, str]]) -> Database:
    records = [make_record(consent)[0] for consent in (Consent(), Consent(True), Consent(True, True))]
    connected.run(lambda connection: predictions.store(connection, connected.tables, records))
    reviewed = sa.update(connected.tables.photos).values(review="cat", reviewed_at=sa.func.now())
    connected.run(lambda connection: connection.execute(reviewed))
    return connected


def test_migrated_tables_are_those_the_code_describes(connected: Database) -> None:
    metadata = connected.tables.metadata
    options = {"version_table": setup.VERSION_TABLE, "compare_server_default": True}
    differences = connected.run(
        lambda connection: compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    )
    assert differences == []

    # Alembic does not compare CHECK constraints.
    migrated = connected.run(constraints), connected.run(indexes)
    connected.run(metadata.drop_all)
    connected.run(metadata.create_all)
    assert (connected.run(constraints), connected.run(indexes)) == migrated


def test_downgrade_and_upgrade_of_a_filled_database(filled: Database) -> None:
    latest = setup.check(filled).latest
    assert setup.migrate(filled, "base") == (latest, None)
    report = setup.check(filled)
    assert not report.ready
    assert not any(report.tables.values())

    assert setup.migrate(filled) == (None, latest)
    assert setup.check(filled).ready


def test_each_downgrade_and_upgrade_keeps_the_rows(filled: Database) -> None:
    def content() -> list[tuple[object, ...]]:
        tables = filled.tables
        queries = (
            sa.select(tables.predictions).order_by(tables.predictions.c.id),
            sa.select(tables.consents.c.id, tables.consents.c.receipt_hash).order_by(tables.consents.c.id),
            sa.select(tables.photos.c.prediction_id, tables.photos.c.jpeg),
        )
        return filled.run(lambda connection: [tuple(row) for query in queries for row in connection.execute(query)])

    before, latest = content(), setup.check(filled).latest
    assert len(before) == 3 + 2 + 1
    for number in range(int(latest) - 1, 0, -1):
        setup.migrate(filled, f"{number:04}")
        assert content() == before
    assert setup.migrate(filled) == ("0001", latest)
    assert content() == before
    how = filled.run(lambda connection: connection.scalars(sa.select(filled.tables.consents.c.how)).all())
    assert how == ["unknown", "unknown"]
    photos = filled.tables.photos.c
    review = filled.run(lambda connection: connection.execute(sa.select(photos.review, photos.reviewed_at)))
    assert review.all() == [(None, None)]


def test_alerts_keep_their_last_value_and_fit_both_versions(connected: Database) -> None:
    def execute(statement: str) -> list[tuple[object, ...]]:
        return connected.run(lambda connection: [tuple(row) for row in connection.execute(sa.text(statement))])

    setup.migrate(connected, "0008")
    columns = "id, rule, since, fired_at, clear_since, resolved_at, seen_at, value, n"
    moment = f"'{NOW.isoformat()}'"
    execute(
        f"""INSERT INTO alerts ({columns}) VALUES
        ('{uuid7()}', 'open', {moment}, {moment}, {moment}, NULL, {moment}, 0.5, 20),
        ('{uuid7()}', 'pending', {moment}, NULL, NULL, NULL, {moment}, 0.25, 10),
        ('{uuid7()}', 'over', {moment}, {moment}, {moment}, {moment}, {moment}, 0.75, 30) RETURNING id"""
    )
    kept = "SELECT rule, since, fired_at, resolved_at, seen_at, value, n FROM alerts ORDER BY rule"
    before = execute(kept)
    setup.migrate(connected)
    values = "SELECT rule, measured_at, v.value, v.n FROM alerts JOIN alert_values v ON alert_id = id ORDER BY rule"
    assert execute(values) == [("open", NOW, 0.5, 20), ("over", NOW, 0.75, 30), ("pending", NOW, 0.25, 10)]
    assert execute(kept) == before
    assert execute("SELECT DISTINCT measure, severity, a.limit_value, v.limit_value FROM alerts a, alert_values v") == [
        (None, None, None, None)
    ]
    setup.migrate(connected, "0009")
    assert execute(values) == [("open", NOW, 0.5, 20), ("over", NOW, 0.75, 30), ("pending", NOW, 0.25, 10)]
    setup.migrate(connected, "0008")
    assert execute(kept) == before
    assert execute("SELECT DISTINCT clear_since FROM alerts") == [(None,)]
    setup.migrate(connected)


def test_a_label_that_the_rating_contradicts_is_cleared(connected: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Version 1.0 stored such rows for people who changed their mind; their rating was the last word."""
    answers, labels = [*map(str, Answer)], [None, *map(str, TrueLabel)]
    rows = [
        make_row(prediction_result=answer, user_feedback=rating) | {"true_label": label, "feedback_at": NOW}
        for answer, rating, label in product(answers, (None, 0, 1), labels)
    ]
    for row in rows:
        row["id"] = uuid7()
    table = connected.tables.predictions
    setup.migrate(connected, "0006")
    connected.run(lambda connection: connection.execute(sa.insert(table), rows))

    def content() -> dict[UUID, RowMapping]:
        found = connected.run(lambda connection: connection.execute(sa.select(table)).mappings().all())
        return {row["id"]: row for row in found}

    def ratings() -> list[tuple[int, int]]:
        connected.run(lambda connection: roll_ups.refresh(connection, connected.tables))
        stale, summary = connected.tables.stale_hours, connected.tables.roll_ups.c
        assert connected.run(lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(stale))) == 0
        query = sa.select(summary.satisfied, summary.unsatisfied).order_by(*connected.tables.roll_ups.primary_key)
        return [(up, down) for up, down in connected.run(lambda connection: connection.execute(query).all())]

    before, counted = content(), ratings()
    setup.migrate(connected)
    wrong = {
        row["id"]
        for row in rows
        if contradict(
            Answer(row["prediction_result"]), row["user_feedback"], row["true_label"] and TrueLabel(row["true_label"])
        )
    }
    assert len(wrong) == 10
    assert "cleared the labels of 10 predictions" in caplog.text
    assert content() == {
        key: {**row, "true_label": None if key in wrong else row["true_label"]} for key, row in before.items()
    }
    assert ratings() == counted
    assert sum(map(sum, counted)) == 2 * len([row for row in rows if row["user_feedback"] is not None]), "hour and day"
    setup.migrate(connected, "0006")
    assert len(content()) == len(rows)


def test_moments_and_figures_out_of_all_bounds_are_corrected(
    filled: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """As the table of V2 brought them; with the triggers of the roll-ups, which note the hours that they leave."""
    setup.migrate(filled, "0007")
    tables, far = filled.tables, "9999-12-31 23:59:59.999999+00"
    changes: list[tuple[str, dict[str, object]]] = [
        (f"\"timestamp\" = '{far}'", {}),
        (f"\"timestamp\" = '{far}', created_at = '{far}', feedback_at = '{far}', user_feedback = 1", {}),
        ("\"timestamp\" = '0001-01-01 00:00+00'", {}),
        ("created_at = '0001-01-01 00:00+00'", {"timestamp": NOW}),
        ("inference_time_ms = 1e300", {"inference_time_ms": 86_400_000.0, "timestamp": NOW}),
        ("sharpness = 'NaN'", {"sharpness": None, "timestamp": NOW}),
        ("sharpness = 'Infinity'", {"sharpness": None, "timestamp": NOW}),
        ("sharpness = sharpness", {"timestamp": NOW}),
    ]
    rows = [make_row() | {"id": uuid7(), "timestamp": NOW} for _ in changes]
    filled.run(lambda connection: connection.execute(sa.insert(tables.predictions), rows))
    for row, (change, _) in zip(rows, changes, strict=True):
        statement = sa.text(f"UPDATE predictions_feedback SET {change} WHERE id = :id")
        filled.run(lambda connection, text=statement, key=row["id"]: connection.execute(text, {"id": key}))  # type: ignore[misc]
    filled.run(lambda connection: connection.execute(sa.text(f"UPDATE consents SET decided_at = '{far}'")))
    summary = f"""INSERT INTO predictions_feedback_summary (hours, start, model_version, prediction_result, predictions,
        consents, satisfied, unsatisfied) VALUES (24, '{far}', '', 'cat', 1, 0, 0, 0)"""
    filled.run(lambda connection: connection.execute(sa.text(summary)))

    setup.migrate(filled)
    assert "corrected 7 predictions" in caplog.text
    assert "corrected 2 rows of consents" in caplog.text
    found = filled.run(lambda c: {row["id"]: row for row in c.execute(sa.select(tables.predictions)).mappings()})
    assert len(found) == 3 + len(rows)
    for row, (_, expected) in zip(rows, changes, strict=True):
        assert dict(found[row["id"]]) | expected == dict(found[row["id"]])
        assert found[row["id"]]["timestamp"] <= datetime.now(UTC)
    for table in (tables.stale_hours, tables.roll_ups):
        latest = filled.run(lambda c, t=table: c.scalar(sa.select(sa.func.max(t.c.start))))  # type: ignore[misc]
        assert latest is None or latest <= datetime.now(UTC)
    figures = filled.run(lambda connection: kpis.statistics(connection, tables.predictions))
    assert figures["total_predictions"] == len(found)
    setup.migrate(filled, "0007")
    setup.migrate(filled)
    assert len(filled.run(lambda c: c.scalars(sa.select(tables.predictions.c.id)).all())) == len(found)


@pytest.mark.parametrize(
    "change",
    [
        *(
            f"{column} = '{moment}'"
            for column in ('"timestamp"', "created_at", "feedback_at")
            for moment in ("9999-01-01", "0001-01-01", "infinity", "2100-01-01")
        ),
        *(f"inference_time_ms = '{value}'" for value in ("NaN", "Infinity", "-1", "86400001")),
        *(f"sharpness = '{value}'" for value in ("NaN", "Infinity", "-1")),
        *(
            f"{column} = '{value}'"
            for column in ("proba_cat", "neither_score", "brightness")
            for value in ("NaN", "Infinity", "-0.1", "1.1")
        ),
    ],
)
def test_the_tables_refuse_what_is_out_of_all_bounds(filled: Database, change: str) -> None:
    with pytest.raises(RecordRefused):
        filled.run(lambda connection: connection.execute(sa.text(f"UPDATE predictions_feedback SET {change}")))


def test_a_downgrade_keeps_the_decision_that_counts(
    filled: Database, make_record: Callable[..., tuple[PredictionRecord, str]], cat_jpeg: bytes
) -> None:
    record, receipt = make_record(Consent(True))
    filled.run(lambda connection: predictions.store(connection, filled.tables, [record]))
    change = ConsentChange.create(record.id, Consent(photo=True), filename=None, photo=cat_jpeg, receipt=receipt)
    filled.run(lambda connection: consent_changes.apply(connection, filled.tables, change))
    consents = filled.tables.consents.c
    mine = sa.select(consents.id).where(consents.receipt_hash == hash_receipt(receipt))
    assert change.decision
    assert record.decision
    assert set(filled.run(lambda c: c.scalars(mine).all())) == {record.decision.id, change.decision.id}
    setup.migrate(filled, "0005")
    assert filled.run(lambda c: c.scalars(mine).all()) == [change.decision.id]
    setup.migrate(filled)
    photos = sa.select(filled.tables.photos.c.consent_id).where(filled.tables.photos.c.prediction_id == record.id)
    assert filled.run(lambda c: c.scalars(photos).all()) == [change.decision.id]


def test_a_migration_that_waits_says_so(
    filled: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    setup.migrate(filled, "0007")
    monkeypatch.setattr(setup, "SLOW_SECONDS", 0.2)
    with ThreadPoolExecutor(1) as threads:
        with filled.engine.begin() as connection:
            connection.execute(sa.text("LOCK TABLE predictions_feedback"))
            migration = threads.submit(setup.migrate, filled)
            until(lambda: "still being migrated" in caplog.text)
        assert migration.result()[0] == "0007"


def test_migrating_again_changes_nothing(filled: Database) -> None:
    latest = setup.check(filled).latest
    assert setup.migrate(filled) == (latest, latest)
    count = sa.select(sa.func.count()).select_from(filled.tables.predictions)
    assert filled.run(lambda connection: connection.scalar(count)) == 3


def test_the_table_takes_its_name_from_the_settings(fresh: Settings) -> None:
    longest = "a" * 48
    named = Database(fresh.model_copy(update={"db_table_monitoring": longest}))
    setup.ensure(named)
    assert setup.check(named).tables[longest]
    named.close()


def test_processes_that_set_up_at_once_wait_for_each_other(fresh: Settings, environment: dict[str, str]) -> None:
    program = "from catsdogs.database import Database, setup; from catsdogs.settings import Settings;"
    program += "setup.ensure(Database(Settings.load()))"
    command = [sys.executable, "-c", program]
    processes = [
        subprocess.Popen(command, env=environment | {"DB_NAME": fresh.db_name}, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    failures = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, failures

    opened = Database(fresh)
    assert setup.check(opened).ready
    opened.close()


def test_tables_of_a_newer_version_are_not_changed(connected: Database) -> None:
    connected.run(lambda connection: connection.execute(sa.text("UPDATE catsdogs_version SET version_num = '9999'")))
    with pytest.raises(DatabaseError, match="newer than this catsdogs"):
        setup.migrate(connected)


def test_an_older_replica_continues_and_can_be_restarted(
    connected: Database, make_record: Callable[..., tuple[PredictionRecord, str]], caplog: pytest.LogCaptureFixture
) -> None:
    table = connected.tables.predictions.name
    for statement in (
        f'ALTER TABLE "{table}" ADD COLUMN of_the_future text',
        f'ALTER TABLE "{table}" ADD COLUMN another integer NOT NULL DEFAULT 0',
        "UPDATE catsdogs_version SET version_num = '9999'",
    ):
        with connected.engine.begin() as connection:
            connection.execute(sa.text(statement))
    older = Storage.open(connected.settings)
    assert older.writer.store_prediction(make_record(Consent(True, True))[0]) is True
    assert "newer than this catsdogs" in caplog.text
    older.close()


def test_rows_of_an_older_version_fit_every_later_one(filled: Database) -> None:
    tables = filled.tables.metadata.sorted_tables
    rows = filled.run(lambda c: {t.name: [dict(row) for row in c.execute(t.select()).mappings()] for t in tables})
    revisions = sorted(script.revision for script in setup._scripts().walk_revisions())[1:]  # 0001 had no replicas
    setup.migrate(filled, revisions[0])
    first = sa.MetaData()
    filled.run(first.reflect)
    for revision in revisions:
        setup.migrate(filled, revision)

        def write(connection: sa.Connection) -> list[int]:
            written = [table for table in first.sorted_tables if rows.get(table.name)]
            for table in reversed(written):
                connection.execute(table.delete())
            for table in written:
                known = [{column.name: row[column.name] for column in table.columns} for row in rows[table.name]]
                connection.execute(table.insert(), known)
            return [len(rows[table.name]) for table in written]

        assert filled.run(write) == [2, 3, 1], revision


def test_a_database_in_another_encoding_is_refused(fresh: Settings) -> None:
    maintenance = Database(fresh.model_copy(update={"db_name": MAINTENANCE_DATABASE}))
    with maintenance.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        latin1 = "ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
        connection.execute(sa.text(f'CREATE DATABASE "{fresh.db_name}" {latin1}'))
    maintenance.close()
    latin = Database(fresh)
    for step in (setup.check, setup.migrate):
        with pytest.raises(DatabaseError, match="is in LATIN1, not in UTF-8"):
            step(latin)
    latin.close()


def test_the_error_without_the_right_to_create_databases_says_what_to_do(fresh: Settings) -> None:
    administrator = Database(fresh.model_copy(update={"db_name": MAINTENANCE_DATABASE}))
    role = f"role_{fresh.db_name}"
    administrator.run(lambda connection: connection.execute(sa.text(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")))
    plain = Database(fresh.model_copy(update={"db_user": role, "db_pwd": SecretStr("x")}))
    with pytest.raises(DatabaseError, match=f"{role} may not create databases"):
        setup.create(plain)
    administrator.run(lambda connection: connection.execute(sa.text(f"DROP ROLE {role}")))
    administrator.close()


def test_without_the_right_to_create_tables_the_error_names_the_grant(
    database: Settings, administration: sa.Connection
) -> None:
    name, role = f"{database.db_name}_empty", f"role_{database.db_name}"
    administration.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    administration.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    owner = Database(database.model_copy(update={"db_name": name}))
    plain = Database(database.model_copy(update={"db_name": name, "db_user": role, "db_pwd": SecretStr("x")}))
    try:
        with pytest.raises(DatabaseError, match=f"GRANT CREATE ON SCHEMA public TO {role};") as caught:
            setup.ensure(plain)
        grant = str(caught.value).partition("GRANT")[2]
        owner.run(lambda connection: connection.execute(sa.text(f"GRANT{grant}")))
        setup.ensure(plain)
        assert setup.check(plain).ready
    finally:
        plain.close()
        owner.close()
        administration.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        administration.exec_driver_sql(f"DROP ROLE {role}")
