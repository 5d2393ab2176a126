"""The header of an app's page: title, one sentence, and links to the other languages."""

from __future__ import annotations

import traitlets

from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.widgets.base import BaseWidget, script, style
from catsdogs.widgets.upload_texts import header_texts


class PageHeader(BaseWidget):
    """Shows title and sentence in the session's language.

    Only Voilà's page shows it, in place of the notebook's first cell, which is in English; JupyterLab shows the cell.
    """

    _esm = script("page_header")
    _css = style("page_header")

    languages = traitlets.Dict(LANGUAGES).tag(sync=True)

    def __init__(self, translator: Translator, title: str, sentence: str) -> None:
        super().__init__(translator, header_texts(translator, title, sentence))
