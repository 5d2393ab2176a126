"""The privacy notice says everything that is kept, and the record of processing activities agrees with it."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from catsdogs.database.tables import tables
from catsdogs.domain import DataController
from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.records.consent_notice import ALWAYS_KEPT, KEPT_AS_PROOF, KEPT_WITH_CONSENT, full_text, notice
from catsdogs.records.processing_register import write_register

CONTROLLER = DataController("Example Ltd", "privacy@example.org", 30)
KEPT = (ALWAYS_KEPT, KEPT_WITH_CONSENT, KEPT_AS_PROOF)


def test_every_column_about_people_has_its_words_once() -> None:
    described = Counter(chain.from_iterable(chain.from_iterable(data.values() for data in KEPT)))
    known = tables("predictions_feedback")
    columns = [column.name for column in known.predictions.columns]
    columns += [f"{table.name}.{column.name}" for table in (known.consents, known.photos) for column in table.columns]
    assert described == Counter(columns)


def test_what_is_always_kept_needs_no_consent() -> None:
    """The columns that a constraint ties to consent are not described as kept without."""
    needing = {"filename", "user_comment", "consent_id"}
    assert not needing & set(chain.from_iterable(ALWAYS_KEPT.values()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_say_all_of_it(language: str) -> None:
    _ = Translator(language)
    texts = "\n".join(notice(_, CONTROLLER)), write_register(_, CONTROLLER), full_text(language, CONTROLLER)
    for words in chain.from_iterable(KEPT):
        assert all(_(words) in text for text in texts), words
        assert language == "en" or _(words) != words
    assert not any("{" in text for text in texts)
