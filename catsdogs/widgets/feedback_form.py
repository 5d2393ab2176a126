"""The feedback form: a rating in one touch, what the photo really shows, and a comment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

import traitlets

from catsdogs.domain import MAX_COMMENT, Answer, Consent, TrueLabel
from catsdogs.errors import CatsDogsError, InvalidInput
from catsdogs.i18n import Translator
from catsdogs.service.interface import Service
from catsdogs.widgets.base import BaseWidget, invalid_message, message_choice, message_field, script, style

_log = logging.getLogger(__name__)


class FeedbackForm(BaseWidget):
    """Asks for feedback on one answer at a time; it can be changed during the session.

    Parameters
    ----------
    translator
        Translates the texts.
    service
        Returns the service that records the feedback.
    """

    _esm = script("feedback_form")
    _css = style("feedback_form")

    feedback_id = traitlets.Unicode().tag(sync=True)
    """Id of the prediction that the form is about; empty to hide the form."""
    may_comment = traitlets.Bool().tag(sync=True)
    max_comment = traitlets.Int(MAX_COMMENT).tag(sync=True)
    rating = traitlets.Int(None, allow_none=True).tag(sync=True)
    """1 (the answer is right), 0 (it is wrong) or ``None`` (not rated)."""
    true_label = traitlets.Unicode().tag(sync=True)
    thanks = traitlets.Unicode().tag(sync=True)
    """Sentence that confirms what was sent last."""

    def __init__(self, translator: Translator, service: Callable[[], Service]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "question": _("Is that right?"),
                "good": _("Yes"),
                "bad": _("No"),
                "really": _("What does it really show?"),
                "cat": _("A cat"),
                "dog": _("A dog"),
                "both": _("Both"),
                "neither": _("Neither"),
                "comment": _("Anything to add?"),
                "send": _("Send the comment"),
                "no_comment": _("A comment needs your consent: tick “Keep the file's name and my comment” below."),
            },
        )
        self._service = service
        self._id: UUID | None = None
        self._predicted = Answer.ERROR
        self._given: dict[UUID, tuple[int | None, str]] = {}  # rating and label by prediction

    def show(self, feedback_id: UUID, answer: Answer, consent: Consent) -> None:
        """Ask for feedback on a prediction that was recorded under `consent`."""
        self._id, self._predicted = feedback_id, answer
        with self.hold_sync():
            self.feedback_id, self.may_comment = str(feedback_id), consent.filename_and_comment
            self.rating, self.true_label = self._given.get(feedback_id, (None, ""))
            self.thanks = ""

    def copy_feedback(self, earlier: UUID, later: UUID) -> None:
        """Give a prediction the feedback that was given on the one that it replaces."""
        rating, label = self._given.pop(earlier, (None, ""))
        if rating is None:
            return
        try:
            self._service().give_feedback(later, user_feedback=rating, true_label=TrueLabel(label) if label else None)
        except CatsDogsError as error:  # the form asks again
            _log.warning("%s: %s", type(error).__name__, error)
        else:
            self._given[later] = rating, label

    def clear(self) -> None:
        """Hide the form."""
        self._id, self.feedback_id = None, ""

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Record a rating, a label or a comment."""
        _ = self._
        if self._id is None:
            raise invalid_message()
        match message_field(content, "action", str):
            case "rating":
                rating = message_field(content, "value", int)
                # "yes" after "no" replaces the label that was given
                label = TrueLabel(self._predicted) if rating == 1 and self.true_label else None
                stored = self._service().give_feedback(self._id, user_feedback=rating, true_label=label)
                self.rating, self.true_label = rating, label or ""
                thanks = _("Thank you! Good to know.") if rating else _("Thank you. This is how the model gets better.")
            case "true_label":
                label = message_choice(content, "value", TrueLabel)
                stored = self._service().give_feedback(self._id, user_feedback=0, true_label=label)
                self.true_label = label
                thanks = _("Thank you. This is how the model gets better.")
            case "comment":
                comment = message_field(content, "value", str).strip()
                if not comment:
                    raise InvalidInput("The comment is empty. Write something first.")
                stored = self._service().give_feedback(self._id, user_comment=comment)
                thanks = _("Thank you, your comment was kept.")
            case _:
                raise invalid_message()
        stored_later = _("Our database cannot be reached just now. What you said is safe and will be stored.")
        self.thanks = thanks if stored else stored_later
        self._given[self._id] = self.rating, self.true_label
