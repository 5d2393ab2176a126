"""Languages: gettext catalogues and number formats, in the reader's language.

The English text is the key. ``make messages`` brings new texts into ``locale/*/LC_MESSAGES/catsdogs.po``;
the catalogues are read as they are, so nothing has to be compiled.
"""

from __future__ import annotations

import gettext
import io
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources

from babel import Locale, negotiate_locale
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from catsdogs.errors import CatsDogsError

LANGUAGES = {"en": "English", "fr": "Français"}
"""Languages of the apps and reports, by code: each with its own name."""

DEFAULT_LANGUAGE = "en"

NOTHING = "–"
"""Text in place of a figure for which there is no data."""
LONG_MS = 10_000
"""Milliseconds from which a span of time is written in seconds."""
NBSP = "\N{NO-BREAK SPACE}"
"""No-break space, for example between a figure and its unit."""


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, for texts that are English only, as those of the command line are.

    >>> counted(1, "error"), counted(2000, "error")
    ('1 error', '2,000 errors')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """Mark a text for the catalogue; it is translated later, where it is shown."""
    return message


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == DEFAULT_LANGUAGE:
        return gettext.NullTranslations()
    source = resources.files("catsdogs") / "locale" / language / "LC_MESSAGES" / "catsdogs.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Translator:
    """Translates texts and formats figures in one language; conventionally named ``_``.

    >>> _ = Translator("fr")
    >>> _.number(2.5, digits=1)
    '2,5'
    """

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self.locale = Locale.parse(self.language)
        self._catalogue = _catalogue(self.language)

    def __call__(self, message: str, **values: object) -> str:
        """Translate `message` and fill in its ``{named}`` placeholders."""
        text = self._catalogue.gettext(message)
        return text.format(**values) if values else text

    def plural(self, singular: str, plural: str, n: float, digits: int = 0, **values: object) -> str:
        """Translate with the plural form for `n`, which replaces ``{n}``, and fill in the other placeholders.

        The form is that of the number with `digits` decimals: French says "1,5 point", English does not.
        """
        is_one = self.locale.plural_form(Decimal(f"{n:.{digits}f}")) == "one"
        return self._catalogue.ngettext(singular, plural, 1 if is_one else 2).format(n=self.number(n, digits), **values)

    def describe(self, error: CatsDogsError) -> str:
        """Return the message of an error in this language."""
        return self(error.message, **error.values)

    def number(self, value: float, digits: int = 0) -> str:
        """Format with `digits` decimals and thousands separators."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float, digits: int = 1, *, short: bool = False) -> str:
        """Format a share (0..1) as a percentage.

        Only nothing is 0 % and only everything is 100 %: what would be rounded to them is "less than 0.1 %" and "more
        than 99.9 %". `short` writes signs for these words, for charts, tables and bars.
        """
        smallest = 10.0 ** -(digits + 2)
        if 0 < share <= smallest / 2:
            least = self._percentage(smallest, digits)
            return f"<{NBSP}{least}" if short else self(N_("less than {share}"), share=least)
        if 1 - smallest / 2 <= share < 1:
            most = self._percentage(1 - smallest, digits)
            return f">{NBSP}{most}" if short else self(N_("more than {share}"), share=most)
        return self._percentage(share, 0 if share in (0, 1) else digits)

    def probability(self, share: float, *, short: bool = False) -> str:
        """Format a probability as a percentage: never as 0 % or 100 %, since no model is certain."""
        return self.percent(min(max(share, 1e-9), 1 - 1e-9), short=short)

    def _percentage(self, share: float, digits: int) -> str:
        pattern = self.locale.percent_formats[None].pattern.replace("0", "0" + ("." + "0" * digits if digits else ""))
        return format_percent(share, format=pattern, locale=self.locale)

    def times(self, ratio: float) -> str:
        """Format how many times larger something is, with about three digits."""
        return self(N_("{ratio} times"), ratio=self.number(ratio, digits=2 if ratio < 10 else 1 if ratio < 100 else 0))

    def milliseconds(self, value: float) -> str:
        """Format a span of time with one decimal and its unit, from :data:`LONG_MS` on in seconds."""
        if value >= LONG_MS:
            return self(N_("{seconds} s"), seconds=self.number(value / 1000, digits=1))
        return self(N_("{milliseconds} ms"), milliseconds=self.number(value, digits=1))

    def datetime(self, moment: datetime) -> str:
        """Format a moment in its own time zone, in the language's medium length."""
        return format_datetime(moment, format="medium", locale=self.locale)


def negotiate(*preferences: str | None) -> str:
    """Choose the language of a page.

    Parameters
    ----------
    preferences
        Preferred languages, in order of precedence: each a language code (``fr``, ``fr-CA``), an ``Accept-Language``
        header, or ``None`` where nothing is known.

    Returns
    -------
    str
        A key of `LANGUAGES`.
    """
    for preference in filter(None, preferences):
        found = negotiate_locale(_ranked_codes(preference), LANGUAGES, sep="-")
        if found:
            return found.split("-")[0].lower()
    return DEFAULT_LANGUAGE


def _ranked_codes(preference: str) -> list[str]:
    """Return the language codes of an ``Accept-Language`` header, the most preferred first."""
    items = preference.split(",")
    ranked = sorted(((_quality(item), -index, item) for index, item in enumerate(items)), reverse=True)
    return [item.split(";")[0].strip() for quality, _, item in ranked if quality > 0]


def _quality(item: str) -> float:
    """Return the weight of one item of an ``Accept-Language`` header; 0 where it is malformed."""
    _, _, weight = item.partition(";q=")
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
