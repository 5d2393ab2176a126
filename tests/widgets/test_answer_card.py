from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catsdogs.domain import Answer, Doubt, Note, Prediction
from catsdogs.i18n import Translator
from catsdogs.widgets.answer_card import AnswerCard, is_question


def card_of(proba_dog: float, *remarks: str, language: str = "en", **changes: Any) -> AnswerCard:
    answer = Answer.DOG if proba_dog >= 0.5 else Answer.CAT
    prediction = replace(Prediction(answer, 1 - proba_dog, proba_dog, 0.02, "1.0", 12.34), **changes)
    card = AnswerCard(Translator(language))
    card.show(prediction, *remarks)
    return card


def figures(card: AnswerCard) -> dict[str, str]:
    return {bar["label"]: bar["figure"].replace("\xa0", " ") for bar in card.answer["bars"]}


@pytest.mark.parametrize(
    ("proba_dog", "neither_score", "headline", "detail"),
    [
        (0.97, 0.0, "It is a dog!", "The model is 97.0% sure."),
        (0.20, 0.0, "It looks like a cat", "The model is 80.0% sure."),
        (0.55, 0.0, "Hard to say: perhaps a dog", "The model is only 55.0% sure."),
        (0.99999, 1e-5, "It is a dog!", "The model is more than 99.9% sure."),
        (1.0, 0.0, "It is a dog!", "The model is more than 99.9% sure."),
        (0.9999, 0.2, "It looks like a dog", "The model is 80.0% sure."),
        (0.9999, 0.36, "Hard to say: perhaps a dog", "The model is only 64.0% sure."),
    ],
)
def test_the_headline_says_how_sure_the_whole_model_is(
    proba_dog: float, neither_score: float, headline: str, detail: str
) -> None:
    card = card_of(proba_dog, neither_score=neither_score)
    assert (card.answer["headline"], card.answer["detail"]) == (headline, detail)
    given = "Dog" if proba_dog >= 0.5 else "Cat"
    assert figures(card)[given].replace(">", "more than") in detail


@pytest.mark.parametrize(
    ("doubt", "values", "kind", "headline"),
    [
        (Doubt.BOTH, {}, "both", "A cat and a dog?"),
        (Doubt.UNSURE, {}, "unsure", "Hard to say: perhaps a dog"),
        (Doubt.UNSURE, {"answer": Answer.NEITHER}, "unsure", "Hard to say: perhaps neither"),
        (None, {}, "dog", "It is a dog!"),
    ],
)
def test_a_doubt_has_a_headline_and_an_icon_of_its_own(
    doubt: Doubt | None, values: dict[str, Any], kind: str, headline: str
) -> None:
    answer = card_of(0.97, doubt=doubt, **values).answer
    assert (answer["kind"], answer["headline"]) == (kind, headline)


def test_the_bars_compare_the_three_answers() -> None:
    horse = card_of(0.9999, neither_score=0.36)
    assert figures(horse) == {"Cat": "< 0.1%", "Dog": "64.0%", "Neither": "36.0%"}
    neither = card_of(0.3, answer=Answer.NEITHER, neither_score=0.9)
    assert neither.answer["headline"] == "Neither a cat nor a dog"
    assert figures(neither) == {"Cat": "7.0%", "Dog": "3.0%", "Neither": "90.0%"}
    assert neither.answer["title"] == "How likely the model finds each"
    assert sum(bar["share"] for bar in neither.answer["bars"]) == pytest.approx(1)
    assert card_of(0.6, doubt=Doubt.BOTH).answer["title"] == "If it had to be one of them"


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, False),
        ({"answer": Answer.NEITHER, "neither_score": 0.9}, False),
        ({"doubt": Doubt.BOTH}, True),
        ({"doubt": Doubt.UNSURE}, True),
        ({"neither_score": 0.36}, True),
    ],
)
def test_an_answer_that_states_nothing_is_a_question(values: dict[str, Any], asked: bool) -> None:
    prediction = replace(Prediction(Answer.DOG, 0.01, 0.99, 0.02, "1.0", 12.34), **values)
    assert is_question(prediction) is asked


def test_notes_and_remarks_are_shown() -> None:
    notes = card_of(0.9, "It is safe.", notes=(Note.FIRST_FRAME,)).answer["notes"]
    assert ["first picture" in notes[0], notes[1:]] == [True, ["It is safe."]]
    assert card_of(0.9).answer["notes"] == []


def test_figures_are_formatted_in_the_language() -> None:
    answer = card_of(0.97, language="fr").answer
    assert answer["time"].replace("\u202f", " ") == "12,3 ms"
    assert answer["headline"].startswith("C’est un chien")
