"""The receipt code, under which a person finds what was stored with consent; shown once.

A code that was neither copied nor saved when the person changes the language is shown again on the other page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style


class ReceiptCard(BaseWidget):
    """Shows a receipt code to copy or save, and unsaved ones from before a change of language; hidden without any.

    Parameters
    ----------
    translator
        Translates the texts.
    on_open
        Called with the code when the person wants to see what is stored under it.
    """

    _esm = script("language_switch", "receipt_card")
    _css = style("receipt_card")

    receipt = traitlets.Unicode().tag(sync=True)
    erased: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Codes of this session under which nothing is stored any more."""

    def __init__(self, translator: Translator, on_open: Callable[[str], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "title": _("Your receipt"),
                "explanation": _(
                    "Thank you for your consent. With this code you can see or erase what is kept about this photo. "
                    "The code is shown only now: keep it."
                ),
                "copy": _("Copy"),
                "copied": _("Copied."),
                "select": _("The code is selected: copy it with Ctrl+C, or press and hold it."),
                "save": _("Save as a file"),
                "saved": _("Saved."),
                "open": _("See what is kept"),
                "where": _("Where to use it:"),
                "earlier": _("From before you changed the language, not yet copied or saved:"),
            },
        )
        self._on_open = on_open

    def mark_erased(self, receipt: str) -> None:
        """Hide a receipt: what was stored under it is erased."""
        self.erased = [*self.erased, receipt]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Open what is stored under a receipt code."""
        if content.get("action") != "open":
            raise invalid_message()
        self._on_open(message_field(content, "code", str))
