"""What is stored under a receipt code: to see, withdraw or erase."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import traitlets

from catsdogs.domain import PurposeName
from catsdogs.errors import InvalidInput, NotFound
from catsdogs.i18n import Translator
from catsdogs.records.consent_notice import PURPOSES
from catsdogs.service.interface import Service
from catsdogs.service.responses import Export
from catsdogs.widgets.base import BaseWidget, invalid_message, message_choice, message_field, script, style
from catsdogs.widgets.visit import Visit


class MyData(BaseWidget):
    """Shows what is stored under a receipt code, withdraws consents, and erases.

    Parameters
    ----------
    translator
        Translates the texts.
    visit
        Photos of this visit: withdrawals and erasures change them, too.
    service
        Returns the service that exports, withdraws and erases.
    """

    _esm = script("my_data")
    _css = style("confirm", "my_data")

    code = traitlets.Unicode().tag(sync=True)
    """Receipt code that is open; empty where none is."""
    stored_data = traitlets.Dict().tag(sync=True)
    """``decisions`` and ``records`` as the page shows them, and ``document``: the whole export as JSON text."""
    status = traitlets.Unicode().tag(sync=True)
    """Sentence on what was done last."""

    def __init__(self, translator: Translator, visit: Visit, service: Callable[[], Service]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "title": _("My data"),
                "explanation": _(
                    "With the receipt code of a photo you can, at any time, see what is kept about it, withdraw your "
                    "consent, or erase everything."
                ),
                "code": _("Receipt code"),
                "show": _("Show what is kept"),
                "decided": _("Your consent of {moment}"),
                "withdrawn": _("Withdrawn on {moment}; what was kept for it is erased."),
                "photo": _("The photo that is kept"),
                "no_photo": _("No photo is kept."),
                "save": _("Save everything as a file"),
                "withdraw": _("Withdraw"),
                "confirm_withdraw": _("Withdraw this consent? What was kept for it is erased at once."),
                "erase": _("Erase everything"),
                "confirm_erase": _("Erase everything that is kept about this photo? This cannot be undone."),
                "yes": _("Yes, do it"),
                "no": _("No, keep it"),
            },
        )
        self._visit = visit
        self._service = service

    def look_up(self, code: str) -> None:
        """Show what is stored under a receipt code.

        Raises
        ------
        InvalidInput
            The code is empty.
        NotFound
            Nothing is stored under the code.
        DatabaseUnavailable
            The database cannot be reached.
        """
        code = code.strip().upper()
        self.code, self.stored_data, self.status = "", {}, ""
        if not code:
            raise InvalidInput("Type or paste the receipt code first.")
        try:
            export = self._service().export(code)
        except NotFound:
            self._note_erasure(code)
            raise
        for photo in self._visit.with_receipt(code):
            self._visit.put(photo.as_exported(export))
        with self.hold_sync():
            self.code, self.stored_data = code, self._texts_of(export)

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Open a code, withdraw a purpose, or erase, under the code that the message names."""
        _ = self._
        match message_field(content, "action", str):
            case "open":
                self.look_up(message_field(content, "code", str))
            case "withdraw":
                code = message_field(content, "code", str)
                purpose = message_choice(content, "purpose", PurposeName)
                self._service().withdraw(code, purpose)
                for photo in self._visit.with_receipt(code):
                    self._visit.put(photo.without(purpose))
                self.look_up(code)
                self.status = _("This consent is withdrawn, and what was kept for it is erased.")
            case "erase":
                code = message_field(content, "code", str)
                self._service().erase(code)
                self._note_erasure(code)
                self.code, self.stored_data = "", {}
                self.status = _("Everything that was kept under this code is erased.")
            case _:
                raise invalid_message()

    def _note_erasure(self, code: str) -> None:
        for photo in self._visit.with_receipt(code):
            self._visit.put(photo.erased())

    def _texts_of(self, export: Export) -> dict[str, object]:
        waiting = export["waiting"]
        applying = {record["consent_id"] for record in export["predictions"]}  # of several, the latest decision
        decisions = [decision for decision in export["decisions"] if decision["id"] in applying]
        decisions += [record["decision"] for record in waiting]
        photos = {photo["prediction_id"]: photo["jpeg"] for photo in export["photos"]}
        photos |= {record["id"]: record["photo"]["jpeg"] for record in waiting if "photo" in record}
        return {
            "decisions": [self._decision(decision) for decision in decisions],
            "records": [
                {"facts": self._facts(record), "moment": record["timestamp"], "jpeg": photos.get(record["id"], "")}
                for record in (*export["predictions"], *waiting)
            ],
            "document": json.dumps(export, ensure_ascii=False, indent=2),
        }

    def _decision(self, decision: Mapping[str, Any]) -> dict[str, object]:
        return {
            "moment": decision["decided_at"],
            "withdrawn": decision.get("withdrawn_at"),
            "purposes": [[purpose.field, self._(purpose.label)] for purpose in PURPOSES if decision.get(purpose.field)],
        }

    def _facts(self, record: Mapping[str, Any]) -> list[list[str]]:
        """Return labels and values of a prediction, without those that are not known."""
        _ = self._
        kinds = {"cat": _("Cat"), "dog": _("Dog"), "both": _("Both"), "neither": _("Neither")}
        facts = [
            (_("Answer"), kinds.get(record["prediction_result"])),
            (_("File"), record.get("filename")),
            (_("Was it right?"), {1: _("Yes"), 0: _("No")}.get(record.get("user_feedback", -1))),
            (_("What it really is"), kinds.get(record.get("true_label") or "")),
            (_("Comment"), record.get("user_comment")),
            (_("Model"), record.get("model_version")),
        ]
        return [[label, value] for label, value in facts if value]
