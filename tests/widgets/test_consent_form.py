"""What may be kept of a photo: decisions, their effect on what is stored, and undoing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catsdogs.errors import ServiceUnavailable
from catsdogs.widgets import visit
from catsdogs.widgets.predict_app import PredictApp
from tests.widgets.helpers import NAME, NOT_UNDERSTOOD, Rows, Send, about

NAMES, PHOTO = "filename_and_comment", "photo"
Decide = Callable[[str, bool], str]


@pytest.fixture
def app(predict_app: PredictApp, send: Send, cat_jpeg: bytes) -> PredictApp:
    """The app with a photo that is rated as wrong, and labelled."""
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    assert not predict_app.consent_form.photo["rated"]
    send(predict_app.feedback_form, about(predict_app.feedback_form, action="rating", value=0))
    send(predict_app.feedback_form, about(predict_app.feedback_form, action="true_label", value="dog"))
    assert predict_app.consent_form.photo["rated"]
    return predict_app


@pytest.fixture
def decide(app: PredictApp, send: Send) -> Decide:
    """Tick a box (True) or take the tick away."""
    form = app.consent_form
    return lambda purpose, agreed: send(form, about(form, action="decide", purpose=purpose, agreed=agreed))


def kept(app: PredictApp, rows: Rows) -> dict[str, Any]:
    """Return what is kept about the photo shown."""
    [row] = rows()
    names = ("user_feedback", "true_label", "rgpd_consent", "filename", "user_comment")
    code = app.receipt_card.receipts[0]["code"] if app.receipt_card.receipts else None
    photos = len(app.service.export(code)["photos"]) if code else 0
    return {name: row[name] for name in names} | {"photos": photos, "code": code}


def test_a_consent_whose_response_was_lost_is_given_again(
    app: PredictApp, decide: Decide, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = app.service.change_consent

    def lose_the_response(*arguments: Any, **fields: Any) -> None:
        change(*arguments, **fields)
        raise ServiceUnavailable("The server cannot be reached. Try again in a moment.")

    with monkeypatch.context() as patch:
        patch.setattr(app.service, "change_consent", lose_the_response)
        assert decide(NAMES, True).startswith("The server cannot be reached.")
    assert kept(app, rows)["code"] is None
    assert decide(NAMES, True) == ""
    assert kept(app, rows)["filename"] == NAME
    assert len(app.service.export(app.receipt_card.receipts[0]["code"])["decisions"]) == 1


def test_in_a_duplicate_of_the_tab_a_decision_made_elsewhere_is_shown_before_it_is_changed(
    app: PredictApp, send: Send, decide: Decide, rows: Rows, cat_jpeg: bytes
) -> None:
    copy = PredictApp(lambda: app.service, "en")
    [saved] = app.photo_input.saved_photos.values()
    restored = {"number": 1, "name": NAME, "saved": saved}
    assert send(copy.photo_input, {"action": "restore", "number": 1, "photos": [restored]}, cat_jpeg) == ""

    assert decide(NAMES, True) == ""
    assert send(app.comment_form, about(app.comment_form, action="save", comment="mine")) == ""
    tick = about(copy.consent_form, action="decide", purpose=PHOTO, agreed=True)
    assert "changed elsewhere" in send(copy.consent_form, tick)
    assert copy.receipt_card.receipts == app.receipt_card.receipts
    assert list(copy.consent_form.photo["losses"]) == [NAMES]
    assert copy.comment_form.photo["comment"] == "mine"
    assert kept(app, rows)["user_comment"] == "mine"
    assert send(copy.consent_form, tick) == ""
    assert (kept(app, rows)["user_comment"], kept(app, rows)["photos"]) == ("mine", 1)

    code = app.receipt_card.receipts[0]["code"]
    assert send(app.my_data, {"action": "open", "code": code}) == ""
    assert list(app.consent_form.photo["losses"]) == [NAMES, PHOTO], "opening a code shows what applies"
    app.service.erase(code)
    assert send(copy.consent_form, about(copy.consent_form, action="decide", purpose=PHOTO, agreed=False)) == ""
    assert copy.receipt_card.receipts == []


def test_there_is_one_empty_box_per_purpose(app: PredictApp) -> None:
    assert [purpose for purpose, *_ in app.consent_form.purposes] == [NAMES, PHOTO]
    assert app.consent_form.photo["losses"] == {}


def test_a_tick_acts_at_once_on_this_photo_and_a_wider_consent_keeps_everything(
    app: PredictApp, send: Send, decide: Decide, rows: Rows
) -> None:
    assert decide(NAMES, True) == ""
    assert app.consent_form.done == "The file's name is kept. You can add a comment below."
    comment = about(app.comment_form, action="save", comment="  she is called Chelsea ")
    assert send(app.comment_form, comment) == ""
    before = kept(app, rows)
    assert before == {
        "user_feedback": 0,
        "true_label": "dog",
        "rgpd_consent": True,
        "filename": NAME,
        "user_comment": "she is called Chelsea",
        "photos": 0,
        "code": app.receipt_card.receipts[0]["code"],
    }
    assert decide(PHOTO, True) == ""
    assert kept(app, rows) == before | {"photos": 1}
    assert decide(PHOTO, True) == "", "pressed twice"
    assert kept(app, rows) == before | {"photos": 1}


def test_a_narrower_consent_removes_only_what_the_page_names_and_undoing_it_restores_all(
    app: PredictApp, send: Send, decide: Decide, rows: Rows
) -> None:
    for purpose in (NAMES, PHOTO):
        decide(purpose, True)
    losses = {NAMES: "Delete the file's name?", PHOTO: "Delete the copy of the photo that is kept?"}
    assert app.consent_form.photo["losses"] == losses
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    assert app.consent_form.photo["losses"] == losses | {NAMES: "Delete the file's name and your comment?"}
    before = kept(app, rows)

    assert decide(NAMES, False) == ""
    assert app.consent_form.done == "Name and comment are deleted."
    without = {"rgpd_consent": False, "filename": None, "user_comment": None}
    assert kept(app, rows) == before | without
    assert (app.comment_form.photo["comment"], app.comment_form.photo["may_comment"]) == ("", False)
    assert (app.consent_form.photo["can_undo"], app.consent_form.photo["undo_loss"]) == (True, "")
    assert send(app.consent_form, about(app.consent_form, action="undo")) == ""
    assert kept(app, rows) == before
    assert (app.comment_form.photo["comment"], app.consent_form.photo["can_undo"]) == ("mine", False)

    assert decide(PHOTO, False) == ""
    assert kept(app, rows) == before | {"photos": 0}
    assert send(app.consent_form, about(app.consent_form, action="undo")) == ""
    assert kept(app, rows) == before


def test_the_first_tick_can_be_undone_and_the_receipt_stays(
    app: PredictApp, send: Send, decide: Decide, rows: Rows
) -> None:
    before = kept(app, rows)
    decide(NAMES, True)
    code = app.receipt_card.receipts[0]["code"]
    assert app.consent_form.photo["undo_loss"] == ""
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    assert app.consent_form.photo["undo_loss"] == "Delete the file's name and your comment?"
    assert send(app.consent_form, about(app.consent_form, action="undo")) == ""
    assert kept(app, rows) == before | {"code": code}
    assert app.comment_form.photo["comment"] == ""
    assert app.receipt_card.receipts[0]["code"] == code, "the decision is found under it"
    assert app.comment_form.done == "", "it does not say that a comment was kept"
    assert send(app.consent_form, about(app.consent_form, action="undo")) == NOT_UNDERSTOOD
    decide(PHOTO, True)
    assert app.receipt_card.receipts[0]["code"] == code, "the same receipt is valid"


def test_undoing_that_stops_before_the_comment_shows_what_is_kept_and_can_be_done_again(
    app: PredictApp, send: Send, decide: Decide, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server takes the decision, and refuses the comment: it is too busy, or the client sent too much."""
    decide(NAMES, True)
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    before = kept(app, rows)
    decide(NAMES, False)

    def refuse(*_args: object, **_fields: object) -> bool:
        raise ServiceUnavailable("The server is busy.")

    with monkeypatch.context() as patch:
        patch.setattr(app.service, "give_feedback", refuse)
        assert send(app.consent_form, about(app.consent_form, action="undo")) == "The server is busy."
    assert kept(app, rows) == before | {"user_comment": None}
    assert (app.comment_form.photo["may_comment"], app.comment_form.photo["comment"]) == (True, "")
    assert app.consent_form.photo["losses"] == {NAMES: "Delete the file's name?"}
    assert send(app.consent_form, about(app.consent_form, action="undo")) == ""
    assert kept(app, rows) == before
    assert not app.consent_form.photo["can_undo"]


@pytest.mark.parametrize("agreed", [True, False])
def test_undoing_a_decision_about_the_photo_does_not_bring_a_deleted_comment_back(
    app: PredictApp, send: Send, decide: Decide, rows: Rows, agreed: bool
) -> None:
    decide(NAMES, True)
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    decide(PHOTO, True)
    if not agreed:
        decide(PHOTO, False)
    send(app.comment_form, about(app.comment_form, action="delete"))
    assert send(app.consent_form, about(app.consent_form, action="undo")) == ""
    assert (rows()[0]["user_comment"], app.comment_form.photo["comment"]) == (None, "")


def test_each_photo_has_its_own_consent_and_an_earlier_one_can_be_given_one_later(
    app: PredictApp, send: Send, decide: Decide, rows: Rows, cat_jpeg: bytes
) -> None:
    send(app.photo_input, {"action": "predict", "number": 2, "name": "second.jpg"}, cat_jpeg)
    assert decide(NAMES, True) == ""
    send(app.photo_input, {"action": "show", "number": 1})
    assert (app.consent_form.photo["losses"], app.consent_form.done) == ({}, "")
    assert decide(PHOTO, True) == ""
    first, second = rows()
    assert (first["filename"], second["filename"]) == (None, "second.jpg")
    assert [receipt["name"] for receipt in app.receipt_card.receipts] == [NAME, "second.jpg"]
    first_export, second_export = (app.service.export(receipt["code"]) for receipt in app.receipt_card.receipts)
    assert (len(first_export["photos"]), len(second_export["photos"])) == (1, 0)


def test_a_photo_that_is_not_in_memory_any_more_is_chosen_again(
    app: PredictApp, send: Send, decide: Decide, rows: Rows, cat_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit, "MAX_CONTENT_BYTES", len(cat_jpeg))
    send(app.photo_input, {"action": "predict", "number": 2, "name": "second.jpg"}, cat_jpeg)
    send(app.photo_input, {"action": "show", "number": 1})
    assert decide(PHOTO, True) == "This photo is not in our memory any more. Choose it again, and then agree."
    assert decide(NAMES, True) == ""
    assert rows()[0]["filename"] == NAME


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "decide", "purpose": "language", "agreed": True},
        {"action": "decide", "purpose": PHOTO, "agreed": "yes"},
        {"action": "agree", "purpose": PHOTO, "agreed": True},
        {"action": "undo"},
    ],
)
def test_an_invalid_message_is_refused(app: PredictApp, send: Send, rows: Rows, wrong: dict[str, object]) -> None:
    assert send(app.consent_form, about(app.consent_form, **wrong)) == NOT_UNDERSTOOD
    assert rows()[0]["consent_id"] is None
