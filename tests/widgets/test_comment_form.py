"""The comment on a photo: stored with consent, read again, changed."""

from __future__ import annotations

import pytest

from catsdogs.domain import MAX_COMMENT
from catsdogs.widgets.predict_app import PredictApp
from tests.widgets.helpers import NOT_UNDERSTOOD, Rows, Send, about


@pytest.fixture
def app(predict_app: PredictApp, send: Send, cat_jpeg: bytes) -> PredictApp:
    """The app with a photo on which a comment may be kept."""
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    form = predict_app.consent_form
    send(form, about(form, action="decide", purpose="filename_and_comment", agreed=True))
    return predict_app


def test_a_comment_is_read_again_and_changed(app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    form = app.comment_form
    assert (form.photo["may_comment"], form.photo["comment"]) == (True, "")
    assert send(form, about(form, action="save", comment=" first\n")) == ""
    assert (form.photo["comment"], form.done) == ("first", "Thank you, your comment was kept.")
    send(app.photo_input, {"action": "predict", "number": 2, "name": "other.jpg"}, cat_jpeg)
    assert (form.photo["may_comment"], form.photo["comment"], form.done) == (False, "", "")
    send(app.photo_input, {"action": "show", "number": 1})
    assert form.photo["comment"] == "first"
    assert send(form, about(form, action="save", comment="second")) == ""
    assert (form.photo["comment"], rows()[0]["user_comment"]) == ("second", "second")


@pytest.mark.parametrize(
    ("comment", "stored"),
    [
        ("\N{CAT FACE}" * MAX_COMMENT, "\N{CAT FACE}" * MAX_COMMENT),  # two units each in JavaScript
        ("  " + "a" * MAX_COMMENT + "\n", "a" * MAX_COMMENT),
        ("a\0b \ud83d", "ab ?"),  # half of a character, as a browser may cut it
    ],
)
def test_the_form_shows_the_comment_as_it_is_stored(
    app: PredictApp, send: Send, rows: Rows, comment: str, stored: str
) -> None:
    assert send(app.comment_form, about(app.comment_form, action="save", comment=comment)) == ""
    assert (app.comment_form.photo["comment"], rows()[0]["user_comment"]) == (stored, stored)


def test_a_comment_that_is_refused_changes_nothing(app: PredictApp, send: Send, rows: Rows) -> None:
    form = app.comment_form
    send(form, about(form, action="save", comment="mine"))
    assert send(form, about(form, action="save", comment=" \n")) == "The comment is empty. Write something first."
    too_long = send(form, about(form, action="save", comment="\N{CAT FACE}" * (MAX_COMMENT + 1)))
    assert too_long == "The comment is too long: at most 1000 characters."
    assert send(form, about(form, action="save", text="other")) == NOT_UNDERSTOOD
    assert (form.photo["comment"], rows()[0]["user_comment"], form.done) == ("mine", "mine", "")


def test_a_comment_is_deleted(app: PredictApp, send: Send, rows: Rows) -> None:
    form = app.comment_form
    send(form, about(form, action="save", comment="mine"))
    for _ in range(2):  # pressed twice
        assert send(form, about(form, action="delete")) == ""
        assert (form.photo["comment"], form.done) == ("", "Your comment is deleted.")
    [row] = rows()
    assert (row["user_comment"], row["filename"]) == (None, "cat.jpg")
    assert send(form, about(form, action="remove")) == NOT_UNDERSTOOD


def test_without_consent_a_comment_is_refused(predict_app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes) -> None:
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    refusal = send(predict_app.comment_form, about(predict_app.comment_form, action="save", comment="mine"))
    assert refusal.startswith("A comment is kept only with your consent.")
    assert rows()[0]["user_comment"] is None
