"""Doubtful answers: near the boundary between two answers, or on photos that seem to show both animals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from catsdogs.domain import Answer, Doubt, Prediction

LOW_CONFIDENCE_SHARE = 0.02
"""Share of pets whose answers are unsure because of their low confidence."""
NEAR_REFUSAL_SHARE = 0.01
"""Share of pets whose answers are unsure because they were nearly "neither"."""
FALSE_BOTH_SHARE = 0.01
"""Share of photos of one pet that seem to show both animals."""
RULE = (
    f"of photos of one pet, the {LOW_CONFIDENCE_SHARE:.0%} with the least confidence are unsure, and the "
    f'{NEAR_REFUSAL_SHARE:.0%} that were nearest to "neither" among those that were not; "neither" is unsure as near '
    f"to that threshold. A photo seems to show both above the score that {FALSE_BOTH_SHARE:.0%} of photos of one pet "
    "exceed: how strong the evidence for a cat is in one region, and for a dog in another, whichever is less."
)
WINDOW = 3
"""Side of the square over which the class-activation map is averaged, in its cells."""


class DoubtThresholds(BaseModel):
    """Thresholds of a model version for doubtful answers, chosen by `RULE`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: str
    """Name of the set of photos by which they were chosen."""
    n: int
    """Number of pets in it that were answered with an animal."""
    confidence: float
    """Confidence below which a cat or a dog is unsure."""
    neither_score: float
    """Out-of-distribution score above which a cat or a dog is unsure; "neither" is unsure below 1 minus this score."""
    both_score: float
    """Score, see :func:`both_score`, above which a photo seems to show both animals."""

    @classmethod
    def choose(cls, photos: str, pets: Iterable[Prediction]) -> Self:
        """Choose the thresholds by predictions for photos of one pet each; one answer at least is an animal."""
        answered = [pet for pet in pets if pet.answer is not Answer.NEITHER]
        return cls(
            photos=photos,
            n=len(answered),
            confidence=float(np.quantile([pet.confidence for pet in answered], LOW_CONFIDENCE_SHARE)),
            neither_score=float(np.quantile([pet.neither_score for pet in answered], 1 - NEAR_REFUSAL_SHARE)),
            both_score=float(
                # of fewer than a hundred photos the largest score: between two of them, the threshold would be too low
                np.quantile([both_score(pet) for pet in answered], 1 - FALSE_BOTH_SHARE, method="higher")
            ),
        )

    def doubt_of(self, prediction: Prediction) -> Doubt | None:
        """Return the doubt about an answer, if there is any."""
        if prediction.answer is Answer.NEITHER:
            return Doubt.UNSURE if prediction.neither_score < 1 - self.neither_score else None
        if both_score(prediction) > self.both_score:
            return Doubt.BOTH
        unsure = prediction.confidence < self.confidence or prediction.neither_score > self.neither_score
        return Doubt.UNSURE if unsure else None


def both_score(prediction: Prediction) -> float:
    """Compute how strong the evidence is for a cat in one region of the photo and for a dog in another.

    Returns
    -------
    float
        The class-activation map is averaged over squares of `WINDOW` cells; each animal counts by the square with the
        strongest evidence for it, and the smaller of both values is returned, in logits.
    """
    if prediction.explanation is None:
        return -np.inf
    activation = np.array(prediction.explanation.activation)
    side = min(WINDOW, *activation.shape)
    averages = np.lib.stride_tricks.sliding_window_view(activation, (side, side)).mean(axis=(2, 3))
    return float(min(averages.max(), -averages.min()))
