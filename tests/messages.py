"""Update the catalogues with the texts of the code: ``make messages``.

A text is an argument of ``_``, ``N_`` or ``.plural``, or the message of an error of catsdogs.
"""

from __future__ import annotations

import inspect
import io
import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import catsdogs
from catsdogs import errors
from catsdogs.i18n import DEFAULT_LANGUAGE, LANGUAGES

PACKAGE = Path(catsdogs.__file__).parent
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "plural": (1, 2),
    **{
        name: None
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.CatsDogsError)
    },
}


def extract() -> Catalog:
    """Return a catalogue of all texts of the package."""
    template = Catalog(project="catsdogs", charset="utf-8", fuzzy=False)
    for name, line, message, comments, _ in extract_from_dir(PACKAGE, keywords=KEYWORDS, comment_tags=("i18n:",)):
        del line  # line numbers would change the catalogue with every edit
        location: Any = (f"catsdogs/{name}", None)  # Babel accepts None, its types do not
        template.add(message, locations=[location], auto_comments=comments)
    return template


def catalogue_path(language: str) -> Path:
    """Return the file of a catalogue."""
    return PACKAGE / "locale" / language / "LC_MESSAGES" / "catsdogs.po"


def update(language: str, template: Catalog) -> tuple[bytes, Catalog]:
    """Merge `template` into the catalogue of `language`; return its new text, and the catalogue."""
    catalogue = read_po(io.BytesIO(catalogue_path(language).read_bytes()), locale=language)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    text = io.BytesIO()
    write_po(text, catalogue, omit_header=False, sort_output=True, ignore_obsolete=True, width=110)
    return text.getvalue(), catalogue


def is_translated(message: Message) -> bool:
    """Return whether a text is translated, in each of its plural forms; what is marked as fuzzy is never shown."""
    forms = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(forms) and not message.fuzzy


def main() -> str | None:
    """Update all catalogues; return the texts that are not translated, if any."""
    template = extract()
    untranslated = []
    for language in LANGUAGES.keys() - {DEFAULT_LANGUAGE}:
        text, catalogue = update(language, template)
        catalogue_path(language).write_bytes(text)
        untranslated += [f"{language}: {one.id}" for one in catalogue if one.id and not is_translated(one)]
    return "\n".join(["To be translated:", *untranslated]) if untranslated else None


if __name__ == "__main__":
    sys.exit(main())
