"""The figures of a view as CSV (RFC 4180) for a spreadsheet of the reader's language: times in UTC, nothing rounded.

Where the decimal separator is a comma, as in French, a semicolon separates the columns, as spreadsheets of such a
language expect, and times are written as such a spreadsheet reads them. The page adds the byte order mark.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics

TIMELINE = (
    *("start", "predictions", "cat", "dog", "neither", "errors", "satisfied", "unsatisfied"),
    *("mean", "min", "max", "p50", "p95", "p99"),
)
FEEDBACK = ("timestamp", "user_feedback", "prediction_result", "confidence", "user_comment")
PREDICTIONS = (
    *("timestamp", "prediction_result", "confidence", "inference_time_ms", "user_feedback", "true_label"),
    *("user_comment", "filename", "model_version"),
)
"""Columns of the file of predictions, no more than the table in the page shows."""

TIMES = ("start", "timestamp")
"""Columns of times."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\u2212")
_WHITESPACE_STARTS = ("\t", "\r", "\n")
_INVISIBLE_CATEGORIES = {"C", "Z"}
"""Unicode's categories of control and format characters, and of spaces."""


def file_name(table: str, statistics: Statistics) -> str:
    """Return the name of a table's file, with the number of rows where it holds only the latest."""
    shown, n = len(statistics["feedback"]), statistics["satisfaction"]["n"]
    return f"catsdogs-{table}" + (f"-latest-{shown}-of-{n}.csv" if table == "feedback" and shown < n else ".csv")


def health_file_name(table: str, health: ModelHealth) -> str:
    """Return the name of a file of the model's health, with the number of predictions where they are a sample."""
    is_judged = table == "reliability"
    n, total = (
        (health["judged"]["n"], health["judged_of"])
        if is_judged
        else (health["estimated_from"], health["estimated_of"])
    )
    return f"catsdogs-{table}" + (f"-sample-{n}-of-{total}.csv" if n < total else ".csv")


def timeline(statistics: Statistics, _: Translator) -> str:
    """Write the buckets of the time curves; times in milliseconds."""
    return _write(TIMELINE, statistics["timeline"], _)


def feedback(statistics: Statistics, _: Translator) -> str:
    """Write the feedbacks of the scatter."""
    return _write(FEEDBACK, statistics["feedback"], _)


def predictions(rows: Iterable[RecentPrediction], _: Translator) -> str:
    """Write a list of predictions."""
    return _write(PREDICTIONS, rows, _)


def accuracy(health: ModelHealth, _: Translator) -> str:
    """Write the accuracy curve: by people's judgement, and estimated without labels."""
    kinds = ("judged", health["timeline"]), ("estimated", health["timeline"])
    rows = [{"start": one["start"], "kind": kind, **one[kind]} for kind, found in kinds for one in found]  # type: ignore[literal-required]
    return _write(("start", "kind", "rate", "low", "high", "n"), rows, _)


def reliability(health: ModelHealth, _: Translator) -> str:
    """Write the bars of the reliability diagram."""
    return _write(("confidence", "rate", "low", "high", "n"), health["reliability"], _)


def drift(health: ModelHealth, _: Translator) -> str:
    """Write the drift of each signal."""
    return _write(("signal", "psi", "p_value", "n", "reading"), health["drift"], _)


def _write(columns: Sequence[str], rows: Iterable[Mapping[str, object]], _: Translator) -> str:
    stream = io.StringIO()
    has_decimal_comma = _.locale.number_symbols["latn"]["decimal"] == ","
    writer = csv.writer(stream, delimiter=";" if has_decimal_comma else ",")
    writer.writerow(columns)
    for row in rows:
        cells = [_escape_formula(row[name]) for name in columns]
        if has_decimal_comma:
            cells = [_with_decimal_comma(name, cell) for name, cell in zip(columns, cells, strict=True)]
        writer.writerow(cells)
    return stream.getvalue()


def _with_decimal_comma(column: str, cell: object) -> object:
    if isinstance(cell, float):
        return str(cell).replace(".", ",")
    if column in TIMES and isinstance(cell, str):
        return f"{parse_timestamp(cell):%Y-%m-%d %H:%M:%S}"
    return cell


def _escape_formula(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula (OWASP, "CSV injection")."""
    return f"'{value}" if isinstance(value, str) and _may_be_formula(value) else value


def _may_be_formula(text: str) -> bool:
    """Return whether the first visible character, in the form that some spreadsheets read, starts a formula."""
    plain = unicodedata.normalize("NFKC", text)
    first = next((letter for letter in plain if unicodedata.category(letter)[0] not in _INVISIBLE_CATEGORIES), "")
    return text.startswith(_WHITESPACE_STARTS) or first in _FORMULA_STARTS
