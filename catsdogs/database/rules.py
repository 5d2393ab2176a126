"""The rules that PostgreSQL itself enforces on single rows (CHECK constraints). A change needs a migration."""

from __future__ import annotations

from sqlalchemy import CheckConstraint

from catsdogs.domain import MAX_COMMENT

MAX_FILENAME = 255
"""Longest file name, in characters."""
MAX_PHOTO_SIDE = 512
"""Longest side of a photo kept for training, in pixels."""
MAX_INFERENCE_MS = 86_400_000
"""Longest inference time, a day: sums and squares of such times stay far from the limits of numbers."""
EARLIEST, LATEST = "1970-01-01 00:00+00", "2100-01-01 00:00+00"
"""Bounds of every moment, the second excluded: arithmetic of dates beyond them fails in Python."""


def bounds(*columns: str) -> list[CheckConstraint]:
    """Return the rules that moments lie within :data:`EARLIEST` and :data:`LATEST`."""
    return [
        CheckConstraint(f"\"{column}\" >= '{EARLIEST}' AND \"{column}\" < '{LATEST}'", f"{column}_bounds")
        for column in columns
    ]


def prediction_rules() -> list[CheckConstraint]:
    """Return the rules of a prediction, with the feedback on it."""
    rules = {
        "result": "prediction_result IN ('cat', 'dog', 'neither', 'error')",
        "success_has_answer": "success = (prediction_result <> 'error')",
        "success_has_figures": "NOT success OR (proba_cat IS NOT NULL AND proba_dog IS NOT NULL"
        " AND inference_time_ms IS NOT NULL AND error_type IS NULL)",
        "failure_has_cause": "success OR (proba_cat IS NULL AND proba_dog IS NULL AND error_type IS NOT NULL)",
        "proba_cat": "proba_cat BETWEEN 0 AND 1",
        "proba_dog": "proba_dog BETWEEN 0 AND 1",
        "proba_sum": "abs(proba_cat + proba_dog - 1) <= 0.001",
        "neither_score": "neither_score BETWEEN 0 AND 1",
        "inference_time": f"inference_time_ms BETWEEN 0 AND {MAX_INFERENCE_MS}",
        "feedback": "user_feedback IN (0, 1)",
        "true_label": "true_label IN ('cat', 'dog', 'both', 'neither')",
        "rating_fits_label": "user_feedback <> CASE WHEN prediction_result = 'error' THEN NULL"
        " WHEN true_label = prediction_result THEN 0"
        " WHEN true_label = 'both' AND prediction_result <> 'neither' THEN NULL"
        " WHEN true_label <> prediction_result THEN 1 END",  # as catsdogs.domain.contradict
        "feedback_has_time": "feedback_at IS NOT NULL"
        " OR (user_feedback IS NULL AND user_comment IS NULL AND true_label IS NULL)",
        "comment_length": f"char_length(user_comment) BETWEEN 1 AND {MAX_COMMENT}",
        "filename_length": f"char_length(filename) BETWEEN 1 AND {MAX_FILENAME}",
        "filename_needs_consent": "filename IS NULL OR (rgpd_consent AND consent_id IS NOT NULL)",
        "comment_needs_consent": "user_comment IS NULL OR (rgpd_consent AND consent_id IS NOT NULL)",
        "error_type": "error_type ~ '^[A-Za-z]{1,64}$'",  # a class name, no message: messages may quote a person
        "image": "width > 0 AND height > 0 AND brightness BETWEEN 0 AND 1"
        " AND sharpness >= 0 AND sharpness < 'Infinity'",
    }
    moments = bounds("timestamp", "created_at", "feedback_at")
    return [CheckConstraint(rule, name) for name, rule in rules.items()] + moments
