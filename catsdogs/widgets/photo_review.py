"""Review of the labels that people gave their photos, before a model is trained on them; for analysts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from catsdogs.domain import Answer, PhotoToReview, ReviewDecision, TrueLabel
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, invalid_message, message_choice, message_field, script, style
from catsdogs.widgets.session_language import session_language


class PhotoQueue(Protocol):
    """Part of :class:`catsdogs.records.review_queue.ReviewQueue` that the widget uses."""

    def waiting(self, limit: int = 1) -> list[PhotoToReview]:
        """Return up to `limit` photos that nobody has reviewed."""

    def decide(self, photo: UUID, review: ReviewDecision | None) -> None:
        """Store a decision, or delete it where it is ``None``."""

    def counts(self) -> dict[str, int]:
        """Return how many photos wait, and how many were reviewed by decision."""


class PhotoReview(BaseWidget):
    """Shows one photo after the other, and stores a decision on each.

    Photos are sent in messages, not in synchronised traits: those are saved with a notebook, where an erasure
    would not reach them.

    Parameters
    ----------
    queue
        Photos to review.
    language
        A key of `LANGUAGES`; by default what :func:`catsdogs.widgets.session_language.session_language` chooses.
    """

    _esm = script("photo_review")
    _css = style("feedback_form", "photo_review")

    def __init__(self, queue: PhotoQueue, language: str | None = None) -> None:
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
                "keys": _("Keys: 1 to 4 to decide, Backspace to undo the last decision."),
                "none": _("No photo waits for review."),
            },
        )
        self._queue = queue
        self._decided: list[UUID] = []

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Store a decision or undo the last one, and show the next photo."""
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
        finally:  # an error may mean that the photo was erased meanwhile: show the next one
            self._show()

    def _show(self) -> None:
        _ = self._
        counts = self._queue.counts()
        done = sum(counts[review] for review in ReviewDecision)
        review: dict[str, object] = {
            "photo": "",
            "lines": [],
            "progress": _("Reviewed: {done}. Waiting: {waiting}.", done=done, waiting=counts["waiting"]),
            "can_undo": bool(self._decided),
        }
        buffers = []
        for photo in self._queue.waiting():
            review |= {"photo": str(photo.prediction_id), "lines": [self._model_answer(photo), self._label(photo)]}
            buffers.append(photo.jpeg)
        self.send({"review": review}, buffers)

    def _model_answer(self, photo: PhotoToReview) -> str:
        _ = self._
        return _(
            "Model {version}: {answer}, {share} sure.",
            version=photo.model_version or _("of an unknown version"),
            answer=self._name(photo.answer),
            share=_.probability(photo.probability),
        )

    def _label(self, photo: PhotoToReview) -> str:
        return self._("The person who sent it: {label}.", label=self._name(photo.true_label))

    def _name(self, label: Answer | TrueLabel) -> str:
        _ = self._
        return {"cat": _("A cat"), "dog": _("A dog"), "both": _("Both"), "neither": _("Neither")}[label]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid_message() from None
