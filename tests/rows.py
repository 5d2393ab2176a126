"""Predictions as rows of their table, for tests that fill a database."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from catsdogs.database import Database
from catsdogs.domain import Consent

NOW = datetime(2026, 3, 18, 12, 30, tzinfo=UTC)
DAYS = 20
AGREES = Consent(filename_and_comment=True)

Row = dict[str, Any]
InsertRows = Callable[[list[Row]], Database]


def make_row(timestamp: datetime = NOW, **values: Any) -> Row:
    """One prediction; a cat, without consent or feedback, unless `values` say otherwise."""
    row: Row = {
        "id": UUID(int=random.Random(f"{timestamp}{values}").getrandbits(128)),
        "timestamp": timestamp,
        "inference_time_ms": 4.0,
        "success": True,
        "prediction_result": "cat",
        "proba_cat": 0.9,
        "proba_dog": 0.1,
        "neither_score": 0.05,
        "rgpd_consent": False,
        "filename": None,
        "user_feedback": None,
        "user_comment": None,
        "model_version": "1.0",
        "error_type": None,
    }
    row |= values
    if row["prediction_result"] == "error":
        row |= {"success": False, "proba_cat": None, "proba_dog": None, "neither_score": None, "error_type": "Bad"}
    row["feedback_at"] = None if row["user_feedback"] is None else timestamp
    row["consent_id"] = row["id"] if row["rgpd_consent"] else None
    return row


def confidence(row: Row) -> float:
    """Probability of the answer, 0..1, as people were told it."""
    neither = float(row["neither_score"])
    return neither if row["prediction_result"] == "neither" else max(row["proba_cat"], row["proba_dog"]) * (1 - neither)


def random_rows(seed: int, n: int = 400) -> list[Row]:
    """Rows of every kind over `DAYS` days up to `NOW`, with a gap of two days."""
    choose = random.Random(seed)
    rows: list[Row] = []
    while len(rows) < n:
        age = timedelta(seconds=choose.uniform(0, DAYS * 86400))
        if timedelta(days=5) < age < timedelta(days=7):
            continue
        answer = choose.choices(["cat", "dog", "neither", "error"], [5, 4, 1, 1])[0]
        cat, consent = choose.random(), choose.random() < 0.4
        rating = choose.choice([None, 0, 1, 1]) if answer != "error" else None
        rows.append(
            make_row(
                NOW - age,
                prediction_result=answer,
                # some failures took time, which must not be counted
                inference_time_ms=choose.lognormvariate(2, 0.5) if answer != "error" or choose.random() < 0.5 else None,
                proba_cat=cat,
                proba_dog=1 - cat,
                neither_score=choose.random(),
                rgpd_consent=consent,
                filename="mine.jpg" if consent else None,
                user_feedback=rating,
                user_comment=f"comment {len(rows)}" if consent and rating is not None else None,
                model_version=choose.choice(["1.0", "1.1", None]),
            )
        )
    return rows


def calibrated_rows(n: int, seed: int = 0) -> list[Row]:
    """Rated answers that are right as often as their probability says."""
    choose = random.Random(seed)
    rows = []
    for number in range(n):
        cat = choose.uniform(0.5, 1)
        rating = int(choose.random() < cat)
        rows.append(make_row(NOW - timedelta(minutes=number), proba_cat=cat, proba_dog=1 - cat, user_feedback=rating))
    return rows
