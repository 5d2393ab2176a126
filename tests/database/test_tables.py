"""Constraints that PostgreSQL itself checks, tested with plain SQL."""

from __future__ import annotations

import psycopg2
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from catsdogs.database import Database

ID = "'01890a5d-ac96-774b-bcce-b302099a8057'::uuid"
CONSENT = "'01890a5d-ac96-774b-bcce-b302099a8058'::uuid"
OTHER = "'01890a5d-ac96-774b-bcce-b302099a8059'::uuid"
HASH = "repeat('0f', 32)"

PREDICTION = {
    "id": ID,
    "timestamp": "now()",
    "inference_time_ms": "3.5",
    "success": "true",
    "prediction_result": "'cat'",
    "proba_cat": "0.9",
    "proba_dog": "0.1",
    "rgpd_consent": "false",
}
FAILURE = PREDICTION | {
    "success": "false",
    "prediction_result": "'error'",
    "inference_time_ms": "NULL",
    "proba_cat": "NULL",
    "proba_dog": "NULL",
    "error_type": "'InvalidImage'",
}
DECISION = {
    "id": CONSENT,
    "filename_and_comment": "true",
    "photo": "true",
    "text_version": "'1'",
    "text_hash": HASH,
    "language": "'fr'",
    "how": "'app'",
    "decided_at": "now()",
    "receipt_hash": HASH,
}
PHOTO = {
    "prediction_id": ID,
    "consent_id": CONSENT,
    "photo_consent": "true",
    "jpeg": "'\\xffd8'::bytea",
    "width": "512",
    "height": "300",
}
AGREED = PREDICTION | {"rgpd_consent": "true", "consent_id": CONSENT}


def insert(table: str, values: dict[str, str]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def predictions(values: dict[str, str]) -> str:
    return insert("predictions_feedback", values)


def execute(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def refused_by(database: Database, *statements: str) -> str | None:
    """Name of the constraint that refuses the last statement."""
    execute(database, *statements[:-1])
    with pytest.raises(IntegrityError) as refusal:
        execute(database, statements[-1])
    original = refusal.value.orig
    assert isinstance(original, psycopg2.Error)
    return original.diag.constraint_name or original.diag.column_name


@pytest.mark.parametrize(
    "values",
    [
        PREDICTION,
        FAILURE,
        PREDICTION | {"prediction_result": "'neither'", "neither_score": "1"},
        PREDICTION | {"proba_cat": "1", "proba_dog": "0", "user_feedback": "0", "feedback_at": "now()"},
        PREDICTION | {"user_feedback": "0", "true_label": "'both'", "feedback_at": "now()"},
        AGREED | {"filename": "'a.jpg'", "user_comment": "'nice'", "feedback_at": "now()"},
    ],
)
def test_valid_rows_are_stored(connected: Database, values: dict[str, str]) -> None:
    execute(connected, insert("consents", DECISION), predictions(values))


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("result", PREDICTION | {"prediction_result": "'Cat'"}),
        ("success_has_answer", FAILURE | {"prediction_result": "'cat'"}),
        ("success_has_answer", FAILURE | {"success": "true"}),
        ("success_has_figures", PREDICTION | {"proba_cat": "NULL"}),
        ("success_has_figures", PREDICTION | {"inference_time_ms": "NULL"}),
        ("success_has_figures", PREDICTION | {"error_type": "'InvalidImage'"}),
        ("failure_has_cause", FAILURE | {"error_type": "NULL"}),
        ("failure_has_cause", FAILURE | {"proba_cat": "0.5"}),
        ("proba_cat", PREDICTION | {"proba_cat": "1.0001", "proba_dog": "0"}),
        ("proba_cat", PREDICTION | {"proba_cat": "'NaN'"}),
        ("proba_dog", PREDICTION | {"proba_cat": "1", "proba_dog": "-0.0001"}),
        ("proba_sum", PREDICTION | {"proba_cat": "0.5"}),
        ("neither_score", PREDICTION | {"neither_score": "1.1"}),
        ("inference_time", PREDICTION | {"inference_time_ms": "-1"}),
        ("inference_time", PREDICTION | {"inference_time_ms": "'Infinity'"}),
        ("feedback", PREDICTION | {"user_feedback": "2", "feedback_at": "now()"}),
        ("true_label", PREDICTION | {"true_label": "'horse'", "feedback_at": "now()"}),
        ("rating_fits_label", PREDICTION | {"user_feedback": "1", "true_label": "'dog'", "feedback_at": "now()"}),
        ("rating_fits_label", PREDICTION | {"user_feedback": "0", "true_label": "'cat'", "feedback_at": "now()"}),
        ("feedback_has_time", PREDICTION | {"user_feedback": "1"}),
        ("error_type", FAILURE | {"error_type": "'mine@home.org was here'"}),
        ("image", PREDICTION | {"width": "0"}),
        ("image", PREDICTION | {"brightness": "1.01"}),
        ("id", PREDICTION | {"id": "NULL"}),
        ("timestamp", PREDICTION | {"timestamp": "NULL"}),
        ("filename_needs_consent", PREDICTION | {"filename": "'a.jpg'"}),
        ("filename_needs_consent", PREDICTION | {"filename": "'a.jpg'", "rgpd_consent": "true"}),
        ("comment_needs_consent", PREDICTION | {"user_comment": "'nice'", "feedback_at": "now()"}),
        ("filename_length", AGREED | {"filename": "repeat('a', 256)"}),
        ("filename_length", AGREED | {"filename": "''"}),
        ("comment_length", AGREED | {"user_comment": "repeat('a', 1001)", "feedback_at": "now()"}),
        ("consent", AGREED | {"consent_id": OTHER, "filename": "'a.jpg'"}),
    ],
)
def test_invalid_rows_are_refused(connected: Database, constraint: str, values: dict[str, str]) -> None:
    assert refused_by(connected, insert("consents", DECISION), predictions(values)) == constraint


def test_consent_to_the_photo_alone_allows_no_file_name(connected: Database) -> None:
    decision = insert("consents", DECISION | {"filename_and_comment": "false"})
    assert refused_by(connected, decision, predictions(AGREED | {"filename": "'a.jpg'"})) == "consent"


@pytest.mark.parametrize(
    ("constraint", "decision", "prediction", "photo"),
    [
        ("consent", DECISION | {"photo": "false"}, AGREED, PHOTO),
        ("photo_needs_consent", DECISION | {"photo": "false"}, AGREED, PHOTO | {"photo_consent": "false"}),
        ("prediction", DECISION, PREDICTION, PHOTO),
        ("prediction", DECISION, AGREED, PHOTO | {"prediction_id": OTHER}),
        ("small", DECISION, AGREED, PHOTO | {"width": "513"}),
        ("review", DECISION, AGREED, PHOTO | {"review": "'both'", "reviewed_at": "now()"}),
        ("review_has_time", DECISION, AGREED, PHOTO | {"review": "'cat'"}),
        ("review_has_time", DECISION, AGREED, PHOTO | {"reviewed_at": "now()"}),
    ],
)
def test_no_photo_without_consent_to_that_nor_a_review_by_halves(
    connected: Database, constraint: str, decision: dict[str, str], prediction: dict[str, str], photo: dict[str, str]
) -> None:
    statements = insert("consents", decision), predictions(prediction), insert("photos", photo)
    assert refused_by(connected, *statements) == constraint


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("agrees_to_something", {"filename_and_comment": "false", "photo": "false"}),
        ("receipt_hash_sha256", {"receipt_hash": "'ABCD-EFGH'"}),
        ("text_hash_sha256", {"text_hash": "'I agree'"}),
        ("language_code", {"language": "'English'"}),
        ("how_known", {"how": "'by post'"}),
    ],
)
def test_a_consent_is_complete(connected: Database, constraint: str, change: dict[str, str]) -> None:
    assert refused_by(connected, insert("consents", DECISION | change)) == constraint


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("filename_needs_consent", "UPDATE consents SET filename_and_comment = false"),
        ("consent", "UPDATE consents SET photo = false"),
        ("consent", "DELETE FROM consents"),
        ("filename_needs_consent", "UPDATE predictions_feedback SET rgpd_consent = false, consent_id = NULL"),
        ("consent_id", "UPDATE predictions_feedback SET filename = NULL, consent_id = NULL"),
    ],
)
def test_a_consent_cannot_be_deleted_before_what_was_kept_with_it(
    connected: Database, constraint: str, statement: str
) -> None:
    kept = insert("consents", DECISION), predictions(AGREED | {"filename": "'a.jpg'"}), insert("photos", PHOTO)
    assert refused_by(connected, *kept, statement) == constraint


@pytest.mark.parametrize("allowed", ["true", "false"])
def test_a_photo_follows_to_a_new_decision_that_allows_it(connected: Database, allowed: str) -> None:
    later = insert("consents", DECISION | {"id": OTHER, "photo": allowed})
    change = f"UPDATE predictions_feedback SET consent_id = {OTHER}"
    statements = insert("consents", DECISION), predictions(AGREED), insert("photos", PHOTO), later
    if allowed == "false":
        assert refused_by(connected, *statements, change) == "consent"
        return
    execute(connected, *statements, change)
    with connected.engine.connect() as connection:
        assert connection.scalar(sa.text(f"SELECT consent_id = {OTHER} FROM photos")) is True


def test_withdrawing_a_purpose_reaches_the_prediction(connected: Database) -> None:
    execute(connected, insert("consents", DECISION), predictions(AGREED | {"filename": "'a.jpg'"}))
    execute(
        connected,
        "UPDATE predictions_feedback SET filename = NULL",
        "UPDATE consents SET filename_and_comment = false, withdrawn_at = now()",
    )
    with connected.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT rgpd_consent FROM predictions_feedback")) is False
