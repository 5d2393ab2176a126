"""The kernel side of the prediction app, on the real service and a real database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.domain import Consent
from catsdogs.errors import ModelError, NotFound
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.predict_app import PredictApp
from catsdogs.widgets.upload_texts import MAX_UPLOAD_BYTES
from tests.widgets.helpers import NOT_UNDERSTOOD, Send

Rows = Callable[[], list[dict[str, Any]]]

NAME = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture
def app(database: Settings, send: Send) -> Iterator[PredictApp]:
    with Local.open(database) as service:
        yield PredictApp(lambda: service, "en")


@pytest.fixture
def rows(database: Settings) -> Rows:
    """Return the rows of the predictions, oldest first."""

    def rows() -> list[dict[str, Any]]:
        store = Database(database)
        table = store.tables.predictions
        with store.engine.connect() as connection:
            found = connection.execute(sa.select(table).order_by(table.c.timestamp)).mappings().all()
        store.close()
        return [dict(row) for row in found]

    return rows


def test_without_consent_nothing_personal_is_stored(app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    assert send(app.photo_input, {"id": "1", "action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert app.receipt_card.receipt == ""
    assert not app.feedback_form.may_comment
    assert send(app.feedback_form, {"action": "rating", "value": 1}) == ""
    assert send(app.feedback_form, {"action": "comment", "value": "mine"}).startswith("A comment is kept only with")
    [row] = rows()
    assert (row["rgpd_consent"], row["filename"], row["user_comment"], row["consent_id"]) == (False, None, None, None)
    assert (row["prediction_result"], row["user_feedback"]) == ("cat", 1)


def test_a_consent_applies_to_the_next_photo(app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    assert send(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": True}) == ""
    assert send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.receipt_card.receipt
    assert send(app.feedback_form, {"action": "comment", "value": "  she is called Chelsea "}) == ""
    [row] = rows()
    assert (row["filename"], row["user_comment"]) == (NAME, "she is called Chelsea")

    assert send(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": False}) == ""
    assert send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.receipt_card.receipt == ""
    assert rows()[1]["filename"] is None


def test_a_later_consent_applies_to_the_photo_shown_only_if_asked(
    app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    send(app.feedback_form, {"action": "rating", "value": 1})
    assert not app.consent_form.decision_changed
    send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    assert (app.consent_form.decision_changed, rows()[0]["consent_id"]) == (True, None)
    assert send(app.consent_form, {"action": "apply"}) == ""
    assert not app.consent_form.decision_changed
    assert len(app.service.export(app.receipt_card.receipt)["photos"]) == 1
    [row] = rows()  # the photo counts once
    assert (row["consent_id"] is None, row["filename"]) == (False, None)  # the other purpose was not agreed to
    assert (row["user_feedback"], app.feedback_form.rating) == (1, 1)


def test_a_later_refusal_erases_what_was_stored_about_the_photo_shown(
    app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    for purpose in ("filename_and_comment", "photo"):
        send(app.consent_form, {"action": "agree", "purpose": purpose, "agreed": True})
    send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    receipt = app.receipt_card.receipt
    assert send(app.feedback_form, {"action": "comment", "value": "mine"}) == ""
    for purpose in ("filename_and_comment", "photo"):
        send(app.consent_form, {"action": "agree", "purpose": purpose, "agreed": False})
    assert send(app.consent_form, {"action": "apply"}) == ""
    assert [(row["filename"], row["user_comment"], row["consent_id"]) for row in rows()] == [(None, None, None)]
    with pytest.raises(NotFound):
        app.service.export(receipt)
    assert app.receipt_card.erased == [receipt], "nothing is stored under it any more"


def test_a_rating_and_a_label_can_be_changed(app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    assert send(app.feedback_form, {"action": "rating", "value": 0}) == ""
    assert app.feedback_form.thanks
    assert send(app.feedback_form, {"action": "true_label", "value": "dog"}) == ""
    assert (rows()[0]["user_feedback"], rows()[0]["true_label"]) == (0, "dog")
    assert send(app.feedback_form, {"action": "rating", "value": 1}) == ""
    assert (rows()[0]["user_feedback"], rows()[0]["true_label"]) == (1, "cat")


def test_an_earlier_photo_is_shown_again_with_its_feedback(
    app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    send(app.photo_input, {"action": "predict", "number": 1, "name": "a.jpg"}, cat_jpeg)
    receipt = app.receipt_card.receipt
    send(app.feedback_form, {"action": "rating", "value": 0})
    send(app.photo_input, {"action": "predict", "number": 2, "name": "b.jpg"}, cat_jpeg)
    assert (app.feedback_form.rating, app.receipt_card.receipt != receipt) == (None, True)
    assert app.photo_input.answer_kinds == {"1": "cat", "2": "cat"}
    assert send(app.photo_input, {"number": 1, "action": "show"}) == ""
    assert (app.feedback_form.rating, app.receipt_card.receipt) == (0, receipt)
    send(app.feedback_form, {"action": "rating", "value": 1})
    assert [row["user_feedback"] for row in rows()] == [1, None]


def test_after_an_unreadable_photo_the_answer_before_is_hidden(
    app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    assert send(app.photo_input, {"action": "predict", "number": 2, "name": "cat.jpg"}, b"words") == (
        "This is not a picture that can be read. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF file."
    )
    assert (app.answer_card.answer, app.feedback_form.feedback_id, app.receipt_card.receipt) == ({}, "", "")
    assert [row["prediction_result"] for row in rows()] == ["cat", "error"]
    assert send(app.feedback_form, {"action": "rating", "value": 1}) == NOT_UNDERSTOOD


def test_a_sample_picture_is_predicted_without_feedback_form(
    app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    assert send(app.photo_input, {"number": 1, "action": "predict_sample", "name": "chelsea"}) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert "nothing about it is recorded" in app.answer_card.answer["notes"][0]
    assert (app.feedback_form.feedback_id, app.receipt_card.receipt) == ("", "")
    assert app.photo_input.explanation["number"] == 1
    assert send(app.consent_form, {"action": "apply"}) == ""  # no photo of the person is shown
    assert (
        send(app.photo_input, {"number": 2, "action": "predict_sample", "name": "mine"})
        == "There is no such sample picture."
    )
    assert rows() == []
    assert send(app.photo_input, {"number": 1, "action": "show"}) == ""


def test_of_a_cancelled_photo_nothing_personal_stays(app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    assert send(app.photo_input, {"number": 1, "action": "discard"}) == ""  # cancelled before it arrived
    send(app.photo_input, {"action": "predict", "number": 2, "name": NAME}, cat_jpeg)
    assert send(app.photo_input, {"number": 2, "action": "discard"}) == ""
    send(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": True})
    send(app.photo_input, {"action": "predict", "number": 3, "name": NAME}, cat_jpeg)
    assert send(app.photo_input, {"number": 3, "action": "discard"}) == ""
    assert (app.answer_card.answer, app.receipt_card.receipt) == ({}, "")
    assert len(app.receipt_card.erased) == 1
    assert [row["consent_id"] for row in rows()] == [None], "the anonymous one; the other is erased"
    assert send(app.photo_input, {"number": 3, "action": "show"}) == NOT_UNDERSTOOD


def test_spooled_records_are_shown_to_their_owner(
    app: PredictApp, database: Settings, send: Send, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as service:
        outcome = service.predict(cat_jpeg, filename=NAME, consent=Consent(True, True))
    assert outcome.receipt
    assert send(app.my_data, {"action": "open", "code": f" {outcome.receipt.lower()} "}) == ""
    [record] = app.my_data.stored_data["records"]
    assert ["File", NAME] in record["facts"]
    assert record["jpeg"]
    [decision] = app.my_data.stored_data["decisions"]
    assert [purpose for purpose, _ in decision["purposes"]] == ["filename_and_comment", "photo"]
    assert outcome.receipt not in app.my_data.stored_data["document"]


def test_withdrawal_and_erasure_need_an_open_receipt_code(app: PredictApp, send: Send, cat_jpeg: bytes) -> None:
    for action in ("withdraw", "erase", "destroy"):
        assert send(app.my_data, {"action": action, "purpose": "photo"}) == NOT_UNDERSTOOD
    assert send(app.receipt_card, {"action": "open"}) == NOT_UNDERSTOOD
    send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    receipt = app.receipt_card.receipt
    assert send(app.receipt_card, {"action": "open", "code": receipt}) == ""
    assert app.my_data.code == receipt
    assert send(app.my_data, {"action": "withdraw", "purpose": "language"}) == NOT_UNDERSTOOD
    assert send(app.my_data, {"action": "open", "code": "0000"}).startswith("Nothing is kept under this receipt code.")
    assert (app.my_data.code, app.my_data.stored_data) == ("", {})


@pytest.mark.parametrize(
    ("content", "buffers"),
    [
        ({}, [b"x"]),
        ({"action": "predict", "name": "cat.jpg"}, [b"x"]),
        ({"action": "predict", "number": "1", "name": "cat.jpg"}, [b"x"]),
        ({"action": "predict", "number": 1, "name": 3}, [b"x"]),
        ({"action": "predict", "number": 1, "name": "cat.jpg"}, []),
        ({"action": "predict", "number": 1, "name": "cat.jpg"}, [b"x", b"x"]),
        ({"action": "predict", "number": 1, "name": None, "id": {"deep": []}}, [b"x"]),
        ({"action": "predict", "number": 1}, []),
        ({"number": 1, "action": "show"}, []),  # no photo has this number
        ({"number": 1, "action": "predict_sample"}, []),
        ({"number": 1, "action": "destroy", "name": "cat.jpg"}, [b"x"]),
    ],
)
def test_invalid_messages_are_refused(
    app: PredictApp, send: Send, rows: Rows, content: dict[str, Any], buffers: list[bytes]
) -> None:
    assert send(app.photo_input, content, *buffers) == NOT_UNDERSTOOD
    assert rows() == []


def test_an_unknown_purpose_is_refused(app: PredictApp, send: Send) -> None:
    assert send(app.consent_form, {"action": "agree", "purpose": "language", "agreed": True}) == NOT_UNDERSTOOD
    assert send(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": "yes"}) == NOT_UNDERSTOOD
    assert not app.consent_form.decision.any


def test_an_upload_over_the_limit_is_refused(app: PredictApp, send: Send) -> None:
    assert send(
        app.photo_input, {"action": "predict", "number": 1, "name": "big.jpg"}, bytes(MAX_UPLOAD_BYTES + 1)
    ) == ("This file is too large: at most 10 MB.")


def test_without_a_database_the_answer_is_shown_and_stored_later(
    database: Settings, send: Send, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as service:
        app = PredictApp(lambda: service, "en")
        assert send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg) == ""
        assert app.answer_card.answer["kind"] == "cat"
        assert "Your answer is safe and will be stored." in app.answer_card.answer["notes"][0]
        assert send(app.feedback_form, {"action": "rating", "value": 1}) == ""
        assert "What you said is safe and will be stored." in app.feedback_form.thanks
        assert service.health()["spooled"] == 2


def test_a_service_that_cannot_start_shows_its_error_and_is_opened_again(send: Send, cat_jpeg: bytes) -> None:
    def connect() -> Any:
        raise ModelError("The model is missing. Install catsdogs again.")

    app = PredictApp(connect, "en")
    for _ in range(2):
        assert (
            send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
            == "The model is missing. Install catsdogs again."
        )


def test_an_unexpected_error_is_logged_with_its_traceback_and_shown_without(
    send: Send, cat_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = PredictApp(object, "en")  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        sentence = send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    assert sentence == "Something went wrong on our side. Please try again in a moment."
    assert "AttributeError" in caplog.text


def test_the_form_has_one_empty_box_per_purpose(app: PredictApp) -> None:
    assert [purpose for purpose, *_ in app.consent_form.purposes] == ["filename_and_comment", "photo"]
    assert app.consent_form.agreed_purposes == []
