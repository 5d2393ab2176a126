"""A photo of this session with its answer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from catsdogs.domain import Consent, Outcome, Prediction


@dataclass(frozen=True, slots=True)
class AnsweredPhoto:
    """A photo that was answered, and what was recorded about it."""

    prediction: Prediction
    remark: str
    """Sentence about the prediction in the person's language; may be empty."""
    recorded: tuple[Outcome, Consent] | None
    """Outcome and the consent under which it was recorded; ``None`` for a sample picture, and after an erasure."""

    @property
    def receipt(self) -> str:
        """Receipt code; empty where nothing is stored with consent."""
        return (self.recorded[0].receipt or "") if self.recorded else ""

    @property
    def anonymous_id(self) -> UUID | None:
        """Id of the prediction, where it was recorded without consent."""
        return self.recorded[0].feedback_id if self.recorded and not self.receipt else None
