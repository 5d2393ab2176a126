"""The review's kernel side, on a real queue."""

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

NOT_UNDERSTOOD = "The page sent something that was not understood. Reload it and try again."


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


def test_it_shows_what_model_and_person_said_and_takes_a_decision(
    queue: ReviewQueue, sent: Outcome, ask: Any, shown: Any
) -> None:
    part = PhotoReview(queue, "en")
    assert ask(part, {"action": "next"}) == ""
    [(message, [jpeg])] = shown
    assert bytes(jpeg).startswith(b"\xff\xd8")
    assert message["review"]["photo"] == str(sent.feedback_id)
    model, person = message["review"]["lines"]
    assert model == f"Model {sent.prediction.model_version}: A cat, {sent.prediction.confidence:.1%} sure."
    assert person == "The person who sent it: Both."
    assert message["review"]["progress"] == "Reviewed: 0. Waiting: 1."

    assert ask(part, {"action": "decide", "photo": str(sent.feedback_id), "value": "cat"}) == ""
    assert queue.counts()["cat"] == 1
    assert shown[-1] == (
        {"review": {"photo": "", "lines": [], "progress": "Reviewed: 1. Waiting: 0.", "can_undo": True}},
        [],
    )
    assert ask(part, {"action": "undo"}) == ""
    assert queue.counts()["waiting"] == 1
    assert shown[-1][0]["review"]["can_undo"] is False


def test_nothing_of_a_photo_is_in_the_state_that_a_notebook_saves(
    queue: ReviewQueue, sent: Outcome, ask: Any, shown: Any
) -> None:
    part = PhotoReview(queue, "en")
    before = part.get_state()
    ask(part, {"action": "next"})
    assert shown[0][1]
    assert part.get_state() == before


def test_a_photo_that_was_erased_meanwhile_gives_way_to_the_next(
    service: Local, queue: ReviewQueue, sent: Outcome, ask: Any, shown: Any
) -> None:
    part = PhotoReview(queue, "en")
    ask(part, {"action": "next"})
    assert sent.receipt
    service.erase(sent.receipt)
    assert ask(part, {"action": "decide", "photo": str(sent.feedback_id), "value": "cat"}) == (
        "This photo was erased meanwhile."
    )
    assert shown[-1][0]["review"]["photo"] == ""
    assert ask(part, {"action": "undo"}) == NOT_UNDERSTOOD  # nothing was decided


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
def test_what_no_page_sends_is_refused(queue: ReviewQueue, ask: Any, content: dict[str, Any]) -> None:
    assert ask(PhotoReview(queue, "en"), content) == NOT_UNDERSTOOD
