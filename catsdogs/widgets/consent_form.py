"""The consent form: what may be kept of the photo shown, one empty checkbox per purpose; and the privacy notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import traitlets

from catsdogs.domain import Consent, ConsentChannel, DataController, PurposeName
from catsdogs.errors import Conflict, InvalidInput
from catsdogs.i18n import N_, Translator
from catsdogs.records.consent_notice import PURPOSES, QUESTION, REASSURANCE, notice
from catsdogs.service.interface import Service
from catsdogs.widgets.base import invalid_message, message_choice, message_field, script, style
from catsdogs.widgets.photo_form import Change, PhotoForm
from catsdogs.widgets.visit import Visit, VisitPhoto, decide


@dataclass(frozen=True, slots=True)
class _Decision:
    """A decision that can be undone."""

    before: Consent
    after: Consent
    comment: str
    """Comment that the decision deleted; empty where it deleted none."""


class ConsentForm(PhotoForm):
    """Asks what may be kept of a photo, once it is rated. A tick acts at once, and can be undone.

    Parameters
    ----------
    translator
        Translates the texts.
    controller
        Data controller, whom the notice names.
    visit
        Photos of this visit.
    service
        Returns the service that records the decisions.
    """

    _esm = script("consent_form")
    _css = style("photo_form", "confirm", "consent_form")

    purposes: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    """Field, label and explanation of each purpose."""
    notice: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Paragraphs of the privacy notice."""

    def __init__(
        self, translator: Translator, controller: DataController, visit: Visit, service: Callable[[], Service]
    ) -> None:
        _ = translator
        super().__init__(
            translator,
            visit,
            service,
            purposes=[[purpose.field, _(purpose.label), _(purpose.explanation)] for purpose in PURPOSES],
            notice=notice(_, controller),
        )
        self._decisions: dict[UUID, _Decision] = {}  # the last one about each prediction

    @staticmethod
    def form_texts(_: Translator) -> dict[str, str]:
        """Return the texts that the script shows."""
        return {
            "question": _(QUESTION),
            "reassurance": _(REASSURANCE),
            "notice": _("What happens with my data?"),
            "undo": _("Undo"),
            "delete": _("Yes, delete it"),
            "keep": _("No, keep it"),
        }

    def describe(self, photo: VisitPhoto) -> dict[str, object]:
        """Return what the person agreed to, what a withdrawal deletes, and what undoing the last decision deletes."""
        last = self._last_decision(photo)
        takes_comment = last and photo.comment and not last.before.filename_and_comment
        return {
            "rated": photo.rating is not None or photo.true_label is not None,
            "losses": {purpose: self._loss(purpose, photo) for purpose in photo.purposes},
            "can_undo": last is not None,
            "undo_loss": self._loss(PurposeName.FILENAME_AND_COMMENT, photo) if takes_comment else "",
        }

    def change(self, photo: VisitPhoto, feedback_id: UUID, content: dict[str, object]) -> Change:
        """Apply a decision to a photo, or undo the last one."""
        match message_field(content, "action", str):
            case "decide":
                purpose = message_choice(content, "purpose", PurposeName)
                agreed = message_field(content, "agreed", bool)
                return self._decide(photo, feedback_id, purpose, agreed=agreed)
            case "undo":
                return self._undo(photo, feedback_id)
        raise invalid_message()

    def _decide(self, photo: VisitPhoto, feedback_id: UUID, purpose: PurposeName, *, agreed: bool) -> Change:
        if (purpose in photo.purposes) == agreed:
            return Change.none(photo, "")  # pressed twice
        changed, stored = self._apply(photo, feedback_id, decide(photo.consent, purpose, agreed=agreed))
        deleted_comment = "" if changed.comment else photo.comment
        self._decisions[feedback_id] = _Decision(photo.consent, changed.consent, deleted_comment)
        _ = self._
        if purpose is PurposeName.PHOTO:
            sentence = _("The photo is kept.") if agreed else _("The copy of the photo is deleted.")
        elif agreed:
            sentence = _("The file's name is kept. You can add a comment below.")
        else:
            sentence = _("Name and comment are deleted.") if deleted_comment else _("The name is deleted.")
        return Change(changed, sentence, stored)

    def _undo(self, photo: VisitPhoto, feedback_id: UUID) -> Change:
        last = self._last_decision(photo)
        if last is None:
            raise invalid_message()
        changed, stored = self._apply(photo, feedback_id, last.before)
        if last.comment and not changed.comment:
            # should the comment fail, the page shows the decision that applies, and undoing again sends the comment
            self._decisions[feedback_id] = replace(last, after=changed.consent)
            self._visit.put(changed)
            stored &= self._service().give_feedback(feedback_id, user_comment=last.comment)
            changed = replace(changed, comment=last.comment)
        del self._decisions[feedback_id]
        _ = self._
        return Change(changed, _("Undone."), stored)

    def _apply(self, photo: VisitPhoto, feedback_id: UUID, consent: Consent) -> tuple[VisitPhoto, bool]:
        """Record a decision about a photo; return the photo as it is stored, and whether it is in the database."""
        consent = replace(consent, language=self._.language, channel=ConsentChannel.APP)
        adds_photo = consent.photo and not photo.consent.photo
        if adds_photo and not photo.content:
            raise InvalidInput(N_("This photo is not in our memory any more. Choose it again, and then agree."))
        try:
            outcome = self._service().change_consent(
                feedback_id,
                consent,
                filename=photo.name if consent.filename_and_comment else None,
                photo=photo.content if adds_photo else None,
                receipt=photo.receipt or None,
                new_receipt=photo.new_receipt or None,
                known=photo.consent,
            )
        except Conflict:
            self._visit.put(photo.as_exported(self._service().export(photo.receipt or photo.new_receipt)))
            raise InvalidInput(
                N_(
                    "What is kept about this photo was changed elsewhere, for example in another tab. This page shows "
                    "it now as it is. Your last choice was not applied: choose again."
                )
            ) from None
        comment = photo.comment if consent.filename_and_comment else ""
        return replace(photo, consent=consent, receipt=outcome.receipt or "", comment=comment), outcome.stored

    def _last_decision(self, photo: VisitPhoto) -> _Decision | None:
        """Return the last decision about a photo, unless what applies now is another one, made elsewhere."""
        last = self._decisions.get(photo.feedback_id) if photo.feedback_id else None
        return last if last and last.after == photo.consent else None

    def _loss(self, purpose: PurposeName, photo: VisitPhoto) -> str:
        """Return the question before what was kept for a purpose is deleted."""
        _ = self._
        if purpose is PurposeName.PHOTO:
            return _("Delete the copy of the photo that is kept?")
        return _("Delete the file's name and your comment?") if photo.comment else _("Delete the file's name?")
