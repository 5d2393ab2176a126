"""The drift reference: histograms of a model's answers and photos on the set that it was evaluated on.

Each signal is one number for each photo, counted in bins, so that a reference takes a few hundred bytes on the card:

=============  ====================================================================================
`confidence`   of the answers cat and dog: the larger of the two probabilities
`answers`      of the answers cat and dog: 1 for a dog
`neither`      1 where the answer was "neither"
`brightness`   mean luma, 0..1
`sharpness`    variance of the Laplacian divided by the brightness squared: a darker photo is not blurred
`size`         shorter side in pixels, at most the network's input size: larger photos are scaled down to it
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
"""Edges of the confidence bins. Not quantiles: the confidence of nearly all answers is above 99 %."""
YES_OR_NO = (0.5,)
"""Edge between the bins of 0 and of 1."""
MIN_BRIGHTNESS = 1e-3
"""Smallest brightness that sharpness is divided by."""

_DECILES = tuple(tenth / 10 for tenth in range(1, 10))


class Histogram(BaseModel):
    """Counts of a signal: bin ``i`` holds the values from ``edges[i - 1]`` on and below ``edges[i]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edges: tuple[float, ...]
    """Edges between the bins, in ascending order."""
    counts: tuple[int, ...]
    """Number of values in each bin, one more than `edges`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.counts) != len(self.edges) + 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must rise, and there must be one count more than edges")
        return self

    @classmethod
    def of(cls, values: Sequence[float], edges: Sequence[float] | None = None) -> Self:
        """Count `values`; by default in bins of a tenth of them each, in fewer bins if many values are equal."""
        cuts = np.unique(np.quantile(values, _DECILES)) if edges is None else np.asarray(edges)
        counts = np.bincount(np.searchsorted(cuts, values, side="right"), minlength=len(cuts) + 1)
        return cls(edges=tuple(cuts.tolist()), counts=tuple(counts.tolist()))


class DriftReference(BaseModel):
    """Histograms of the signals of a set of photos, for one model version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: str
    """Name of the set of photos."""
    n: int
    """Number of photos."""
    signals: dict[str, Histogram]
    """Histograms by the names of the signals."""

    @classmethod
    def count(cls, photos: str, results: Iterable[tuple[Prediction, ImageStatistics]], input_size: int) -> Self:
        """Count the signals of photos; one answer at least must be an animal."""
        pairs = list(results)
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
                "sharpness": Histogram.of(
                    [image.sharpness / max(image.brightness, MIN_BRIGHTNESS) ** 2 for image in images]
                ),
                "size": Histogram.of([float(min(image.width, image.height, input_size)) for image in images]),
            },
        )
