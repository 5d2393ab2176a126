"""The receipt: the code that opens what was kept with consent, shown once."""

from __future__ import annotations

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.part import Part, script, style


class ReceiptCard(Part):
    """Shows a receipt code to copy; empty without one."""

    _esm = script("receipt_card")
    _css = style("receipt_card")

    receipt = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator) -> None:
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
            },
        )
