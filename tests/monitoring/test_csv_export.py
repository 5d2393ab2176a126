"""The CSV file has the figures of the chart, and no formula for a spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export, listings
from catsdogs.monitoring.figures import Statistics
from tests.monitoring import queries
from tests.rows import NOW, InsertRows, make_row, random_rows

EN = Translator("en")
RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
HIDDEN = [
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    " =1",
    "\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "\u202e =1",
    "\u22121",
]
"""Texts that a spreadsheet may also read as a formula: with wide letters, or invisible characters first."""


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def shown(value: Any) -> str:
    return "" if value is None else str(value)


@pytest.fixture
def statistics(insert_rows: InsertRows) -> Statistics:
    database = insert_rows(random_rows(21))
    return queries.statistics(database, end=NOW)


def test_each_bucket_and_each_feedback_has_a_line(statistics: Statistics) -> None:
    assert read(csv_export.timeline(statistics, EN)) == [
        {name: shown(value) for name, value in bucket.items()} for bucket in statistics["timeline"]
    ]
    assert read(csv_export.feedback(statistics, EN)) == [
        {name: shown(value) for name, value in point.items()} for point in statistics["feedback"]
    ]


def test_a_french_file_is_as_a_french_spreadsheet_reads_it(statistics: Statistics) -> None:
    text = csv_export.timeline(statistics, Translator("fr"))
    lines = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    for line, bucket in zip(lines, statistics["timeline"], strict=True):
        assert f"{line['start'].replace(' ', 'T')}+00:00" == bucket["start"]
        assert line["mean"] == shown(bucket["mean"]).replace(".", ",")
        assert line["predictions"] == str(bucket["predictions"])


def test_a_list_has_the_columns_of_the_table_in_the_page_and_no_identifier(insert_rows: InsertRows) -> None:
    rows = [
        make_row(NOW, rgpd_consent=True, filename="mine.jpg", user_comment=text, user_feedback=0)
        for text in (*RISKY, "=cmd|' /C calc'!A0", 'fine, "really"\nfine')
    ]
    database = insert_rows(rows)
    found = read(
        csv_export.predictions(database.run(lambda c: listings.list_predictions(c, database.tables.predictions)), EN)
    )
    assert list(found[0]) == list(csv_export.PREDICTIONS)
    assert not {"id", "rgpd_consent"} & set(found[0])
    assert {line["user_comment"] for line in found} >= {"'=1+1", "'@SUM(A1)", 'fine, "really"\nfine'}
    assert {line["filename"] for line in found} == {"mine.jpg"}


@given(st.text() | st.sampled_from(RISKY + HIDDEN) | st.text("=+-@\uff1d\uff0b \u200b\ufeff\x00a1", min_size=1))
@example("\x0b=1")
def test_text_that_a_spreadsheet_would_run_is_escaped(text: str) -> None:
    row: Any = dict.fromkeys(csv_export.PREDICTIONS) | {"user_comment": text}
    [line] = list(csv.reader(io.StringIO(csv_export.predictions([row], EN), newline="")))[1:]
    cell = line[csv_export.PREDICTIONS.index("user_comment")]
    visible = "".join(
        c for c in unicodedata.normalize("NFKC", cell) if not c.isspace() and unicodedata.category(c)[0] != "C"
    )
    assert not visible.startswith(("=", "+", "-", "@", "\u2212"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert cell in {text, f"'{text}"}


@pytest.mark.parametrize("text", ["fine", "1 + 1 = 2", " fine", "\u200bfine", "a-b", "Ça va", ""])
def test_text_that_is_no_formula_is_unchanged(text: str) -> None:
    row: Any = dict.fromkeys(csv_export.PREDICTIONS) | {"user_comment": text}
    [line] = list(csv.reader(io.StringIO(csv_export.predictions([row], EN), newline="")))[1:]
    assert line[csv_export.PREDICTIONS.index("user_comment")] == text
