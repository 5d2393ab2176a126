"""Ratings and labels in the prediction app: what the page shows is what is stored."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catsdogs.domain import Answer, Doubt, Prediction
from catsdogs.i18n import Translator
from catsdogs.service.local import Local
from catsdogs.widgets.feedback_form import FeedbackForm
from catsdogs.widgets.predict_app import PredictApp
from catsdogs.widgets.visit import Visit, VisitPhoto
from tests.storage import Storage
from tests.widgets.helpers import NOT_UNDERSTOOD, Predict, Rows, Send, about


def offered(form: FeedbackForm) -> list[dict[str, object]]:
    """Return the messages of the buttons that the page shows."""
    unsure = form.photo["unsure"]
    ratings = [] if unsure else [1, 0]
    labels = form.photo["labels"] if unsure or form.photo["rating"] == 0 else []
    return [
        *(about(form, action="rating", value=rating) for rating in ratings),
        *(about(form, action="true_label", value=label) for label in labels),
    ]


@pytest.mark.parametrize(
    ("prediction", "length"),
    [
        (Prediction(Answer.CAT, 0.99, 0.01, 0.01, "test-1", 3.5), 4),
        (Prediction(Answer.NEITHER, 0.5, 0.5, 0.9, "test-1", 3.5), 3),
        (Prediction(Answer.DOG, 0.4, 0.6, 0.4, "test-1", 3.5, doubt=Doubt.UNSURE), 3),
    ],
    ids=["cat", "neither", "unsure"],
)
def test_every_change_of_mind_stores_exactly_what_the_page_shows(
    prediction: Prediction, length: int, service: Local, storage: Storage, send: Send, predict: Predict
) -> None:
    visit = Visit(lambda: None)
    form = FeedbackForm(Translator("en"), visit, lambda: service)
    columns = storage.database.tables.predictions.c

    def play(presses: tuple[int, ...]) -> int:
        """Press the buttons of these positions for a photo of its own; return how many the page shows at the end."""
        photo = VisitPhoto(1, "cat.jpg", prediction, feedback_id=predict(prediction_result=prediction.answer).id)
        stored = sa.select(columns.user_feedback, columns.true_label).where(columns.id == photo.feedback_id)
        visit.put(photo)
        form.show(photo)
        for press in presses:
            assert send(form, offered(form)[press]) == "", presses
            form.show(visit.get(1))
            rating, label = storage.database.run(lambda connection: connection.execute(stored).one())
            assert (rating, label or "") == (form.photo["rating"], form.photo["true_label"]), presses
        return len(offered(form))

    sequences: list[tuple[int, ...]] = [()]
    for _ in range(length):
        sequences = [(*presses, press) for presses in sequences for press in range(play(presses))]
    for presses in sequences:
        play(presses)
    assert len(sequences) > 20


@pytest.mark.parametrize(
    ("prediction", "ratings"),
    [
        (Prediction(Answer.DOG, 0.4, 0.6, 0.4, "test-1", 3.5, doubt=Doubt.UNSURE), [0, 1, 1, 0]),
        (Prediction(Answer.CAT, 0.6, 0.4, 0.1, "test-1", 3.5, doubt=Doubt.BOTH), [1, 0, 1, 0]),
        (Prediction(Answer.NEITHER, 0.6, 0.4, 0.5, "test-1", 3.5, doubt=Doubt.UNSURE), [0, 0, 0, 1]),
    ],
)
def test_the_label_of_an_unsure_answer_rates_it(
    prediction: Prediction, ratings: list[int], service: Local, storage: Storage, send: Send, predict: Predict
) -> None:
    visit = Visit(lambda: None)
    form = FeedbackForm(Translator("en"), visit, lambda: service)
    table = storage.database.tables.predictions
    photo = VisitPhoto(1, "cat.jpg", prediction, feedback_id=predict(prediction_result=prediction.answer).id)
    visit.put(photo)
    form.show(photo)
    assert form.photo["labels"] == ["cat", "dog", "both", "neither"]
    stored = sa.select(table.c.user_feedback, table.c.true_label).where(table.c.id == photo.feedback_id)
    for label, rating in zip(form.photo["labels"], ratings, strict=True):
        assert send(form, about(form, action="true_label", value=label)) == ""
        assert storage.database.run(lambda connection: connection.execute(stored).one()) == (rating, label)


def test_a_button_that_is_pressed_twice_stores_once(
    predict_app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    form = predict_app.feedback_form
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    for content in (about(form, action="rating", value=0), about(form, action="true_label", value="dog")):
        assert send(form, content) == ""
        [first] = rows()
        assert send(form, content) == ""
        assert rows() == [first], "feedback_at, too"
        assert form.done == "Thank you. This is how the model gets better."


def test_a_message_changes_the_photo_that_it_names_and_not_the_one_shown(
    predict_app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes
) -> None:
    form = predict_app.feedback_form
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": "first.jpg"}, cat_jpeg)
    no_to_the_first = about(form, action="rating", value=0)
    send(predict_app.photo_input, {"action": "predict", "number": 2, "name": "second.jpg"}, cat_jpeg)
    assert send(form, no_to_the_first) == ""
    assert [row["user_feedback"] for row in rows()] == [0, None]
    assert (form.photo["number"], form.photo["rating"], form.done) == (2, None, "")
    send(predict_app.photo_input, {"action": "show", "number": 1})
    assert form.photo["rating"] == 0


@pytest.mark.parametrize(
    "content",
    [
        {"action": "rating", "value": 1},
        {"action": "rating", "value": 1, "feedback_id": ""},
        {"action": "rating", "value": 1, "feedback_id": "None"},
        {"action": "rating", "value": 1, "feedback_id": "0192f0c1-0000-7000-8000-000000000000"},
        {"action": "rating", "value": 1, "feedback_id": 3},
    ],
)
def test_a_message_about_no_photo_of_this_visit_is_refused(
    predict_app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes, content: dict[str, object]
) -> None:
    send(predict_app.photo_input, {"action": "predict_sample", "number": 1, "name": "chelsea"})
    send(predict_app.photo_input, {"action": "predict", "number": 2, "name": "cat.jpg"}, cat_jpeg)
    for form in (predict_app.feedback_form, predict_app.consent_form, predict_app.comment_form):
        assert send(form, content) == NOT_UNDERSTOOD
    assert rows()[0]["user_feedback"] is None


@pytest.mark.parametrize(
    "wrong",
    [{}, {"action": "rate"}, {"action": "rating", "value": "1"}, {"action": "true_label", "value": "bird"}],
)
def test_an_invalid_message_is_refused(
    predict_app: PredictApp, send: Send, rows: Rows, cat_jpeg: bytes, wrong: dict[str, object]
) -> None:
    send(predict_app.photo_input, {"action": "predict", "number": 1, "name": "cat.jpg"}, cat_jpeg)
    assert send(predict_app.feedback_form, about(predict_app.feedback_form, **wrong)) == NOT_UNDERSTOOD
    assert rows()[0]["user_feedback"] is None
