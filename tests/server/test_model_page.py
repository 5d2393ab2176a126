"""The model card in the reader's language."""

from __future__ import annotations

import re
from dataclasses import replace

from catsdogs.i18n import NOTHING, Translator
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.server.model_page import TRANSLATED_SENTENCES, page_texts


def test_the_texts_of_the_shipped_card_are_translated() -> None:
    card = read_card(SHIPPED)
    texts = {card.architecture, card.intended_use, *card.limits}
    assert texts <= TRANSLATED_SENTENCES


def test_texts_of_other_cards_are_marked_as_english_and_missing_ones_left_out() -> None:
    card = read_card(SHIPPED).model_copy(
        update={
            "limits": ["It is mine."],
            "training": {"photos": "some"},
            "metrics": {},
            "created": "2026-03-01T12:00:00Z",
        }
    )
    texts = page_texts(card, Translator("fr"))
    assert texts["limits"][1] == [("It is mine.", "en")]
    assert [language for _, language in texts["use"][1]] == ["fr"]
    assert len(texts["training"][1]) == 1
    assert texts["measured"]["rows"] == []
    assert texts["reliability"]["sets"] == {}


def test_one_photo_of_a_visitor_is_not_many() -> None:
    def sentence(photos: int) -> str:
        card = read_card(SHIPPED)
        card = card.model_copy(update={"training": {**card.training, "feedback": photos}})
        return str(page_texts(card, Translator("en"))["training"][1][2])

    assert sentence(1) == "1 of them was sent by a person who let it be kept for that, and was reviewed."
    assert sentence(2).startswith("2 of them were sent by people")


def test_refused_pets_are_told_with_their_interval() -> None:
    card = read_card(SHIPPED)
    unseen = {"errors": 2, "log_loss": 0.1, "refused": 4, "accepted": 2}
    trained = {"photos": {"cat": 50, "dog": 50}, "others": 30, "copy_weight": 0.25, "cross_validation": unseen}
    no_pets = replace(card.metrics["val"], reliability=())
    update = {"training": trained, "metrics": card.metrics | {"neither": no_pets}}
    texts = page_texts(card.model_copy(update=update), Translator("en"))
    assert "a changed copy of each photo" in texts["training"][1][2]
    assert texts["training"][1][-2].endswith("which had not seen them: 4, that is 4.00% (1.57% to 9.84%).")
    assert "compares with: 30. Taken for pets, each compared" in texts["training"][1][-1]
    assert texts["training"][1][-1].endswith("the others alone: 2.")
    val, other = texts["measured"]["rows"]
    assert re.fullmatch(r"\d · 0\.\d0% \(0\.\d\d% to \d\.\d\d%\)", val[4])
    assert other[4] == NOTHING
