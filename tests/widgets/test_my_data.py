"""What is stored under a receipt code, and what a withdrawal or an erasure changes in the photos of a visit."""

from __future__ import annotations

import logging

import pytest

from catsdogs.domain import Consent
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.predict_app import PredictApp
from tests.widgets.helpers import NAME, NOT_UNDERSTOOD, Rows, Send, about


@pytest.fixture
def receipt(predict_app: PredictApp, send: Send, cat_jpeg: bytes) -> str:
    """Receipt code of a photo of this visit, for which everything was agreed to, and which has a comment."""
    app = predict_app
    send(app.photo_input, {"action": "predict", "number": 1, "name": NAME}, cat_jpeg)
    send(app.feedback_form, about(app.feedback_form, action="rating", value=1))
    for purpose in ("filename_and_comment", "photo"):
        send(app.consent_form, about(app.consent_form, action="decide", purpose=purpose, agreed=True))
    send(app.comment_form, about(app.comment_form, action="save", comment="mine"))
    return app.receipt_card.receipts[0]["code"]


def test_spooled_records_are_shown_to_their_owner(
    predict_app: PredictApp, database: Settings, send: Send, cat_jpeg: bytes
) -> None:
    unreachable = database.model_copy(update={"db_host": "127.0.0.1", "db_port": 1})
    with Local.open(unreachable) as service:
        outcome = service.predict(cat_jpeg, filename=NAME, consent=Consent(True, True))
    assert outcome.receipt
    assert send(predict_app.my_data, {"action": "open", "code": f" {outcome.receipt.lower()} "}) == ""
    [record] = predict_app.my_data.stored_data["records"]
    assert ["File", NAME] in record["facts"]
    assert record["jpeg"]
    [decision] = predict_app.my_data.stored_data["decisions"]
    assert [purpose for purpose, _ in decision["purposes"]] == ["filename_and_comment", "photo"]
    assert outcome.receipt not in predict_app.my_data.stored_data["document"]


def test_a_withdrawal_and_an_erasure_name_their_code_whatever_code_is_open(
    predict_app: PredictApp, send: Send, rows: Rows, receipt: str, cat_jpeg: bytes
) -> None:
    app, my_data = predict_app, predict_app.my_data
    send(app.photo_input, {"action": "predict", "number": 2, "name": "other.jpg"}, cat_jpeg)
    decide = {"action": "decide", "purpose": "photo", "agreed": True}
    send(app.consent_form, about(app.consent_form, **decide))
    other = app.receipt_card.receipts[1]["code"]
    assert send(my_data, {"action": "open", "code": other}) == ""
    assert send(my_data, {"action": "erase", "code": receipt}) == ""
    assert len(rows()) == 1
    assert [entry["code"] for entry in app.receipt_card.receipts] == [other]
    for action in ("withdraw", "erase", "destroy"):
        assert send(my_data, {"action": action, "purpose": "photo"}) == NOT_UNDERSTOOD
    assert send(my_data, {"action": "withdraw", "purpose": "language", "code": other}) == NOT_UNDERSTOOD
    unknown = {"action": "withdraw", "purpose": "photo", "code": receipt}
    assert send(my_data, unknown).startswith("Nothing is kept under this receipt code.")
    assert len(app.service.export(other)["photos"]) == 1


def test_a_receipt_of_the_list_is_opened(
    predict_app: PredictApp, send: Send, receipt: str, caplog: pytest.LogCaptureFixture
) -> None:
    my_data = predict_app.my_data
    assert send(predict_app.receipt_card, {"action": "open"}) == NOT_UNDERSTOOD
    assert send(predict_app.receipt_card, {"action": "open", "code": receipt}) == ""
    assert my_data.code == receipt
    assert send(my_data, {"action": "open", "code": "0000"}).startswith("Nothing is kept under this receipt code.")
    assert (my_data.code, my_data.stored_data) == ("", {})
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_withdrawal_and_an_erasure_reach_the_photo_of_the_visit_however_the_code_is_typed(
    predict_app: PredictApp, send: Send, rows: Rows, receipt: str
) -> None:
    app, typed = predict_app, receipt.lower().replace("-", " ")
    assert send(app.my_data, {"action": "open", "code": typed}) == ""
    assert send(app.my_data, {"action": "withdraw", "purpose": "filename_and_comment", "code": typed}) == ""
    assert list(app.consent_form.photo["losses"]) == ["photo"]
    assert not app.consent_form.photo["can_undo"], "this decision was made elsewhere"
    assert (app.comment_form.photo["comment"], app.comment_form.done) == ("", "")
    assert [(row["filename"], row["user_feedback"]) for row in rows()] == [(None, 1)]
    assert len(app.receipt_card.receipts) == 1
    assert len(app.my_data.stored_data["decisions"]) == 1, "what earlier decisions allowed is not what applies"

    decide = {"action": "decide", "purpose": "filename_and_comment", "agreed": True}
    assert send(app.consent_form, about(app.consent_form, **decide)) == "", "and it can be given again"
    assert [row["filename"] for row in rows()] == [NAME]

    assert send(app.my_data, {"action": "erase", "code": typed}) == ""
    assert rows() == []
    assert app.answer_card.answer["notes"] == ["What was kept about this photo is erased."]
    forms = (app.feedback_form, app.consent_form, app.comment_form)
    assert ([form.photo for form in forms], app.receipt_card.receipts) == ([{}, {}, {}], [])


@pytest.mark.parametrize("noticed_by", ["feedback", "consent", "comment", "receipt"])
def test_an_erasure_elsewhere_is_noticed_with_the_next_message(
    predict_app: PredictApp, send: Send, receipt: str, noticed_by: str
) -> None:
    app = predict_app
    app.service.erase(receipt)
    feedback, consent, comment = app.feedback_form, app.consent_form, app.comment_form
    match noticed_by:
        case "feedback":
            assert send(feedback, about(feedback, action="rating", value=0)) == ""
        case "consent":
            assert send(consent, about(consent, action="decide", purpose="photo", agreed=False)) == ""
        case "comment":
            assert send(comment, about(comment, action="delete")) == ""
        case "receipt":
            problem = send(app.receipt_card, {"action": "open", "code": receipt})
            assert problem.startswith("Nothing is kept under this receipt code.")
    assert app.answer_card.answer["notes"] == ["What was kept about this photo is erased."]
    assert ([form.photo for form in (feedback, consent, comment)], app.receipt_card.receipts) == ([{}, {}, {}], [])
