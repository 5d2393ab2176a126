"""Lists of single predictions, and the token that says whether anything was recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.monitoring import listings
from catsdogs.monitoring.figures import RecentPrediction
from tests.monitoring.queries import recent_predictions, statistics
from tests.rows import NOW, InsertRows, Row, confidence, make_row, random_rows


def listed(row: Row) -> dict[str, Any]:
    """A row as a list of predictions has it."""
    computed = {"id": str(row["id"]), "timestamp": row["timestamp"].isoformat(), "true_label": None}
    sure = confidence(row) if row["success"] else None
    return {name: row.get(name) for name in RecentPrediction.__annotations__} | computed | {"confidence": sure}


def test_recent_predictions_are_the_newest_first(insert_rows: InsertRows) -> None:
    rows = random_rows(5, n=40)
    newest = sorted(rows, key=lambda row: row["timestamp"], reverse=True)
    wanted = [listed(row) for row in newest]
    database = insert_rows(rows)
    assert recent_predictions(database) == wanted[:10]
    assert recent_predictions(database, 1) == wanted[:1]
    assert recent_predictions(database, 1000) == wanted


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(insert_rows: InsertRows, limit: int) -> None:
    with pytest.raises(InvalidInput, match="a whole number from 1 to 1000"):
        recent_predictions(insert_rows([]), limit)


def test_predictions_of_low_confidence_and_disputed_ones_are_listed(insert_rows: InsertRows) -> None:
    rows = random_rows(6, n=60)
    database = insert_rows(rows)
    answered = sorted((row for row in rows if row["success"]), key=confidence)
    assert recent_predictions(database, 20, listing="least_sure") == [listed(row) for row in answered[:20]]
    newest = sorted(rows, key=lambda row: row["timestamp"], reverse=True)
    wrong = [listed(row) for row in newest if row["user_feedback"] == 0]
    assert recent_predictions(database, 1000, listing="disputed") == wrong
    assert wrong
    with pytest.raises(InvalidInput, match="latest, least_sure or disputed"):
        recent_predictions(database, listing="first")


@pytest.mark.parametrize(
    "chosen", [{"model_version": "1.1"}, {"answer": "neither"}, {"start": NOW - timedelta(days=9)}]
)
def test_a_list_is_of_the_chosen_window_version_and_answer(insert_rows: InsertRows, chosen: dict[str, Any]) -> None:
    rows = random_rows(7, n=80)
    wanted = [
        listed(row)
        for row in sorted(rows, key=lambda row: row["timestamp"], reverse=True)
        if row["timestamp"] >= chosen.get("start", row["timestamp"])
        and row["model_version"] == chosen.get("model_version", row["model_version"])
        and row["prediction_result"] == chosen.get("answer", row["prediction_result"])
    ]
    assert 0 < len(wanted) < 80
    assert recent_predictions(insert_rows(rows), 1000, **chosen) == wanted


def test_low_confidence_is_looked_for_among_the_latest_predictions(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "LEAST_SURE_OF", 3)
    rows = [make_row(NOW + timedelta(seconds=n), proba_cat=0.9 - n / 100, proba_dog=0.1 + n / 100) for n in range(6)]
    assert recent_predictions(insert_rows(rows), listing="least_sure") == [listed(row) for row in reversed(rows[-3:])]


def test_a_label_that_contradicts_is_a_report_of_a_wrong_answer_without_a_rating_too(insert_rows: InsertRows) -> None:
    said = ["dog", "neither", "cat", "both", None]
    rows = [make_row(NOW - timedelta(minutes=n), true_label=label) for n, label in enumerate(said)]
    for row in rows:
        row["feedback_at"] = row["timestamp"]
    both = make_row(NOW - timedelta(hours=1), true_label="both", user_feedback=0)
    found = recent_predictions(insert_rows([*rows, both]), listing="disputed")
    assert [one["true_label"] for one in found] == ["dog", "neither", "both"]


@pytest.mark.parametrize("chosen", [{"answer": "dog"}, {"listing": "disputed"}], ids=str)
def test_an_old_prediction_is_found_however_many_follow(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]
) -> None:
    monkeypatch.setattr(listings, "LEAST_SURE_OF", 3)
    old = make_row(NOW, prediction_result="dog", proba_cat=0.1, proba_dog=0.9, user_feedback=0)
    since = [make_row(NOW + timedelta(seconds=n), user_feedback=1) for n in range(1, 7)]
    assert recent_predictions(insert_rows([old, *since]), **chosen) == [listed(old)]


def test_the_change_token_differs_exactly_when_something_was_recorded(insert_rows: InsertRows) -> None:
    database = insert_rows([make_row()])

    def token() -> str:
        return database.run(listings.change_token)

    def execute(statement: str) -> None:
        database.run(lambda c: c.exec_driver_sql(statement))

    before = token()
    statistics(database)
    assert token() == before  # other databases of this server are at rest
    tokens = {before}
    for change in (
        "UPDATE predictions_feedback SET user_feedback = 1, feedback_at = now()",
        "DELETE FROM predictions_feedback",
    ):
        execute(change)
        tokens.add(token())
    assert len(tokens) == 3


def test_the_change_token_differs_when_a_slow_writer_is_done(insert_rows: InsertRows) -> None:
    database = insert_rows([make_row()])
    with database.engine.begin() as slow:
        slow.exec_driver_sql("DELETE FROM predictions_feedback")
        while_it_writes = database.run(listings.change_token)
    assert database.run(listings.change_token) != while_it_writes
