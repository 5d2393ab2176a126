"""How responses look to programs that were written for V2: with ``CATSDOGS_V2_COMPATIBLE=true`` only.

V2 knew two answers, gave percentages in its list, and had an integer for each prediction.
"""

from __future__ import annotations

from typing import Any

from catsdogs.domain import Answer
from catsdogs.monitoring.figures import RecentPrediction
from catsdogs.service.prediction_json import RecordedPrediction


def prediction(fields: RecordedPrediction) -> dict[str, Any]:
    """Return an answer of ``/api/predict``: always Cat or Dog, with `neither` beside it."""
    likelier = _likelier(fields["proba_cat"])
    return {
        **fields,
        "prediction": likelier.value.capitalize(),
        "confidence": fields["probabilities"]["cat" if likelier is Answer.CAT else "dog"],
        "neither": fields["prediction"] == Answer.NEITHER.value.capitalize(),
        "inference_time_ms": round(fields["inference_time_ms"]),
    }


def recent_prediction(row: RecentPrediction, number: int | None) -> dict[str, Any]:
    """Return a row of ``/api/recent-predictions``, with the integer that V2 gave it, if it did."""
    is_neither = row["prediction_result"] == Answer.NEITHER
    return {
        **row,
        "id": row["id"] if number is None else number,
        "prediction_result": _likelier(row["proba_cat"] or 0).value if is_neither else row["prediction_result"],
        "neither": is_neither,
        "proba_cat": round(100 * (row["proba_cat"] or 0), 2),
        "proba_dog": round(100 * (row["proba_dog"] or 0), 2),
        "inference_time_ms": round(row["inference_time_ms"] or 0),
    }


def _likelier(proba_cat: float) -> Answer:
    return Answer.CAT if proba_cat >= 0.5 else Answer.DOG
