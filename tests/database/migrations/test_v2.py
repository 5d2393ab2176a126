"""The table of the V2 project is migrated without losing a row, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.database import Database, setup
from catsdogs.errors import DatabaseError
from catsdogs.settings import Settings

V2_TABLE = """CREATE TABLE predictions_feedback (
    id SERIAL PRIMARY KEY, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, created_at TIMESTAMP DEFAULT now(),
    inference_time_ms INTEGER, success BOOLEAN, prediction_result VARCHAR(10),
    proba_cat DECIMAL(5,2), proba_dog DECIMAL(5,2), rgpd_consent BOOLEAN NOT NULL DEFAULT false,
    filename VARCHAR(400), user_feedback {feedback}, user_comment TEXT)"""
MOMENT = datetime(2025, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
ROW: dict[str, Any] = {
    "timestamp": MOMENT.replace(tzinfo=None),
    "created_at": MOMENT.replace(tzinfo=None),
    "inference_time_ms": 47,
    "success": True,
    "prediction_result": "Cat",
    "proba_cat": 97.12,
    "proba_dog": 2.88,
    "rgpd_consent": False,
    "filename": None,
    "user_feedback": None,
    "user_comment": None,
}

Fill = Callable[..., Database]


@pytest.fixture
def fill(fresh: Settings) -> Iterator[Fill]:
    """Create a V2 database with `rows`, each given by its difference to `ROW`."""
    database = Database(fresh)
    setup.create(database)

    def fill(*rows: dict[str, Any], feedback: str = "INTEGER", table: str = V2_TABLE) -> Database:
        def work(connection: sa.Connection) -> None:
            connection.execute(sa.text(table.format(feedback=feedback)))
            connection.execute(
                sa.text("CREATE INDEX predictions_feedback_timestamp ON predictions_feedback (timestamp)")
            )
            names = sa.inspect(connection).get_columns("predictions_feedback")
            known = ROW.keys() & {column["name"] for column in names}
            insert = f"INSERT INTO predictions_feedback ({', '.join(known)}) VALUES (:{', :'.join(known)})"
            for row in rows:
                connection.execute(sa.text(insert), {name: (ROW | row)[name] for name in known})

        database.run(work)
        return database

    yield fill
    database.close()


def query(database: Database, statement: str) -> list[dict[str, Any]]:
    return database.run(lambda connection: [dict(row) for row in connection.execute(sa.text(statement)).mappings()])


def taken(database: Database) -> list[dict[str, Any]]:
    """Migrate; return the migrated rows, in V2's order."""
    setup.migrate(database)
    assert setup.check(database).ready
    return query(
        database,
        "SELECT ours.*, v2.id AS v2_id FROM predictions_feedback ours "
        "JOIN predictions_feedback_v2 v2 ON v2.catsdogs_id = ours.id ORDER BY v2.id",
    )


def test_a_row_is_copied_unchanged(fill: Fill) -> None:
    [row] = taken(fill(ROW))
    assert row["timestamp"] == row["created_at"] == MOMENT
    assert (row["success"], row["prediction_result"], row["inference_time_ms"]) == (True, "cat", 47)
    assert row["proba_cat"] == pytest.approx(0.9712)
    assert row["proba_dog"] == pytest.approx(0.0288)
    assert (row["error_type"], row["model_version"], row["user_feedback"], row["feedback_at"]) == (None,) * 4


def test_identifiers_are_made_from_the_time_and_cannot_be_guessed(fill: Fill) -> None:
    first, second = taken(fill(ROW, ROW))
    for row in (first, second):
        assert row["id"].version == 7
        assert row["id"].variant == "specified in RFC 4122"
        assert row["id"].int >> 80 == int(MOMENT.timestamp() * 1000)
    assert bin((first["id"].int ^ second["id"].int) & (2**62 - 1)).count("1") > 10


def test_probabilities_are_shares_whatever_they_were(fill: Fill) -> None:
    shares = {(97.12, 2.88): 0.9712, (0.9, 0.1): 0.9, (100, 0): 1, (0, 1): 0, (None, 0.25): 0.75, (1, None): 1}
    shares[33, 66] = 1 / 3
    rows = taken(fill(*({"proba_cat": cat, "proba_dog": dog} for cat, dog in shares)))
    assert [row["proba_cat"] for row in rows] == pytest.approx(list(shares.values()))
    assert [row["proba_cat"] + row["proba_dog"] for row in rows] == pytest.approx([1] * len(shares))


def test_rows_that_violate_our_constraints_are_adapted(fill: Fill) -> None:
    adapted: list[tuple[dict[str, Any], str, str | None]] = [
        ({"prediction_result": "DOG"}, "dog", None),
        ({"prediction_result": " dog "}, "dog", None),
        ({"prediction_result": "Chat"}, "cat", None),  # decided by the probabilities
        ({"prediction_result": None}, "cat", None),
        ({"success": False}, "error", "LegacyError"),
        ({"success": None}, "error", "LegacyError"),
        ({"success": False, "prediction_result": None, "proba_cat": None, "proba_dog": None}, "error", "LegacyError"),
        ({"proba_cat": None, "proba_dog": None}, "error", "LegacyIncomplete"),
        ({"proba_cat": 0, "proba_dog": 0}, "error", "LegacyIncomplete"),
        ({"proba_cat": -3, "proba_dog": 103}, "error", "LegacyIncomplete"),
        ({"inference_time_ms": None}, "error", "LegacyIncomplete"),
        ({"inference_time_ms": -1}, "error", "LegacyIncomplete"),
        (ROW, "cat", None),
    ]
    rows = taken(fill(*(change for change, _, _ in adapted)))
    for row, (change, answer, error_type) in zip(rows, adapted, strict=True):
        assert (row["prediction_result"], row["error_type"]) == (answer, error_type), change
        assert row["success"] is (error_type is None), change


@pytest.mark.parametrize(
    ("timestamp", "created_at", "moment"),
    [
        (None, "2025-01-02 03:04:05", "2025-01-02T03:04:05+00:00"),
        ("infinity", "2025-01-02 03:04:05", "2025-01-02T03:04:05+00:00"),
        ("2025-01-02 03:04:05", None, "2025-01-02T03:04:05+00:00"),
    ],
)
def test_a_missing_time_is_replaced_by_the_other(
    fill: Fill, timestamp: str | None, created_at: str | None, moment: str
) -> None:
    [row] = taken(fill({"timestamp": timestamp, "created_at": created_at}))
    assert row["timestamp"] == datetime.fromisoformat(moment)


@pytest.mark.parametrize(("kind", "satisfied", "not_satisfied"), [("INTEGER", 1, 0), ("BOOLEAN", True, False)])
def test_ratings_are_taken_from_numbers_and_booleans(
    fill: Fill, kind: str, satisfied: object, not_satisfied: object
) -> None:
    rows = taken(fill({"user_feedback": satisfied}, {"user_feedback": not_satisfied}, ROW, feedback=kind))
    assert [row["user_feedback"] for row in rows] == [1, 0, None]
    assert [row["feedback_at"] for row in rows] == [MOMENT, MOMENT, None]


def test_an_invalid_rating_is_dropped(fill: Fill) -> None:
    assert [row["user_feedback"] for row in taken(fill({"user_feedback": 5}, {"user_feedback": -1}))] == [None, None]


def test_personal_data_is_copied_with_consent_and_removed_without(fill: Fill) -> None:
    personal = {"filename": "holiday.jpg", "user_comment": " a comment "}
    database = fill(personal, personal | {"rgpd_consent": True}, {"rgpd_consent": True})
    refused, agreed, nothing = taken(database)
    assert (refused["filename"], refused["user_comment"], refused["rgpd_consent"]) == (None, None, False)
    assert (agreed["filename"], agreed["user_comment"], agreed["rgpd_consent"]) == ("holiday.jpg", "a comment", True)
    assert (nothing["consent_id"], nothing["rgpd_consent"]) == (None, True)
    [consent] = query(database, "SELECT * FROM consents")
    assert (consent["filename_and_comment"], consent["photo"], consent["text_version"]) == (True, False, "v2")
    assert (consent["decided_at"], consent["how"]) == (MOMENT, "unknown")
    assert query(database, "SELECT DISTINCT filename, user_comment FROM predictions_feedback_v2") == [
        {"filename": None, "user_comment": None}
    ]


def test_texts_are_cut_to_our_lengths(fill: Fill) -> None:
    texts = {"rgpd_consent": True, "filename": "C:\\x\\y/" + "n" * 300, "user_comment": "é" * 3000}
    empty = {"rgpd_consent": True, "filename": "folder/", "user_comment": " \n"}
    long, none = taken(fill(texts, empty))
    assert (long["filename"], long["user_comment"]) == ("n" * 255, "é" * 1000)
    assert (none["filename"], none["user_comment"], none["consent_id"]) == (None, None, None)


def test_a_large_table_is_copied_completely_and_restored(fill: Fill) -> None:
    rows = [
        {
            "prediction_result": "Cat" if number % 2 else "dog",
            "proba_cat": number % 101,
            "proba_dog": 100 - number % 101,
            "rgpd_consent": number % 3 == 0,
            "filename": f"{number}.jpg" if number % 3 == 0 else None,
            "user_feedback": number % 2 if number % 5 == 0 else None,
            "user_comment": f"comment {number}" if number % 6 == 0 else None,
            "success": number % 50 != 0,
        }
        for number in range(1000)
    ]
    database = fill(*rows)
    before = query(database, "SELECT * FROM predictions_feedback ORDER BY id")
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    had_indexes = query(database, indexes)
    assert len(taken(database)) == 1000
    assert query(database, "SELECT count(*) FROM predictions_feedback WHERE success")[0]["count"] == 980

    setup.migrate(database, "base")
    assert query(database, "SELECT * FROM predictions_feedback ORDER BY id") == before
    assert [row for row in query(database, indexes) if "version" not in row["indexname"]] == had_indexes
    assert len(taken(database)) == 1000


def test_a_table_with_other_types_and_fewer_columns_is_copied(fill: Fill) -> None:
    table = """CREATE TABLE predictions_feedback (id BIGSERIAL PRIMARY KEY, timestamp TIMESTAMPTZ,
        inference_time_ms DOUBLE PRECISION, success BOOLEAN, prediction_result TEXT, proba_cat TEXT, proba_dog REAL,
        rgpd_consent INTEGER)"""
    [row] = taken(fill({"rgpd_consent": 1, "proba_cat": "97.12%", "inference_time_ms": 1.5e-3}, table=table))
    assert row["proba_cat"] == pytest.approx(0.9712)
    assert (row["rgpd_consent"], row["inference_time_ms"]) == (True, 0.0015)


def test_nan_is_not_copied(fill: Fill) -> None:
    table = V2_TABLE.replace("DECIMAL(5,2)", "DOUBLE PRECISION")
    nan, infinite = float("nan"), float("inf")
    derived, neither = taken(fill({"proba_cat": nan}, {"proba_cat": nan, "proba_dog": infinite}, table=table))
    assert derived["proba_dog"] == pytest.approx(0.0288)
    assert neither["error_type"] == "LegacyIncomplete"


EXTREME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"timestamp": "9999-12-31 23:59:59.999999"}, {"timestamp": MOMENT}),
    ({"timestamp": "0001-01-01"}, {"timestamp": MOMENT}),
    ({"timestamp": "294276-12-31"}, {"timestamp": MOMENT}),
    ({"timestamp": "-infinity"}, {"timestamp": MOMENT}),
    ({"created_at": "9999-01-01"}, {"created_at": MOMENT}),
    ({"inference_time_ms": float("nan")}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": float("inf")}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": -5.0}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": 1e300}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": 86_400_001.0}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": 5e-324}, {"error_type": "LegacyIncomplete"}),
    ({"inference_time_ms": 1e-200}, {"inference_time_ms": 1e-200}),
    ({"inference_time_ms": 86_400_000.0}, {"inference_time_ms": 86_400_000.0}),
    ({"proba_cat": 250.0, "proba_dog": 30.0}, {"error_type": "LegacyIncomplete"}),
    ({"proba_cat": 1.2, "proba_dog": 0.1}, {"error_type": "LegacyIncomplete"}),
    ({"proba_cat": 1e300, "proba_dog": 1e300}, {"error_type": "LegacyIncomplete"}),
    ({"proba_cat": None, "proba_dog": 7e9}, {"error_type": "LegacyIncomplete"}),
    ({"proba_cat": 1e-120, "proba_dog": 1.0}, {"proba_cat": pytest.approx(0)}),
]


def test_what_is_out_of_all_bounds_is_left_out_and_changes_no_other_row(fill: Fill) -> None:
    table = V2_TABLE.replace("DECIMAL(5,2)", "DOUBLE PRECISION").replace(
        "INTEGER, success", "DOUBLE PRECISION, success"
    )
    single = {"proba_cat": 90.0, "proba_dog": None}
    rows = taken(fill(*(change for change, _ in EXTREME), single, table=table))
    for row, (_, expected) in zip(rows, [*EXTREME, (single, {"proba_cat": pytest.approx(0.9)})], strict=True):
        assert row | expected == row
        assert row["error_type"] == expected.get("error_type")


def test_a_table_that_is_not_of_v2_is_not_changed(fill: Fill) -> None:
    table = "CREATE TABLE predictions_feedback (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), timestamp TIMESTAMP)"
    database = fill(ROW, table=table)
    with pytest.raises(DatabaseError, match="already exists"):
        setup.migrate(database)
    assert len(query(database, "SELECT timestamp FROM predictions_feedback")) == 1


def test_an_interrupted_migration_changes_nothing(fill: Fill) -> None:
    database = fill({"rgpd_consent": True, "filename": "a.jpg"})
    query_before = query(database, "SELECT * FROM predictions_feedback")
    database.run(lambda connection: connection.execute(sa.text("CREATE TABLE photos (x int)")))
    with pytest.raises(DatabaseError):
        setup.migrate(database)
    assert query(database, "SELECT * FROM predictions_feedback") == query_before
