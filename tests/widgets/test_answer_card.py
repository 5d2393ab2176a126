from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catsdogs.domain import Answer, Doubt, Note, Prediction
from catsdogs.i18n import Translator
from catsdogs.widgets.answer_card import AnswerCard


def card_of(proba_dog: float, *remarks: str, language: str = "en", **changes: Any) -> AnswerCard:
    answer = Answer.DOG if proba_dog >= 0.5 else Answer.CAT
    prediction = replace(Prediction(answer, 1 - proba_dog, proba_dog, 0.1, "1.0", 12.34), **changes)
    card = AnswerCard(Translator(language))
    card.show(prediction, *remarks)
    return card


@pytest.mark.parametrize(
    ("proba_dog", "headline", "detail"),
    [
        (0.97, "It is a dog!", "The model is 97.0% sure."),
        (0.20, "It looks like a cat", "The model is 80.0% sure."),
        (0.55, "Hard to say: perhaps a dog", "The model is 55.0% sure."),
        (0.99999, "It is a dog!", "The model is more than 99.9% sure."),
    ],
)
def test_the_headline_follows_the_confidence(proba_dog: float, headline: str, detail: str) -> None:
    answer = card_of(proba_dog).answer
    assert (answer["headline"], answer["detail"]) == (headline, detail)


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


def test_neither_is_shown_with_both_probabilities() -> None:
    answer = card_of(0.3, answer=Answer.NEITHER, neither_score=0.9).answer
    assert answer["headline"] == "Neither a cat nor a dog"
    assert [bar["figure"] for bar in answer["bars"]] == ["70.0%", "30.0%"]


def test_notes_and_remarks_are_shown() -> None:
    notes = card_of(0.9, "It is safe.", notes=(Note.FIRST_FRAME,)).answer["notes"]
    assert ["first picture" in notes[0], notes[1:]] == [True, ["It is safe."]]
    assert card_of(0.9).answer["notes"] == []


def test_figures_are_formatted_in_the_language() -> None:
    answer = card_of(0.97, language="fr").answer
    assert answer["time"].replace("\u202f", " ") == "12,3 ms"
    assert answer["headline"].startswith("C’est un chien")
