"""Languages: gettext catalogues and number formats, in the reader's language.

The English text is the key. ``make messages`` brings new texts into ``locale/*/LC_MESSAGES/catsdogs.po``;
the catalogues are read as they are, so nothing has to be compiled.
"""

from __future__ import annotations

import gettext
import io
from datetime import datetime
from functools import cache
from importlib import resources

from babel import Locale, negotiate_locale
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from catsdogs.errors import CatsDogsError

LANGUAGES = {"en": "English", "fr": "Français"}
"""Languages that the apps and reports speak, each by its own name."""

DEFAULT_LANGUAGE = "en"

NOTHING = "–"
"""Stands for a figure of no data."""
NBSP = "\N{NO-BREAK SPACE}"
"""Keeps on one line what belongs together."""


def N_(message: str) -> str:  # noqa: N802 (gettext's own name)
    """Mark a text for translation later, where it is shown."""
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
    """Says texts and figures in one language; conventionally named ``_``.

    >>> _ = Translator("fr")
    >>> _.number(2.5, digits=1)
    '2,5'
    """

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        self.language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        self.locale = Locale.parse(self.language)
        self._catalogue = _catalogue(self.language)

    def __call__(self, message: str, **values: object) -> str:
        """Translate `message` and fill its ``{named}`` places."""
        text = self._catalogue.gettext(message)
        return text.format(**values) if values else text

    def plural(self, singular: str, plural: str, n: int) -> str:
        """Translate with the plural form for `n`, which fills ``{n}``."""
        return self._catalogue.ngettext(singular, plural, n).format(n=self.number(n))

    def describe(self, error: CatsDogsError) -> str:
        """Say an error's sentence."""
        return self(error.message, **error.values)

    def number(self, value: float, digits: int = 0) -> str:
        """Format with `digits` decimals and thousands separators."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def percent(self, share: float, digits: int = 1) -> str:
        """Format a share (0..1) as a percentage."""
        pattern = self.locale.percent_formats[None].pattern.replace("0", "0" + ("." + "0" * digits if digits else ""))
        return format_percent(share, format=pattern, locale=self.locale)

    def milliseconds(self, value: float) -> str:
        """Format a span of time with one decimal and its unit."""
        return self(N_("{milliseconds} ms"), milliseconds=self.number(value, digits=1))

    def datetime(self, moment: datetime) -> str:
        """Format a moment, medium length, in its own time zone."""
        return format_datetime(moment, format="medium", locale=self.locale)


def negotiate(*wishes: str | None) -> str:
    """Choose the language to speak.

    Parameters
    ----------
    wishes
        In order of precedence, each a language code (``fr``, ``fr-CA``), an ``Accept-Language``
        header, or ``None``.

    Returns
    -------
    str
        A key of `LANGUAGES`.
    """
    for wish in wishes:
        if wish:
            ranked = sorted(
                ((_quality(part), -place, part.split(";")[0].strip()) for place, part in enumerate(wish.split(","))),
                reverse=True,
            )
            preferred = [code for quality, _, code in ranked if quality > 0]
            found = negotiate_locale(preferred, LANGUAGES, sep="-")
            if found:
                return found.split("-")[0].lower()
    return DEFAULT_LANGUAGE


def _quality(part: str) -> float:
    _, _, weight = part.partition(";q=")
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
