"""The figures of a view as CSV (RFC 4180) for a spreadsheet: times in UTC, figures not rounded."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

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

_FORMULA_STARTS = ("=", "+", "-", "@", "\u2212")
_WHITESPACE_STARTS = ("\t", "\r", "\n")
_INVISIBLE_CATEGORIES = {"C", "Z"}
"""Unicode's categories of control and format characters, and of spaces."""


def file_name(table: str, statistics: Statistics) -> str:
    """Return the name of a table's file, with the number of rows where it holds only the latest."""
    shown, n = len(statistics["feedback"]), statistics["satisfaction"]["n"]
    return f"catsdogs-{table}" + (f"-latest-{shown}-of-{n}.csv" if table == "feedback" and shown < n else ".csv")


def timeline(statistics: Statistics) -> str:
    """Write the buckets of the time curves; times in milliseconds."""
    return _write(TIMELINE, statistics["timeline"])


def feedback(statistics: Statistics) -> str:
    """Write the feedbacks of the scatter."""
    return _write(FEEDBACK, statistics["feedback"])


def predictions(rows: Iterable[RecentPrediction]) -> str:
    """Write a list of predictions."""
    return _write(PREDICTIONS, rows)


def accuracy(health: ModelHealth) -> str:
    """Write the accuracy curve: by people's judgement, and estimated without labels."""
    kinds = ("judged", health["timeline"]), ("estimated", health["timeline"])
    rows = [{"start": one["start"], "kind": kind, **one[kind]} for kind, found in kinds for one in found]  # type: ignore[literal-required]
    return _write(("start", "kind", "rate", "low", "high", "n"), rows)


def reliability(health: ModelHealth) -> str:
    """Write the bars of the reliability diagram."""
    return _write(("confidence", "rate", "low", "high", "n"), health["reliability"])


def drift(health: ModelHealth) -> str:
    """Write the drift of each signal."""
    return _write(("signal", "psi", "p_value", "n", "reading"), health["drift"])


def _write(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows([_escape_formula(row[name]) for name in columns] for row in rows)
    return stream.getvalue()


def _escape_formula(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula (OWASP, "CSV injection")."""
    return f"'{value}" if isinstance(value, str) and _may_be_formula(value) else value


def _may_be_formula(text: str) -> bool:
    """Return whether the first visible character, in the form that some spreadsheets read, starts a formula."""
    plain = unicodedata.normalize("NFKC", text)
    first = next((letter for letter in plain if unicodedata.category(letter)[0] not in _INVISIBLE_CATEGORIES), "")
    return text.startswith(_WHITESPACE_STARTS) or first in _FORMULA_STARTS
