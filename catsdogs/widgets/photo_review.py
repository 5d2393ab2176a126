"""Reviewing what people say of their photos, before a model learns from it: for operators and analysts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from catsdogs.domain import Answer, PhotoToReview, ReviewDecision, TrueLabel
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, invalid_message, message_choice, message_field, script, style
from catsdogs.widgets.session_language import session_language


class Queue(Protocol):
    """See :class:`catsdogs.records.review_queue.ReviewQueue`."""

    def waiting(self, limit: int = 1) -> list[PhotoToReview]:
        """List photos that nobody reviewed yet."""

    def decide(self, photo: UUID, review: ReviewDecision | None) -> None:
        """Note a decision, or take it back."""

    def counts(self) -> dict[str, int]:
        """Count what waits and what was decided."""


class PhotoReview(BaseWidget):
    """Shows one photo after the other, and takes a decision on each.

    Photos travel in messages, not in synchronised traits: those are saved with a notebook, and would outlive
    an erasure there.

    Parameters
    ----------
    queue
        Of photos.
    language
        Of `LANGUAGES`; by default what :func:`catsdogs.widgets.session_language.session_language` finds.
    """

    _esm = script("photo_review")
    _css = style("feedback_form", "photo_review")

    def __init__(self, queue: Queue, language: str | None = None) -> None:
        _ = translator = Translator(language or session_language())
        super().__init__(
            translator,
            {
                "question": _("What does the photo show?"),
                "cat": _("A cat"),
                "dog": _("A dog"),
                "neither": _("Neither"),
                "left_out": _("Leave it out"),
                "undo": _("Undo"),
                "photo": _("The photo to review"),
                "keys": _("Keys: 1 to 4 decide, Backspace takes the last decision back."),
                "none": _("No photo waits for review."),
            },
        )
        self._queue = queue
        self._decided: list[UUID] = []

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Show what comes first, take a decision, or take the last one back."""
        try:
            match message_field(content, "action", str):
                case "next":
                    pass
                case "decide":
                    photo = _uuid(message_field(content, "photo", str))
                    self._queue.decide(photo, message_choice(content, "value", ReviewDecision))
                    self._decided.append(photo)
                case "undo" if self._decided:
                    self._queue.decide(self._decided.pop(), None)
                case _:
                    raise invalid_message()
        finally:  # also where the photo was erased meanwhile
            self._show()

    def _show(self) -> None:
        _ = self._
        counts = self._queue.counts()
        done = sum(counts[review] for review in ReviewDecision)
        shown: dict[str, object] = {
            "photo": "",
            "said": [],
            "progress": _("Reviewed: {done}. Waiting: {waiting}.", done=done, waiting=counts["waiting"]),
            "undo": bool(self._decided),
        }
        buffers = []
        for one in self._queue.waiting():
            shown |= {"photo": str(one.prediction_id), "said": [self._model_said(one), self._person_said(one)]}
            buffers.append(one.jpeg)
        self.send({"shows": shown}, buffers)

    def _model_said(self, one: PhotoToReview) -> str:
        _ = self._
        return _(
            "Model {version}: {answer}, {share} sure.",
            version=one.model_version or _("of an unknown version"),
            answer=self._name(one.answer),
            share=_.percent(one.confidence),
        )

    def _person_said(self, one: PhotoToReview) -> str:
        return self._("The person who sent it: {label}.", label=self._name(one.true_label))

    def _name(self, label: Answer | TrueLabel) -> str:
        _ = self._
        return {"cat": _("A cat"), "dog": _("A dog"), "both": _("Both"), "neither": _("Neither")}[label]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid_message() from None
