"""Saying whether the answer was right: one touch, and more for who wants to say more."""

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
    """Asks about one answer at a time; what was said can be changed for the visit.

    Parameters
    ----------
    service
        Gives what records what was said.
    """

    _esm = script("feedback_form")
    _css = style("feedback_form")

    feedback_id = traitlets.Unicode().tag(sync=True)
    """Names the prediction asked about; empty: nothing is asked."""
    may_comment = traitlets.Bool().tag(sync=True)
    max_comment = traitlets.Int(MAX_COMMENT).tag(sync=True)
    rating = traitlets.Int(None, allow_none=True).tag(sync=True)
    true_label = traitlets.Unicode().tag(sync=True)
    thanks = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator, service: Callable[[], Service]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "question": _("Is that right?"),
                "good": _("Yes"),
                "bad": _("No"),
                "really": _("What is it really?"),
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
        self._answer_given = Answer.ERROR
        self._said: dict[UUID, tuple[int | None, str]] = {}

    def ask_about(self, feedback_id: UUID, answer: Answer, consent: Consent) -> None:
        """Ask about a prediction, made under `consent`."""
        self._id, self._answer_given = feedback_id, answer
        with self.hold_sync():
            self.feedback_id, self.may_comment = str(feedback_id), consent.filename_and_comment
            self.rating, self.true_label = self._said.get(feedback_id, (None, ""))
            self.thanks = ""

    def repeat(self, earlier: UUID, later: UUID) -> None:
        """Say of a prediction what was said of the one that it replaces."""
        rating, label = self._said.pop(earlier, (None, ""))
        if rating is None:
            return
        try:
            self._service().give_feedback(later, user_feedback=rating, true_label=TrueLabel(label) if label else None)
        except CatsDogsError as error:  # the page asks once more
            _log.warning("%s: %s", type(error).__name__, error)
        else:
            self._said[later] = rating, label

    def clear(self) -> None:
        """Ask nothing."""
        self._id, self.feedback_id = None, ""

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Record a rating, what it really is, or a comment."""
        _ = self._
        if self._id is None:
            raise invalid_message()
        match message_field(content, "action", str):
            case "rating":
                rating = message_field(content, "value", int)
                label = TrueLabel(self._answer_given) if rating == 1 and self.true_label else None  # takes a "no" back
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
        waits = _("Our database is away for a moment. What you said is safe and will be stored.")
        self.thanks = thanks if stored else waits
        self._said[self._id] = self.rating, self.true_label
