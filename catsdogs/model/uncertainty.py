"""When an answer should be taken with care: near the line between two answers, or where both animals seem to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from catsdogs.domain import Answer, Doubt, Prediction

LEAST_CONFIDENT = 0.02
"""Share of pets whose answers are unsure for their confidence."""
NEAREST_REFUSAL = 0.01
"""Share of pets whose answers are unsure because they were nearly "neither"."""
FALSE_ALARMS = 0.01
"""Share of photos of one pet that seem to show both."""
RULE = (
    f"of photos of one pet, the {LEAST_CONFIDENT:.0%} with the least confidence are unsure, and the "
    f'{NEAREST_REFUSAL:.0%} that were nearest to "neither" among those that were not; "neither" is unsure as near to '
    f"that line. A photo seems to show both from the score on that {FALSE_ALARMS:.0%} of photos of one pet have: how "
    "strongly it speaks for a cat in one place, and for a dog in another, whichever is less."
)
PLACE = 3
"""Side of a place, in cells of the class-activation map."""


class Doubts(BaseModel):
    """What a model version's answers are compared with, chosen by `RULE`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: str
    """Name of the set on which they were chosen."""
    n: int
    """Pets in it that were answered with an animal."""
    confidence: float
    """A cat or a dog of less confidence is unsure."""
    neither_score: float
    """From this "neither" score on a cat or a dog is unsure, and "neither" up to as far beyond the middle, 0.5."""
    both_score: float
    """From this score on, see :func:`both_score`, the photo seems to show both."""

    @classmethod
    def of(cls, photos: str, pets: Iterable[Prediction]) -> Self:
        """Choose them by what was said of photos that each show one pet, at least one of which was answered so."""
        answered = [pet for pet in pets if pet.answer is not Answer.NEITHER]
        return cls(
            photos=photos,
            n=len(answered),
            confidence=float(np.quantile([pet.confidence for pet in answered], LEAST_CONFIDENT)),
            neither_score=float(np.quantile([pet.neither_score for pet in answered], 1 - NEAREST_REFUSAL)),
            both_score=float(np.quantile([both_score(pet) for pet in answered], 1 - FALSE_ALARMS)),
        )

    def about(self, prediction: Prediction) -> Doubt | None:
        """Say why an answer should be taken with care."""
        if prediction.answer is Answer.NEITHER:
            return Doubt.UNSURE if prediction.neither_score < 1 - self.neither_score else None
        if both_score(prediction) > self.both_score:
            return Doubt.BOTH
        unsure = prediction.confidence < self.confidence or prediction.neither_score > self.neither_score
        return Doubt.UNSURE if unsure else None


def both_score(prediction: Prediction) -> float:
    """Say how strongly a photo speaks for a cat in one place and for a dog in another.

    Returns
    -------
    float
        The weaker of both animals' strongest places on the class-activation map, in logits.
    """
    if prediction.explanation is None:
        return -np.inf
    activation = np.array(prediction.explanation.activation)
    side = min(PLACE, *activation.shape)
    places = np.lib.stride_tricks.sliding_window_view(activation, (side, side)).mean(axis=(2, 3))
    return float(min(places.max(), -places.min()))
