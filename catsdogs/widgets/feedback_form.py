"""The feedback form: a rating in one touch, and what the photo really shows."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from catsdogs.domain import TrueLabel, is_right
from catsdogs.i18n import Translator
from catsdogs.widgets.answer_card import is_question
from catsdogs.widgets.base import invalid_message, message_choice, message_field, script, style
from catsdogs.widgets.photo_form import Change, PhotoForm
from catsdogs.widgets.visit import VisitPhoto


class FeedbackForm(PhotoForm):
    """Asks whether the answer is right, or, where the model is not sure, what the photo shows."""

    _esm = script("feedback_form")
    _css = style("photo_form", "feedback_form")

    @staticmethod
    def form_texts(_: Translator) -> dict[str, str]:
        """Return the texts that the script shows."""
        return {
            "question": _("Is that right?"),
            "good": _("Yes"),
            "bad": _("No"),
            "really": _("What does it really show?"),
            "what": _("What is it?"),
            "cat": _("A cat"),
            "dog": _("A dog"),
            "both": _("Both"),
            "neither": _("Neither"),
        }

    def describe(self, photo: VisitPhoto) -> dict[str, object]:
        """Return the rating, the label, and the labels that can be chosen: after "No", all but the answer itself."""
        unsure = is_question(photo.prediction)
        labels = [label.value for label in TrueLabel if unsure or label.value != photo.prediction.answer.value]
        return {
            "unsure": unsure,
            "rating": photo.rating,
            "true_label": photo.true_label or "",
            "labels": labels,
        }

    def change(self, photo: VisitPhoto, feedback_id: UUID, content: dict[str, object]) -> Change:
        """Record a rating, which removes a label that was given, or a label, which rates an unsure answer, too."""
        _ = self._
        rating, label = photo.rating, None
        match message_field(content, "action", str):
            case "rating":
                rating = message_field(content, "value", int)
            case "true_label":
                label = message_choice(content, "value", TrueLabel)
                if is_question(photo.prediction):  # nobody rated it: the rating follows from the label
                    rating = int(is_right(photo.prediction.answer, label))
            case _:
                raise invalid_message()
        changed = replace(photo, rating=rating, true_label=label)
        thanks = _("Thank you! Good to know.") if rating else _("Thank you. This is how the model gets better.")
        if changed == photo:  # pressed twice
            return Change.none(photo, thanks)
        stored = self._service().give_feedback(feedback_id, user_feedback=rating, true_label=label)
        return Change(changed, thanks, stored)
