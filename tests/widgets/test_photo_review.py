"""The kernel side of the photo review, on a real queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from catsdogs.domain import Consent, Outcome, TrueLabel
from catsdogs.records.review_queue import ReviewQueue
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.photo_review import PhotoReview
from tests.widgets.helpers import NOT_UNDERSTOOD, Received, Send


@pytest.fixture
def service(database: Settings) -> Iterator[Local]:
    with Local.open(database) as service:
        yield service


@pytest.fixture
def queue(service: Local) -> ReviewQueue:
    return ReviewQueue(service._database)


@pytest.fixture
def sent(service: Local, cat_jpeg: bytes) -> Outcome:
    outcome = service.predict(cat_jpeg, consent=Consent(photo=True))
    service.give_feedback(outcome.feedback_id, user_feedback=0, true_label=TrueLabel.BOTH)
    return outcome


def test_it_shows_the_answer_and_the_label_and_stores_a_decision(
    queue: ReviewQueue, sent: Outcome, send: Send, received: Received
) -> None:
    widget = PhotoReview(queue, "en")
    assert send(widget, {"action": "next"}) == ""
    [(message, [jpeg])] = received
    assert bytes(jpeg).startswith(b"\xff\xd8")
    assert message["review"]["photo"] == str(sent.feedback_id)
    model, person = message["review"]["lines"]
    assert model == f"Model {sent.prediction.model_version}: A cat, {sent.prediction.probability:.1%} sure."
    assert person == "The person who sent it: Both."
    assert message["review"]["progress"] == "Reviewed: 0. Waiting: 1."

    assert send(widget, {"action": "decide", "photo": str(sent.feedback_id), "value": "cat"}) == ""
    assert queue.counts()["cat"] == 1
    assert received[-1] == (
        {"review": {"photo": "", "lines": [], "progress": "Reviewed: 1. Waiting: 0.", "can_undo": True}},
        [],
    )
    assert send(widget, {"action": "undo"}) == ""
    assert queue.counts()["waiting"] == 1
    assert received[-1][0]["review"]["can_undo"] is False


def test_the_state_that_a_notebook_saves_holds_no_photo(
    queue: ReviewQueue, sent: Outcome, send: Send, received: Received
) -> None:
    widget = PhotoReview(queue, "en")
    before = widget.get_state()
    send(widget, {"action": "next"})
    assert received[0][1]
    assert widget.get_state() == before


def test_after_an_erased_photo_the_next_one_is_shown(
    service: Local, queue: ReviewQueue, sent: Outcome, send: Send, received: Received
) -> None:
    widget = PhotoReview(queue, "en")
    send(widget, {"action": "next"})
    assert sent.receipt
    service.erase(sent.receipt)
    assert send(widget, {"action": "decide", "photo": str(sent.feedback_id), "value": "cat"}) == (
        "This photo was erased meanwhile."
    )
    assert received[-1][0]["review"]["photo"] == ""
    assert send(widget, {"action": "undo"}) == NOT_UNDERSTOOD  # nothing was decided


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"action": "all"},
        {"action": "decide"},
        {"action": "decide", "photo": "1", "value": "cat"},
        {"action": "decide", "photo": str(uuid4()), "value": "both"},
        {"action": "decide", "photo": str(uuid4()), "value": ["cat"]},
    ],
)
def test_invalid_messages_are_refused(queue: ReviewQueue, send: Send, content: dict[str, Any]) -> None:
    assert send(PhotoReview(queue, "en"), content) == NOT_UNDERSTOOD
