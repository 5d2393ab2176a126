"""The app's kernel side, on the real service and a real database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
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

NAME = "<img src=x onerror=alert(1)>.jpg"
NOT_UNDERSTOOD = "The page sent something that was not understood. Reload it and try again."


@pytest.fixture
def app(database: Settings, ask: Any) -> Iterator[PredictApp]:
    with Local.open(database) as service:
        yield PredictApp(lambda: service, "en")


@pytest.fixture
def rows(database: Settings) -> Any:
    """Give the rows of predictions, oldest first."""

    def rows() -> list[dict[str, Any]]:
        store = Database(database)
        table = store.tables.predictions
        with store.engine.connect() as connection:
            found = connection.execute(sa.select(table).order_by(table.c.timestamp)).mappings().all()
        store.close()
        return [dict(row) for row in found]

    return rows


def test_without_consent_nothing_personal_is_kept(app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes) -> None:
    assert ask(app.photo_input, {"id": "1", "action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert app.receipt_card.receipt == ""
    assert not app.feedback_form.may_comment
    assert ask(app.feedback_form, {"action": "rating", "value": 1}) == ""
    assert ask(app.feedback_form, {"action": "comment", "value": "mine"}).startswith("A comment is kept only with")
    [row] = rows()
    assert (row["rgpd_consent"], row["filename"], row["user_comment"], row["consent_id"]) == (False, None, None, None)
    assert (row["prediction_result"], row["user_feedback"]) == ("cat", 1)


def test_a_tick_counts_for_the_next_photo(app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes) -> None:
    assert ask(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": True}) == ""
    assert ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.receipt_card.receipt
    assert ask(app.feedback_form, {"action": "comment", "value": "  she is called Chelsea "}) == ""
    [row] = rows()
    assert (row["filename"], row["user_comment"]) == (NAME, "she is called Chelsea")

    assert ask(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": False}) == ""
    assert ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg) == ""
    assert app.receipt_card.receipt == ""
    assert rows()[1]["filename"] is None


def test_a_late_tick_counts_for_the_photo_shown_only_if_asked(
    app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes
) -> None:
    def changed() -> bool:
        return bool(app.consent_form.decision_changed)

    ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    ask(app.feedback_form, {"action": "rating", "value": 1})
    assert not changed()
    ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    assert changed()
    assert rows()[0]["consent_id"] is None
    assert ask(app.consent_form, {"action": "apply"}) == ""
    assert not changed()
    assert len(app.service.export(app.receipt_card.receipt)["photos"]) == 1
    [row] = rows()  # the photo counts once
    assert (row["consent_id"] is None, row["filename"]) == (False, None)  # the other purpose was not agreed to
    assert (row["user_feedback"], app.feedback_form.rating) == (1, 1)


def test_a_late_no_reaches_what_was_kept_of_the_photo_shown(
    app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes
) -> None:
    for purpose in ("filename_and_comment", "photo"):
        ask(app.consent_form, {"action": "agree", "purpose": purpose, "agreed": True})
    ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    receipt = app.receipt_card.receipt
    assert ask(app.feedback_form, {"action": "comment", "value": "mine"}) == ""
    for purpose in ("filename_and_comment", "photo"):
        ask(app.consent_form, {"action": "agree", "purpose": purpose, "agreed": False})
    assert ask(app.consent_form, {"action": "apply"}) == ""
    assert [(row["filename"], row["user_comment"], row["consent_id"]) for row in rows()] == [(None, None, None)]
    with pytest.raises(NotFound):
        app.service.export(receipt)
    assert app.receipt_card.erased == [receipt], "it opens nothing any more"


def test_a_no_and_what_it_really_is_can_be_taken_back(app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes) -> None:
    ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    assert ask(app.feedback_form, {"action": "rating", "value": 0}) == ""
    assert app.feedback_form.thanks
    assert ask(app.feedback_form, {"action": "true_label", "value": "dog"}) == ""
    assert (rows()[0]["user_feedback"], rows()[0]["true_label"]) == (0, "dog")
    assert ask(app.feedback_form, {"action": "rating", "value": 1}) == ""
    assert (rows()[0]["user_feedback"], rows()[0]["true_label"]) == (1, "cat")


def test_an_earlier_photo_of_the_visit_is_shown_again_with_what_was_said(
    app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes
) -> None:
    ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    ask(app.photo_input, {"action": "predict", "number": 1, "name": "a.jpg"}, cat_jpeg)
    receipt = app.receipt_card.receipt
    ask(app.feedback_form, {"action": "rating", "value": 0})
    ask(app.photo_input, {"action": "predict", "number": 2, "name": "b.jpg"}, cat_jpeg)
    assert (app.feedback_form.rating, app.receipt_card.receipt != receipt) == (None, True)
    assert app.photo_input.answer_kinds == {"1": "cat", "2": "cat"}
    assert ask(app.photo_input, {"number": 1, "action": "show"}) == ""
    assert (app.feedback_form.rating, app.receipt_card.receipt) == (0, receipt)
    ask(app.feedback_form, {"action": "rating", "value": 1})
    assert [row["user_feedback"] for row in rows()] == [1, None]


def test_a_refused_photo_leaves_nothing_of_the_answer_before(
    app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes
) -> None:
    ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    ask(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    assert ask(app.photo_input, {"action": "predict", "number": 2, "name": "cat.jpg"}, b"words") == (
        "This is not a picture that can be read. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF file."
    )
    assert (app.answer_card.answer, app.feedback_form.feedback_id, app.receipt_card.receipt) == ({}, "", "")
    assert [row["prediction_result"] for row in rows()] == ["cat", "error"]
    assert ask(app.feedback_form, {"action": "rating", "value": 1}) == NOT_UNDERSTOOD


def test_a_sample_picture_is_answered_and_asks_nothing(app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes) -> None:
    ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    assert ask(app.photo_input, {"number": 1, "action": "predict_sample", "name": "chelsea"}) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert "nothing about it is recorded" in app.answer_card.answer["notes"][0]
    assert (app.feedback_form.feedback_id, app.receipt_card.receipt) == ("", "")
    assert app.photo_input.explanation["number"] == 1
    assert ask(app.consent_form, {"action": "apply"}) == ""  # there is no photo of theirs
    assert (
        ask(app.photo_input, {"number": 2, "action": "predict_sample", "name": "mine"})
        == "There is no such sample picture."
    )
    assert rows() == []
    assert ask(app.photo_input, {"number": 1, "action": "show"}) == ""


def test_a_cancelled_photo_leaves_nothing_personal(app: PredictApp, ask: Any, rows: Any, cat_jpeg: bytes) -> None:
    assert ask(app.photo_input, {"number": 1, "action": "discard"}) == ""  # cancelled before it came
    ask(app.photo_input, {"action": "predict", "number": 2, "name": NAME}, cat_jpeg)
    assert ask(app.photo_input, {"number": 2, "action": "discard"}) == ""
    ask(app.consent_form, {"action": "agree", "purpose": "filename_and_comment", "agreed": True})
    ask(app.photo_input, {"action": "predict", "number": 3, "name": NAME}, cat_jpeg)
    assert ask(app.photo_input, {"number": 3, "action": "discard"}) == ""
    assert (app.answer_card.answer, app.receipt_card.receipt) == ({}, "")
    assert len(app.receipt_card.erased) == 1
    assert [row["consent_id"] for row in rows()] == [None], "the anonymous one; the other is erased"
    assert ask(app.photo_input, {"number": 3, "action": "show"}) == NOT_UNDERSTOOD


def test_what_waits_for_the_database_is_shown_to_its_owner_too(
    app: PredictApp, database: Settings, ask: Any, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as away:
        outcome = away.predict(cat_jpeg, filename=NAME, consent=Consent(True, True))
    assert outcome.receipt
    assert ask(app.my_data, {"action": "open", "code": f" {outcome.receipt.lower()} "}) == ""
    [record] = app.my_data.stored_data["records"]
    assert ["File", NAME] in record["facts"]
    assert record["jpeg"]
    [decision] = app.my_data.stored_data["decisions"]
    assert [purpose for purpose, _ in decision["purposes"]] == ["filename_and_comment", "photo"]
    assert outcome.receipt not in app.my_data.stored_data["document"]


def test_rights_need_an_open_code(app: PredictApp, ask: Any, cat_jpeg: bytes) -> None:
    for action in ("withdraw", "erase", "destroy"):
        assert ask(app.my_data, {"action": action, "purpose": "photo"}) == NOT_UNDERSTOOD
    assert ask(app.receipt_card, {"action": "open"}) == NOT_UNDERSTOOD
    ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": True})
    ask(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    receipt = app.receipt_card.receipt
    assert ask(app.receipt_card, {"action": "open", "code": receipt}) == ""
    assert app.my_data.code == receipt
    assert ask(app.my_data, {"action": "withdraw", "purpose": "language"}) == NOT_UNDERSTOOD
    assert ask(app.my_data, {"action": "open", "code": "0000"}).startswith("Nothing is held under this receipt code.")
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
        ({"number": 1, "action": "show"}, []),  # a photo that was never brought
        ({"number": 1, "action": "predict_sample"}, []),
        ({"number": 1, "action": "destroy", "name": "cat.jpg"}, [b"x"]),
    ],
)
def test_what_no_page_of_ours_sends_is_refused(
    app: PredictApp, ask: Any, rows: Any, content: dict[str, Any], buffers: list[bytes]
) -> None:
    assert ask(app.photo_input, content, *buffers) == NOT_UNDERSTOOD
    assert rows() == []


def test_an_unknown_purpose_is_not_agreed_to(app: PredictApp, ask: Any) -> None:
    assert ask(app.consent_form, {"action": "agree", "purpose": "language", "agreed": True}) == NOT_UNDERSTOOD
    assert ask(app.consent_form, {"action": "agree", "purpose": "photo", "agreed": "yes"}) == NOT_UNDERSTOOD
    assert not app.consent_form.decision.any


def test_an_upload_over_the_limit_is_refused(app: PredictApp, ask: Any) -> None:
    assert ask(app.photo_input, {"action": "predict", "number": 1, "name": "big.jpg"}, bytes(MAX_UPLOAD_BYTES + 1)) == (
        "This file is too large: at most 10 MB."
    )


def test_while_the_database_is_away_the_answer_is_there_and_said_to_be_safe(
    database: Settings, ask: Any, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as service:
        app = PredictApp(lambda: service, "en")
        assert ask(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg) == ""
        assert app.answer_card.answer["kind"] == "cat"
        assert "Your answer is safe and will be stored." in app.answer_card.answer["notes"][0]
        assert ask(app.feedback_form, {"action": "rating", "value": 1}) == ""
        assert "What you said is safe and will be stored." in app.feedback_form.thanks
        assert service.health()["spooled"] == 2


def test_a_service_that_cannot_start_is_a_sentence_and_is_tried_again(ask: Any, cat_jpeg: bytes) -> None:
    def connect() -> Any:
        raise ModelError("The model is missing. Install catsdogs again.")

    app = PredictApp(connect, "en")
    for _ in range(2):
        assert (
            ask(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
            == "The model is missing. Install catsdogs again."
        )


def test_a_bug_is_logged_with_its_traceback_and_shown_without(
    ask: Any, cat_jpeg: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = PredictApp(object, "en")  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        sentence = ask(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    assert sentence == "Something went wrong on our side. Please try again in a moment."
    assert "AttributeError" in caplog.text


def test_the_words_are_those_that_a_decision_is_about(app: PredictApp) -> None:
    assert [purpose for purpose, *_ in app.consent_form.purposes] == ["filename_and_comment", "photo"]
    assert app.consent_form.agreed_purposes == []
