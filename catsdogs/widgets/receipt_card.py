"""The receipt codes of a visit, under which people find what was stored with their consent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.visit import VisitPhoto


class ReceiptCard(BaseWidget):
    """Lists the receipt codes of all photos with which something was kept with consent; hidden without any.

    A code stays where the consent is withdrawn: the prediction and the dated decision are still found under it.

    Parameters
    ----------
    translator
        Translates the texts.
    on_open
        Called with the code when the person wants to see what is stored under it.
    """

    _esm = script("receipt_card")
    _css = style("receipt_card")

    receipts: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    """``name`` of the photo and ``code`` of each receipt, in the order of the photos."""

    def __init__(self, translator: Translator, on_open: Callable[[str], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "one": _("Your receipt"),
                "several": _("Your receipts"),
                "explanation": _(
                    "Thank you for your consent. With the code of a photo you can see or erase what is kept about it, "
                    "also later. Keep it: once you close this tab or start over, nobody can show it again."
                ),
                "copy": _("Copy"),
                "copied": _("Copied."),
                "select": _("The code is selected: copy it with Ctrl+C, or press and hold it."),
                "save": _("Save as a file"),
                "is_saved": _("Copied or saved"),
                "not_saved": _("Not saved yet"),
                "saved": _("Saved."),
                "open": _("Show what is kept"),
                "where": _("Where to use it:"),
            },
        )
        self._on_open = on_open

    def show(self, photos: Iterable[VisitPhoto]) -> None:
        """List the receipts of these photos."""
        self.receipts = [{"name": photo.name, "code": photo.receipt} for photo in photos if photo.receipt]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Open what is stored under a receipt code."""
        if content.get("action") != "open":
            raise invalid_message()
        self._on_open(message_field(content, "code", str))
