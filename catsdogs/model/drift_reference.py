"""What a model's answers and photos look like where it was measured: the reference that drift is told from.

Each signal is a number a photo, counted in bins, so that a reference is a few hundred bytes on the model card:

=============  ====================================================================================
`confidence`   of the answers cat and dog: the larger of the two probabilities
`answers`      of the answers cat and dog: 1 for a dog
`neither`      1 where the answer was "neither"
`brightness`   mean luma, 0..1
`sharpness`    variance of the Laplacian divided by the brightness squared: a darker photo is not blurred
`size`         shorter side in pixels, at most what the network sees: beyond that nothing changes for it
=============  ====================================================================================

:mod:`catsdogs.monitoring.drift` counts the same signals of recorded predictions, in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from catsdogs.domain import Answer, Prediction
from catsdogs.model.preprocessing import ImageStatistics

CONFIDENCE_EDGES = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Not quantiles: nearly all answers are surer than 99 %, and what happens above that means nothing."""
YES_OR_NO = (0.5,)
DARKEST = 1e-3
"""Brightness is not taken for less, where it divides."""

_DECILES = tuple(tenth / 10 for tenth in range(1, 10))


class Histogram(BaseModel):
    """Counts of a signal. Bin ``i`` holds values from ``edges[i - 1]`` on and below ``edges[i]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.counts) != len(self.edges) + 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must rise, and there must be one count more than edges")
        return self

    @classmethod
    def of(cls, values: Sequence[float], edges: Sequence[float] | None = None) -> Self:
        """Count `values`; by default in bins that hold a tenth of them each, fewer where many are alike."""
        cuts = np.unique(np.quantile(values, _DECILES)) if edges is None else np.asarray(edges)
        counts = np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1)
        return cls(edges=tuple(cuts.tolist()), counts=tuple(counts.tolist()))


class Reference(BaseModel):
    """The signals of a set of photos, as one model version answered them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: str
    """Name of the set."""
    n: int
    signals: dict[str, Histogram]

    @classmethod
    def of(cls, photos: str, seen: Iterable[tuple[Prediction, ImageStatistics]], input_size: int) -> Self:
        """Count the signals of photos, of which at least one must be answered with an animal."""
        pairs = list(seen)
        predictions = [prediction for prediction, _ in pairs]
        pets = [prediction for prediction in predictions if prediction.answer is not Answer.NEITHER]
        images = [statistics for _, statistics in pairs]
        return cls(
            photos=photos,
            n=len(pairs),
            signals={
                "confidence": Histogram.of([pet.confidence for pet in pets], CONFIDENCE_EDGES),
                "answers": Histogram.of([float(pet.answer is Answer.DOG) for pet in pets], YES_OR_NO),
                "neither": Histogram.of([float(one.answer is Answer.NEITHER) for one in predictions], YES_OR_NO),
                "brightness": Histogram.of([image.brightness for image in images]),
                "sharpness": Histogram.of([image.sharpness / max(image.brightness, DARKEST) ** 2 for image in images]),
                "size": Histogram.of([float(min(image.width, image.height, input_size)) for image in images]),
            },
        )
