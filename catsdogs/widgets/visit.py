"""The photos of a visit: what a kernel remembers of each, and how the browser tab keeps them over a reload.

The page stores what :meth:`VisitPhoto.to_saved` wrote, and sends it back to the kernel of the reloaded page. Nothing of
it is trusted: the service checks the identifier and the receipt code of every later request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NotRequired, Self
from uuid import UUID

from typing_extensions import TypedDict

from catsdogs.domain import Consent, ConsentChannel, Outcome, Prediction, PurposeName, TrueLabel, new_receipt
from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_
from catsdogs.records.user_texts import receipt_symbols
from catsdogs.service.interface import NO_CONSENT
from catsdogs.service.prediction_json import SamplePrediction, prediction_from_json, prediction_to_json
from catsdogs.service.responses import Export

MAX_CONTENT_BYTES = 32_000_000
"""Most bytes of photos that a kernel keeps in memory; above it, those of the oldest photos are dropped."""


class Remark(StrEnum):
    """What a person should know about the record of a photo."""

    SAMPLE = "sample"
    """A sample picture: nothing is recorded."""
    DRAWN = "drawn"
    """A sample picture that is a drawing."""
    WAITING = "waiting"
    """The database could not be reached: the prediction is stored later."""
    NOT_RECORDED = "not_recorded"
    """Neither database nor disk could take the record: nothing was kept."""
    ERASED = "erased"
    """What was kept is erased."""


class SavedPhoto(TypedDict):
    """A photo of a visit as JSON, without its content."""

    prediction: SamplePrediction
    remark: str | None
    feedback_id: str | None
    receipt: str
    new_receipt: NotRequired[str]
    purposes: list[str]
    language: str
    rating: int | None
    true_label: str | None
    comment: str


def decide(consent: Consent, purpose: PurposeName, *, agreed: bool) -> Consent:
    """Return a consent with another decision about one purpose."""
    changed: dict[str, Any] = {purpose.value: agreed}
    return replace(consent, **changed)


@dataclass(frozen=True, slots=True)
class VisitPhoto:
    """A photo that was answered, and what is recorded about it."""

    number: int
    """Number of the photo in this visit, from 1."""
    name: str
    """Name of the file, or of the sample picture."""
    prediction: Prediction
    content: bytes = b""
    """The photo, for the person who agrees to keep it; empty where it is not in memory (any more)."""
    remark: Remark | None = None
    feedback_id: UUID | None = None
    """Identifier of the prediction; ``None`` where none is recorded: of a sample picture, and after an erasure."""
    receipt: str = ""
    """Receipt code; empty where nothing was stored with consent."""
    new_receipt: str = ""
    """Receipt code of the first consent, if it comes to that. It is chosen before a decision is sent, so that none is
    lost with a response, and that the same photo in a duplicate of the tab has the same code."""
    consent: Consent = NO_CONSENT
    """Decision that applies now."""
    rating: int | None = None
    true_label: TrueLabel | None = None
    comment: str = ""
    """The comment that is stored."""

    @classmethod
    def of_outcome(cls, number: int, name: str, content: bytes, outcome: Outcome) -> Self:
        """Create a photo whose prediction was recorded without consent, or not at all."""
        if not outcome.recorded:
            return cls(number, name, outcome.prediction, content, Remark.NOT_RECORDED)
        remark = None if outcome.stored else Remark.WAITING
        return cls(number, name, outcome.prediction, content, remark, outcome.feedback_id, new_receipt=new_receipt())

    @property
    def purposes(self) -> list[PurposeName]:
        """What the person agreed to."""
        return [purpose for purpose in PurposeName if getattr(self.consent, purpose)]

    def erased(self) -> Self:
        """Return the photo after everything that was recorded about it was erased."""
        return type(self)(self.number, self.name, self.prediction, remark=Remark.ERASED)

    def without(self, purpose: PurposeName) -> Self:
        """Return the photo after the consent to a purpose was withdrawn."""
        comment = "" if purpose is PurposeName.FILENAME_AND_COMMENT else self.comment
        return replace(self, consent=decide(self.consent, purpose, agreed=False), comment=comment)

    def as_exported(self, export: Export) -> Self:
        """Return the photo as an export of its receipt code shows it, where it was changed elsewhere."""
        identifier = str(self.feedback_id)
        for waiting in export["waiting"]:
            if waiting["id"] == identifier:
                return self._as_decided(waiting["decision"])
        for row in export["predictions"]:
            if row["id"] == identifier:
                decision = next(one for one in export["decisions"] if one["id"] == row["consent_id"])
                label, comment = row["true_label"], row["user_comment"]
                stored = self._as_decided(decision)
                return replace(
                    stored,
                    rating=row["user_feedback"],
                    true_label=TrueLabel(label) if label else None,
                    comment=comment or "",
                )
        return self

    def _as_decided(self, decision: Mapping[str, Any]) -> Self:
        consent = self.consent
        for purpose in PurposeName:
            consent = decide(consent, purpose, agreed=decision[purpose])
        comment = self.comment if consent.filename_and_comment else ""
        return replace(self, consent=consent, receipt=self.receipt or self.new_receipt, comment=comment)

    def to_saved(self) -> SavedPhoto:
        """Write the photo for the browser tab; number, name and content are the page's own."""
        return {
            "prediction": prediction_to_json(self.prediction),
            "remark": self.remark and self.remark.value,
            "feedback_id": str(self.feedback_id) if self.feedback_id else None,
            "receipt": self.receipt,
            "new_receipt": self.new_receipt,
            "purposes": [purpose.value for purpose in self.purposes],
            "language": self.consent.language,
            "rating": self.rating,
            "true_label": self.true_label and self.true_label.value,
            "comment": self.comment,
        }

    @classmethod
    def from_saved(cls, number: int, name: str, content: bytes, saved: SavedPhoto) -> Self:
        """Read what `to_saved` wrote.

        Raises
        ------
        InvalidInput
            It is something else: another version of the app wrote it, or somebody changed it.
        """
        try:
            prediction = prediction_from_json(saved["prediction"])
            agreed = dict.fromkeys(map(PurposeName, saved["purposes"]), True)
            photo = cls(
                number,
                name,
                prediction,
                content,
                Remark(saved["remark"]) if saved["remark"] else None,
                UUID(saved["feedback_id"]) if saved["feedback_id"] else None,
                saved["receipt"],
                saved.get("new_receipt", new_receipt()),
                Consent(**agreed, language=saved["language"], channel=ConsentChannel.APP),
                saved["rating"],
                TrueLabel(saved["true_label"]) if saved["true_label"] else None,
                saved["comment"],
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _not_restored() from None
        figures = (prediction.proba_cat, prediction.proba_dog, prediction.neither_score, prediction.inference_time_ms)
        texts = (prediction.model_version, photo.receipt, photo.new_receipt, photo.consent.language, photo.comment)
        if not (
            all(isinstance(figure, int | float) for figure in figures)
            and all(isinstance(text, str) for text in texts)
            and photo.rating in (None, 0, 1)
        ):
            raise _not_restored()
        return photo


class Visit:
    """The photos of a visit by number, in the order in which they came.

    Parameters
    ----------
    on_change
        Called after each change.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._photos: dict[int, VisitPhoto] = {}
        self._on_change = on_change

    def __iter__(self) -> Iterator[VisitPhoto]:
        return iter(self._photos.values())

    def get(self, number: int) -> VisitPhoto | None:
        """Return the photo of a number."""
        return self._photos.get(number)

    def find(self, feedback_id: str) -> VisitPhoto | None:
        """Return the photo whose prediction has this identifier."""
        return next((photo for photo in self if photo.feedback_id and str(photo.feedback_id) == feedback_id), None)

    def with_receipt(self, code: str) -> list[VisitPhoto]:
        """Return the photos of a receipt code, however it is typed."""
        symbols = receipt_symbols(code)
        return [photo for photo in self if photo.receipt and receipt_symbols(photo.receipt) == symbols]

    def put(self, photo: VisitPhoto) -> None:
        """Add a photo, or replace the one of the same number."""
        self._photos[photo.number] = photo
        total = 0
        for other in reversed(list(self)):
            total += len(other.content)
            if other.content and total > MAX_CONTENT_BYTES:
                self._photos[other.number] = replace(other, content=b"")
        self._on_change()

    def clear(self) -> None:
        """Remove all photos."""
        self._photos.clear()
        self._on_change()

    def remove(self, number: int) -> None:
        """Remove a photo, where it is one of the visit."""
        self._photos.pop(number, None)
        self._on_change()


def _not_restored() -> InvalidInput:
    return InvalidInput(N_("A photo of this visit cannot be restored. Choose it again."))
