"""The head of an app's page: title, one sentence, and the choice of language."""

from __future__ import annotations

import traitlets

from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.widgets.base import BaseWidget, script, style
from catsdogs.widgets.upload_texts import header_texts


class PageHeader(BaseWidget):
    """Says in the reader's language what the notebook's first cell says in English.

    Only Voilà's page shows it, and hides that cell; in JupyterLab the cell is there.
    """

    _esm = script("page_header")
    _css = style("page_header")

    languages = traitlets.Dict(LANGUAGES).tag(sync=True)

    def __init__(self, translator: Translator, title: str, sentence: str) -> None:
        super().__init__(translator, header_texts(translator, title, sentence))
