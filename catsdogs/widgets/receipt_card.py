"""The receipt: the code that opens what was kept with consent, shown once.

Who goes to the page in another language before copying or saving it finds it there: the browser's tab carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style


class ReceiptCard(BaseWidget):
    """Shows a receipt code to copy or save, and those that the page in another language left; empty without any.

    Parameters
    ----------
    on_open
        Called with the code when its owner wants to see what it opens.
    """

    _esm = script("language_switch", "receipt_card")
    _css = style("receipt_card")

    receipt = traitlets.Unicode().tag(sync=True)
    erased: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Codes of this visit that open nothing any more."""

    def __init__(self, translator: Translator, on_open: Callable[[str], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "title": _("Your receipt"),
                "explanation": _(
                    "Thank you for your consent. With this code you can have what was kept about this photo shown or "
                    "erased. It is shown only now: keep it."
                ),
                "copy": _("Copy"),
                "copied": _("Copied."),
                "select": _("The code is selected: copy it with Ctrl+C, or press long on it."),
                "save": _("Save as a file"),
                "saved": _("Saved."),
                "open": _("See what is kept"),
                "where": _("Where to use it:"),
                "earlier": _("From before the change of language, not yet copied or saved:"),
            },
        )
        self._on_open = on_open

    def forget(self, receipt: str) -> None:
        """Show a receipt no longer: what it opened is erased."""
        self.erased = [*self.erased, receipt]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Open what a receipt opens that the page shows."""
        if content.get("action") != "open":
            raise invalid_message()
        self._on_open(message_field(content, "code", str))
