"""The receipt: the code that opens what was kept with consent, shown once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.part import Part, not_understood, script, style


class ReceiptCard(Part):
    """Shows a receipt code to copy or save; empty without one.

    Parameters
    ----------
    on_open
        Called with the code when its owner wants to see what it opens.
    """

    _esm = script("receipt_card")
    _css = style("receipt_card")

    receipt = traitlets.Unicode().tag(sync=True)

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
            },
        )
        self._on_open = on_open

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Open what the receipt shown opens."""
        if content.get("wish") != "open" or not self.receipt:
            raise not_understood()
        self._on_open(self.receipt)
