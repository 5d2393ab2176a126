from __future__ import annotations

import ast
import re
from datetime import UTC, datetime

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.i18n import DEFAULT_LANGUAGE, LANGUAGES, Translator, negotiate
from tests.messages import KEYWORDS, PACKAGE, catalogue_path, extract, is_translated, update

TRANSLATED = sorted(LANGUAGES.keys() - {DEFAULT_LANGUAGE})


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_is_complete_and_current(language: str) -> None:
    text, catalogue = update(language, extract())
    assert catalogue_path(language).read_bytes() == text, "run `make messages`"
    assert [one.id for one in catalogue if one.id and not is_translated(one)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_placeholders_of_the_original(language: str) -> None:
    _, catalogue = update(language, extract())
    placeholders = re.compile(r"\{(\w+)\}")
    for message in catalogue:
        if not message.id:  # the header
            continue
        original = message.id if isinstance(message.id, str) else message.id[-1]
        translations = [message.string] if isinstance(message.string, str) else message.string
        assert translations, message.id
        for translation in translations:
            assert set(placeholders.findall(translation)) == set(placeholders.findall(original)), message.id


def test_no_line_of_a_french_text_begins_with_a_punctuation_mark() -> None:
    """French has a space before these marks, which must not be a place where a browser breaks the line."""
    _, catalogue = update("fr", extract())
    texts = [message.string or "" for message in catalogue if message.id]
    translations = [text for forms in texts for text in ([forms] if isinstance(forms, str) else forms)]
    assert [text for text in translations if re.search("« | [:;?!»%]", text)] == []


def test_french_texts_have_typographic_apostrophes() -> None:
    _, catalogue = update("fr", extract())
    assert [message.string for message in catalogue if message.id and re.search(r"\w'\w", str(message.string))] == []


def test_no_text_stands_inside_an_f_string() -> None:
    """Before Python 3.12, `make messages` does not see it there."""
    for path in PACKAGE.rglob("*.py"):
        strings = [one for one in ast.walk(ast.parse(path.read_bytes())) if isinstance(one, ast.JoinedStr)]
        calls = [one.func for string in strings for one in ast.walk(string) if isinstance(one, ast.Call)]
        names = [getattr(one, "id", getattr(one, "attr", "")) for one in calls]
        assert not KEYWORDS.keys() & {*names}, path


def test_extraction_finds_texts_and_error_messages() -> None:
    template = extract()
    assert "Line {line} of .env is not NAME=VALUE. Correct or delete it." in template


def test_an_error_is_described_in_the_readers_language() -> None:
    error = InvalidInput("Line {line} of .env is not NAME=VALUE. Correct or delete it.", line=3)
    assert str(error) == Translator("en").describe(error)
    assert "3" in Translator("fr").describe(error)
    assert Translator("fr").describe(error) != str(error)


def test_values_that_look_like_placeholders_stay_unchanged() -> None:
    assert str(InvalidInput("No such file: {name}.", name="{0}{x}")) == "No such file: {0}{x}."
    assert str(InvalidInput("100 % {of it}")) == "100 % {of it}"


@pytest.mark.parametrize(
    ("preferences", "language"),
    [
        ((None,), "en"),
        (("fr",), "fr"),
        (("FR-ca",), "fr"),
        ((None, "de, fr;q=0.5, en;q=0.3"), "fr"),
        (("en;q=0.1,fr;q=0.9",), "fr"),
        (("xx", "fr"), "fr"),
        (("fr;q=0", None), "en"),
        (("*",), "en"),
        (("<script>;q=zz,,;",), "en"),
    ],
)
def test_negotiate_chooses_the_most_preferred_language(preferences: tuple[str | None, ...], language: str) -> None:
    assert negotiate(*preferences) == language


@pytest.mark.parametrize(
    ("n", "digits", "english", "french"),
    [
        (0, 0, "0 points", "0 point"),
        (1, 0, "1 point", "1 point"),
        (2, 0, "2 points", "2 points"),
        (1, 1, "1.0 points", "1,0 point"),
        (1.5, 1, "1.5 points", "1,5 point"),
        (1.96, 1, "2.0 points", "2,0 points"),
        (2_000_000, 0, "2,000,000 points", "2 000 000 points"),
    ],
)
def test_a_counted_noun_agrees_with_its_number(n: float, digits: int, english: str, french: str) -> None:
    """In French, what is below 2 is singular, with decimals too; in English, only 1 without decimals is."""
    shown = [Translator(code).plural("{n} point", "{n} points", n, digits=digits) for code in ("en", "fr")]
    assert [re.sub(r"\s", " ", text) for text in shown] == [english, french]


def test_figures_are_formatted_in_the_language() -> None:
    en, fr = Translator("en"), Translator("fr")
    assert (en.percent(0.9712), en.number(12345.678, 1)) == ("97.1%", "12,345.7")
    assert fr.percent(0.9712).replace("\xa0", " ") == "97,1 %"
    assert re.sub(r"\s", " ", fr.number(12345.678, 1)) == "12 345,7"
    moment = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    assert en.datetime(moment) != fr.datetime(moment)


@pytest.mark.parametrize(
    ("share", "digits", "words", "signs"),
    [
        (0, 1, "0%", "0%"),
        (1, 1, "100%", "100%"),
        (1e-9, 1, "less than 0.1%", "< 0.1%"),
        (0.0004999, 1, "less than 0.1%", "< 0.1%"),
        (0.0006, 1, "0.1%", "0.1%"),
        (0.9994, 1, "99.9%", "99.9%"),
        (0.9996, 1, "more than 99.9%", "> 99.9%"),
        (0.99996, 2, "more than 99.99%", "> 99.99%"),
        (0.998, 0, "more than 99%", "> 99%"),
        (1.5, 0, "150%", "150%"),
    ],
)
def test_only_nothing_is_0_percent_and_only_everything_is_100(
    share: float, digits: int, words: str, signs: str
) -> None:
    en = Translator("en")
    assert en.percent(share, digits) == words
    assert en.percent(share, digits, short=True).replace("\xa0", " ") == signs


@pytest.mark.parametrize("share", [0.0, 1e-12, 0.0005, 0.9995, 1 - 1e-12, 1.0])
def test_a_probability_is_never_0_or_100_percent(share: float) -> None:
    en, fr = Translator("en"), Translator("fr")
    low = share < 0.5
    assert en.probability(share) == ("less than 0.1%" if low else "more than 99.9%")
    assert fr.probability(share).replace("\xa0", " ") == ("moins de 0,1 %" if low else "plus de 99,9 %")
    assert en.probability(share, short=True).replace("\xa0", " ") == ("< 0.1%" if low else "> 99.9%")


def test_an_unknown_language_falls_back_to_the_default() -> None:
    assert Translator("xx").language == DEFAULT_LANGUAGE
