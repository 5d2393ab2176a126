"""What the forms about a photo share: each of their messages names the prediction that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self
from uuid import UUID

import traitlets

from catsdogs.errors import NotFound
from catsdogs.i18n import Translator
from catsdogs.service.interface import Service
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field
from catsdogs.widgets.visit import Remark, Visit, VisitPhoto


class Change(NamedTuple):
    """What became of a message about a photo."""

    photo: VisitPhoto
    """The photo as it is stored now."""
    sentence: str
    """What was done, for the person."""
    stored: bool
    """Whether it is in the database; if not, it waits in the spool."""

    @classmethod
    def none(cls, photo: VisitPhoto, sentence: str) -> Self:
        """Create the outcome of a button that is pressed twice: there is nothing more to store."""
        return cls(photo, sentence, stored=photo.remark is not Remark.WAITING)


class PhotoForm(BaseWidget):
    """A form about the photo shown; hidden where nothing is recorded about it.

    A message belongs to the photo whose prediction it names, whatever photo is shown when it arrives.

    Parameters
    ----------
    translator
        Translates the texts.
    visit
        Photos of this visit.
    service
        Returns the service that records what is sent.
    """

    photo: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    """What the form shows about the photo, with ``number`` and ``feedback_id``; empty to hide the form."""
    done = traitlets.Unicode().tag(sync=True)
    """Sentence on what was stored last, while the form shows just that."""

    def __init__(self, translator: Translator, visit: Visit, service: Callable[[], Service], **traits: object) -> None:
        super().__init__(translator, self.form_texts(translator), **traits)
        self._visit = visit
        self._service = service

    def show(self, photo: VisitPhoto | None) -> None:
        """Show what is stored about a photo; ``None`` hides the form."""
        state: dict[str, object] = {}
        if photo and photo.feedback_id:
            state = {"number": photo.number, "feedback_id": str(photo.feedback_id), **self.describe(photo)}
        if state != self.photo:
            self.done = ""
        self.photo = state

    @staticmethod
    def form_texts(_: Translator) -> dict[str, str]:
        """Return the texts that the script shows."""
        raise NotImplementedError

    def describe(self, photo: VisitPhoto) -> dict[str, object]:
        """Return what the form shows about a photo."""
        raise NotImplementedError

    def change(self, photo: VisitPhoto, feedback_id: UUID, content: dict[str, object]) -> Change:
        """Store what a message says about a photo."""
        raise NotImplementedError

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Store what the message says about the photo whose prediction it names."""
        photo = self._visit.find(message_field(content, "feedback_id", str))
        if photo is None or photo.feedback_id is None:
            raise invalid_message()
        self._say(photo, "")
        try:
            changed, sentence, stored = self.change(photo, photo.feedback_id, content)
        except NotFound:  # somebody with the receipt code erased it elsewhere; the answer says so
            self._visit.put(photo.erased())
            return
        if stored and changed.remark is Remark.WAITING:
            changed = replace(changed, remark=None)
        self._visit.put(changed)
        _ = self._
        stored_later = _("What you said is safe, and will be stored as soon as our database takes it.")
        self._say(photo, sentence if stored else stored_later)

    def _say(self, photo: VisitPhoto, sentence: str) -> None:
        if self.photo.get("feedback_id") == str(photo.feedback_id):
            self.done = sentence
