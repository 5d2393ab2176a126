"""The model card in the reader's language."""

from __future__ import annotations

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
    assert card.held_out_refusals is None, "this card has no such figure yet"
    unseen = {"errors": 2, "log_loss": 0.1, "refused": 4}
    trained = {"photos": {"cat": 50, "dog": 50}, "cross_validation": unseen}
    texts = page_texts(card.model_copy(update={"training": trained}), Translator("en"))
    assert texts["training"][1][-1].endswith("which had not seen them: 4, that is 4.00% (1.57% to 9.84%).")
    val, neither, _ = texts["measured"]["rows"]
    assert (val[4], neither[4]) == ("5 · 0.50% (0.21% to 1.17%)", NOTHING)
