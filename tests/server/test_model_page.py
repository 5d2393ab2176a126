"""The model card in the reader's language."""

from __future__ import annotations

from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.server.model_page import TRANSLATED_SENTENCES, page_texts


def test_what_trainings_write_on_the_shipped_card_is_known_and_translated() -> None:
    card = read_card(SHIPPED)
    said = {card.architecture, card.intended_use, *card.limits}
    assert said <= TRANSLATED_SENTENCES


def test_what_somebody_else_wrote_is_marked_as_english_and_what_is_missing_left_out() -> None:
    card = read_card(SHIPPED).model_copy(
        update={
            "limits": ["It is mine."],
            "training": {"photos": "some"},
            "metrics": {},
            "created": "2026-03-01T12:00:00Z",
        }
    )
    words = page_texts(card, Translator("fr"))
    assert words["limits"][1] == [("It is mine.", "en")]
    assert [language for _, language in words["use"][1]] == ["fr"]
    assert len(words["training"][1]) == 1
    assert words["measured"]["rows"] == []
    assert words["reliability"]["sets"] == {}
