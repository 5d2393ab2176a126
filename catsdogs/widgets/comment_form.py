"""The comment on a photo: to write, to read again, and to change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import traitlets

from catsdogs.domain import MAX_COMMENT
from catsdogs.errors import InvalidInput
from catsdogs.i18n import Translator
from catsdogs.widgets.base import invalid_message, message_field, script, style
from catsdogs.widgets.photo_form import Change, PhotoForm
from catsdogs.widgets.visit import VisitPhoto


class CommentForm(PhotoForm):
    """Takes a comment on a photo whose person agreed to that; hidden otherwise. The draft is the page's own."""

    _esm = script("comment_form")
    _css = style("photo_form", "comment_form")

    max_comment = traitlets.Int(MAX_COMMENT).tag(sync=True)

    @staticmethod
    def form_texts(_: Translator) -> dict[str, str]:
        """Return the texts that the script shows."""
        return {
            "comment": _("Anything to add?"),
            "send": _("Send the comment"),
            "yours": _("Your comment"),
            "change": _("Change"),
            "save": _("Save the change"),
            "cancel": _("Cancel"),
            "delete": _("Delete"),
            "confirm_delete": _("Delete your comment?"),
            "yes": _("Yes, delete it"),
            "no": _("No, keep it"),
            "left": _("Characters left: {n} of {limit}"),
            "too_long": _("At most {limit} characters: {n} too many"),
        }

    def describe(self, photo: VisitPhoto) -> dict[str, object]:
        """Return the stored comment, and whether one may be stored."""
        return {"may_comment": photo.consent.filename_and_comment, "comment": photo.comment}

    def change(self, photo: VisitPhoto, feedback_id: UUID, content: dict[str, object]) -> Change:
        """Record a comment in place of the one before, or delete it."""
        _ = self._
        match message_field(content, "action", str):
            case "save":
                comment = message_field(content, "comment", str).strip()
                if not comment:
                    raise InvalidInput("The comment is empty. Write something first.")
                sentence = _("Thank you, your comment was kept.")
            case "delete":
                comment, sentence = "", _("Your comment is deleted.")
            case _:
                raise invalid_message()
        changed = replace(photo, comment=comment)
        if changed == photo:  # pressed twice
            return Change.none(photo, sentence)
        stored = self._service().give_feedback(feedback_id, user_comment=comment or None, delete_comment=not comment)
        return Change(changed, sentence, stored)
