"""The kernel side of the prediction app, on the real service and a real database."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from catsdogs.errors import ModelError
from catsdogs.model.photo_limits import MAX_BYTES
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.predict_app import PredictApp
from tests.waiting import until
from tests.widgets.helpers import NAME, NOT_UNDERSTOOD, Rows, Send, about

NAMES, PHOTO = "filename_and_comment", "photo"
Choose = Callable[[int, str], str]
Agree = Callable[..., str]


@pytest.fixture
def app(predict_app: PredictApp) -> PredictApp:
    return predict_app


@pytest.fixture
def choose(app: PredictApp, send: Send, cat_jpeg: bytes) -> Choose:
    """Send a photo of a cat."""
    return lambda number, name: send(app.photo_input, {"action": "predict", "number": number, "name": name}, cat_jpeg)


@pytest.fixture
def agree(app: PredictApp, send: Send) -> Agree:
    """Agree to purposes for the photo shown; return its receipt code, the last of the list."""

    def agree(*purposes: str) -> str:
        for purpose in purposes:
            content = about(app.consent_form, action="decide", purpose=purpose, agreed=True)
            assert send(app.consent_form, content) == ""
        return app.receipt_card.receipts[-1]["code"]

    return agree


def test_without_consent_nothing_personal_is_stored(app: PredictApp, send: Send, rows: Rows, choose: Choose) -> None:
    assert choose(1, NAME) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert app.receipt_card.receipts == []
    assert send(app.feedback_form, about(app.feedback_form, action="rating", value=1)) == ""
    [row] = rows()
    assert (row["rgpd_consent"], row["filename"], row["user_comment"], row["consent_id"]) == (False, None, None, None)
    assert (row["prediction_result"], row["user_feedback"]) == ("cat", 1)


def test_a_consent_applies_to_no_later_photo(app: PredictApp, rows: Rows, choose: Choose, agree: Agree) -> None:
    choose(1, "first.jpg")
    agree(NAMES, PHOTO)
    choose(2, "second.jpg")
    assert [row["filename"] for row in rows()] == ["first.jpg", None]
    assert app.consent_form.photo["losses"] == {}


def test_an_earlier_photo_is_shown_again_with_its_feedback_and_all_receipts_stay(
    app: PredictApp, send: Send, rows: Rows, choose: Choose, agree: Agree
) -> None:
    choose(1, "a.jpg")
    first = agree(PHOTO)
    send(app.feedback_form, about(app.feedback_form, action="rating", value=0))
    choose(2, "b.jpg")
    assert app.receipt_card.receipts == [{"name": "a.jpg", "code": first}]
    assert app.feedback_form.photo["rating"] != 0
    second = agree(NAMES)
    assert app.photo_input.answer_kinds == {"1": "cat", "2": "cat"}
    assert send(app.photo_input, {"number": 1, "action": "show"}) == ""
    assert app.feedback_form.photo["rating"] == 0
    assert [receipt["code"] for receipt in app.receipt_card.receipts] == [first, second]
    send(app.feedback_form, about(app.feedback_form, action="rating", value=1))
    assert [row["user_feedback"] for row in rows()] == [1, None]


def test_after_an_unreadable_photo_the_answer_before_is_hidden_and_its_receipt_is_not(
    app: PredictApp, send: Send, rows: Rows, choose: Choose, agree: Agree
) -> None:
    choose(1, "cat.jpg")
    code = agree(PHOTO)
    assert send(app.photo_input, {"action": "predict", "number": 2, "name": "cat.jpg"}, b"words") == (
        "This is not a picture that can be read. Choose a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
    )
    forms = (app.feedback_form, app.consent_form, app.comment_form)
    assert (app.answer_card.answer, [form.photo for form in forms]) == ({}, [{}, {}, {}])
    assert [receipt["code"] for receipt in app.receipt_card.receipts] == [code]
    assert [row["prediction_result"] for row in rows()] == ["cat", "error"]


def test_a_sample_picture_is_predicted_without_forms(app: PredictApp, send: Send, rows: Rows) -> None:
    assert send(app.photo_input, {"number": 1, "action": "predict_sample", "name": "chelsea"}) == ""
    assert app.answer_card.answer["kind"] == "cat"
    assert "nothing about it is recorded" in app.answer_card.answer["notes"][0]
    forms = (app.feedback_form, app.consent_form, app.comment_form)
    assert ([form.photo for form in forms], app.receipt_card.receipts) == ([{}, {}, {}], [])
    assert app.photo_input.explanation["number"] == 1
    assert (
        send(app.photo_input, {"number": 2, "action": "predict_sample", "name": "mine"})
        == "There is no such sample picture. Choose one of those that are shown."
    )
    assert rows() == []
    assert send(app.photo_input, {"number": 1, "action": "show"}) == ""


def test_of_a_cancelled_photo_nothing_personal_stays(
    app: PredictApp, send: Send, rows: Rows, choose: Choose, agree: Agree
) -> None:
    assert send(app.photo_input, {"number": 1, "action": "discard"}) == ""  # cancelled before it arrived
    choose(2, NAME)
    code = agree(NAMES)
    choose(3, NAME)
    assert send(app.photo_input, {"number": 3, "action": "discard"}) == ""
    assert (app.answer_card.answer, app.feedback_form.photo) == ({}, {})
    assert list(app.photo_input.saved_photos) == list(app.photo_input.answer_kinds) == ["2"]
    assert [receipt["code"] for receipt in app.receipt_card.receipts] == [code]
    assert rows()[1]["consent_id"] is None
    assert send(app.photo_input, {"number": 3, "action": "show"}) == NOT_UNDERSTOOD


def test_a_reloaded_page_goes_on_with_the_visit(
    app: PredictApp, send: Send, rows: Rows, choose: Choose, agree: Agree, cat_jpeg: bytes
) -> None:
    """Another app with the same service is what a reloaded page gets."""
    choose(1, "first.jpg")
    code = agree(NAMES)
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    send(app.photo_input, {"action": "predict_sample", "number": 2, "name": "chelsea"})
    choose(3, "third.jpg")
    send(app.feedback_form, about(app.feedback_form, action="rating", value=0))
    saved = json.loads(json.dumps(app.photo_input.saved_photos))

    later = PredictApp(lambda: app.service, "fr")
    photos: list[dict[str, object]] = [
        {"number": int(number), "name": f"{number}.jpg", "saved": photo} for number, photo in saved.items()
    ]
    restore = {"action": "restore", "number": 1, "photos": photos}
    assert send(later.photo_input, restore, cat_jpeg, b"", b"") == ""
    assert later.photo_input.saved_photos == app.photo_input.saved_photos
    assert later.photo_input.answer_kinds == {"1": "cat", "2": "cat", "3": "cat"}
    assert later.photo_input.explanation["number"] == 1
    assert later.answer_card.answer["kind"] == "cat"
    assert later.receipt_card.receipts == [{"name": "1.jpg", "code": code}]
    assert (later.comment_form.photo["comment"], list(later.consent_form.photo["losses"])) == ("mine", [NAMES])

    decide = {"action": "decide", "purpose": PHOTO, "agreed": True}
    assert send(later.consent_form, about(later.consent_form, **decide)) == "", "its content came along"
    assert len(app.service.export(code)["photos"]) == 1
    send(later.photo_input, {"action": "show", "number": 3})
    assert later.feedback_form.photo["rating"] == 0
    refusal = send(later.consent_form, about(later.consent_form, **decide))
    assert refusal.startswith("Cette photo n’est plus dans notre mémoire.")
    assert send(later.photo_input, {"action": "show", "number": 3}, cat_jpeg) == "", "the page's small copy"
    assert send(later.consent_form, about(later.consent_form, **decide)) == ""
    assert len(later.receipt_card.receipts) == 2
    assert [row["user_feedback"] for row in rows()] == [None, 0]


def test_starting_over_forgets_the_photos_and_erases_nothing(
    app: PredictApp, send: Send, rows: Rows, choose: Choose, agree: Agree
) -> None:
    choose(1, "first.jpg")
    code = agree(NAMES)
    assert send(app.photo_input, {"action": "start_over"}) == ""
    assert (app.photo_input.saved_photos, app.photo_input.answer_kinds, app.photo_input.explanation) == ({}, {}, {})
    assert (app.answer_card.answer, app.feedback_form.photo, app.receipt_card.receipts) == ({}, {}, [])
    assert send(app.photo_input, {"action": "show", "number": 1}) == NOT_UNDERSTOOD
    assert len(app.service.export(code)["predictions"]) == 1
    choose(1, "again.jpg")
    assert len(rows()) == 2


def test_a_photo_that_cannot_be_restored_keeps_no_other_from_it(app: PredictApp, send: Send, choose: Choose) -> None:
    choose(1, "cat.jpg")
    [saved] = app.photo_input.saved_photos.values()
    later = PredictApp(lambda: app.service, "en")
    photos: list[object] = [
        {"number": 1, "name": "a.jpg", "saved": {**saved, "rating": 7}},
        {"number": 2, "name": "b.jpg", "saved": saved},
        "c.jpg",
    ]
    restore = {"action": "restore", "number": 2, "photos": photos}
    assert send(later.photo_input, restore, b"", b"", b"") == NOT_UNDERSTOOD
    del photos[2]
    problem = send(later.photo_input, restore, b"", b"", b"")
    assert problem == "A photo of this visit cannot be restored. Choose it again."
    assert (list(later.photo_input.saved_photos), later.feedback_form.photo["number"]) == (["2"], 2)


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
        ({"number": 1, "action": "restore"}, []),
        ({"number": 1, "action": "restore", "photos": "all"}, []),
        ({"number": 1, "action": "restore", "photos": [{"number": 1, "name": "cat.jpg", "saved": 3}]}, [b""]),
    ],
)
def test_invalid_messages_are_refused(
    app: PredictApp, send: Send, rows: Rows, content: dict[str, Any], buffers: list[bytes]
) -> None:
    assert send(app.photo_input, content, *buffers) == NOT_UNDERSTOOD
    assert rows() == []


def test_an_upload_over_the_limit_is_refused(app: PredictApp, send: Send) -> None:
    assert send(app.photo_input, {"action": "predict", "number": 1, "name": "big.jpg"}, bytes(MAX_BYTES + 1)) == (
        "This file is too large: at most 32 MB."
    )


def test_without_a_database_the_answer_is_shown_and_stored_later(
    database: Settings, send: Send, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as service:
        app = PredictApp(lambda: service, "en")
        assert send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg) == ""
        assert app.answer_card.answer["kind"] == "cat"
        assert "Your answer is safe, and will be stored" in app.answer_card.answer["notes"][0]
        assert send(app.feedback_form, about(app.feedback_form, action="rating", value=1)) == ""
        assert "What you said is safe, and will be stored" in app.feedback_form.done
        assert service.health()["spooled"] == 2
    with Local.open(database) as service:
        later = PredictApp(lambda: service, "en")
        [saved] = app.photo_input.saved_photos.values()
        photos = [{"number": 1, "name": "cat.jpg", "saved": saved}]
        until(lambda: service.health()["spooled"] == 0)
        assert send(later.photo_input, {"action": "restore", "number": 1, "photos": photos}, b"") == ""
        assert "Your answer is safe, and will be stored" in later.answer_card.answer["notes"][0]
        assert send(later.feedback_form, about(later.feedback_form, action="rating", value=0)) == ""
        assert later.answer_card.answer["notes"] == [], "it is stored"


def test_where_nothing_can_be_recorded_the_person_gets_the_answer_and_reads_so(
    database: Settings, send: Send, cat_jpeg: bytes
) -> None:
    full = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1, "spool_megabytes": 0})
    with Local.open(full) as service:
        app = PredictApp(lambda: service, "en")
        assert send(app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg) == ""
        assert app.answer_card.answer["kind"] == "cat"
        [note] = app.answer_card.answer["notes"]
        assert note.startswith("Nothing was recorded about this photo")
        assert not app.feedback_form.photo, "there is nothing to give feedback on"
        assert not app.consent_form.photo


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
