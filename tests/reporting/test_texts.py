"""The sentences of a report."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from catsdogs.i18n import Translator
from catsdogs.monitoring import kpis
from catsdogs.reporting.texts import key_figures, period_title
from tests.rows import NOW, InsertRows, Row, make_row

_ = Translator("en")


def sentences(insert_rows: InsertRows, rows: list[Row]) -> list[str]:
    database = insert_rows(rows)
    table = database.tables.predictions
    return key_figures(database.run(lambda connection: kpis.statistics(connection, table)), _)


def test_the_key_figures_are_given_in_sentences(insert_rows: InsertRows) -> None:
    hour = timedelta(hours=1)
    rows = [make_row(NOW - hour * n, inference_time_ms=time) for n, time in enumerate((2.0, 4.0, 9.0), 1)]
    rows[0]["user_feedback"], rows[1]["user_feedback"] = 1, 0
    for row in rows[:2]:
        row["feedback_at"] = NOW
    rows.append(make_row(NOW - hour * 4, prediction_result="error"))
    assert sentences(insert_rows, rows) == [
        "4 photos were sent. 1 of them could not be read (25.0%).",
        "An answer took 5.0 ms on average, from 2.0 ms to 9.0 ms.",
        "Of those who said whether the answer was right, 50.0% were satisfied: 1 of 2 (95% interval: 9.5% to 90.5%).",
        "With consent to keep file name and comment: 0%.",
    ]


def test_figures_without_data_are_left_out_or_marked_as_missing(insert_rows: InsertRows) -> None:
    assert sentences(insert_rows, []) == ["Nobody sent a photo in this period."]
    [sent, *rest] = sentences(insert_rows, [make_row(NOW - timedelta(hours=1), prediction_result="error")])
    assert sent == "1 photo was sent. 1 of them could not be read (100%)."
    assert "Nobody said whether an answer was right." in rest
    assert not any("ms" in sentence for sentence in rest)


@pytest.mark.parametrize(
    ("start", "end", "title"),
    [
        ("2026-03-18", "2026-03-19", "March 18, 2026"),
        ("2026-03-18", "2026-03-25", "From March 18, 2026 to March 24, 2026"),
        ("2026-03-18T10:00", "2026-03-18T12:30", "From March 18, 2026, 10:00 AM to March 18, 2026, 12:30 PM"),
        ("2026-03-18T10:00", "2026-03-19", "From March 18, 2026, 10:00 AM to March 19, 2026, 12:00 AM"),
    ],
)
def test_the_title_names_the_first_and_the_last_day(start: str, end: str, title: str) -> None:
    made = period_title(datetime.fromisoformat(start), datetime.fromisoformat(end), _)
    assert made.replace("\u202f", " ") == title
