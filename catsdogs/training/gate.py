"""Neither a cat nor a dog: two pieces of evidence, fitted on photos of pets alone.

*Otherness*: the backbone knows a thousand ImageNet classes, 123 of them domestic cats and dogs. For
each other class, the margin of its logit over the pets' (their log-sum-exp), compared with that margin's
mean and spread on photos of pets: a sofa is often seen with a pet and says little, a horse is not and
says much. The largest counts.

*Similarity*: the mean of the largest cosines between a photo's features and centroids (k-means) of the
pets' features.

Either alone lets much through: the first what belongs to no ImageNet class, the second what has fur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp
from sklearn.cluster import KMeans

from catsdogs.training.weights import Arrays

PET_CLASSES = np.r_[151:269, 281:286]
"""ImageNet's (ILSVRC 2012) domestic dogs and cats; wolves, foxes, lynxes and lions are none of them."""
CENTROIDS = 256
NEIGHBOURS = 3
"""Number of centroids over which the similarity is averaged."""
REFUSED = 0.006
"""The threshold's rule: this share of the training pets is refused."""
TYPICAL_SCORE = 0.02
"""The scale's rule: the median training pet has this score."""
SIMILARITY_WEIGHT = 2.0
"""Of the similarity against the otherness, each in standard deviations of the training pets."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gate:
    """``score = sigmoid(slopes @ [otherness, similarity] + offset)``, 0..1; 0.5 is the threshold."""

    pet_weights: Floats
    """Of the ImageNet classifier, shape (1280, 123)."""
    pet_bias: Floats
    other_weights: Floats
    """Shape (1280, 877)."""
    other_bias: Floats
    mean: Floats
    """Of each other class's margin on training pets, shape (877,)."""
    spread: Floats
    """Their standard deviations."""
    centroids: Floats
    """Unit vectors, shape (256, 1280)."""
    slopes: Floats
    """Shape (2,)."""
    offset: float

    def score(self, features: npt.NDArray[np.float32]) -> Floats:
        """Compute the neither score of features, shape (n, 1280)."""
        score: Floats = expit(_evidence(self, features) @ self.slopes + self.offset)
        return score


def fit_gate(features: npt.NDArray[np.float32], weights: Arrays, seed: int) -> Gate:
    """Fit the gate on features of cats and dogs, shape (n, 1280)."""
    kernel, bias = weights["_fc.weight"].T.astype(np.float64), weights["_fc.bias"].astype(np.float64)
    others = np.setdiff1d(np.arange(len(bias)), PET_CLASSES)
    parts = (kernel[:, PET_CLASSES], bias[PET_CLASSES], kernel[:, others], bias[others])
    margins = _margins(features, *parts)
    count = min(CENTROIDS, len(features))
    clusters = KMeans(count, n_init=1, random_state=seed).fit(_unit(features.astype(np.float64)))
    untuned = Gate(
        *parts, margins.mean(axis=0), margins.std(axis=0), _unit(clusters.cluster_centers_), np.zeros(2), 0.0
    )
    evidence = _evidence(untuned, features)
    slopes = np.array([1.0, -SIMILARITY_WEIGHT]) / evidence.std(axis=0)
    raw = evidence @ slopes
    threshold = np.quantile(raw, 1 - REFUSED)
    scale = -logit(TYPICAL_SCORE) / (threshold - np.median(raw))
    return Gate(*parts, untuned.mean, untuned.spread, untuned.centroids, slopes * scale, float(-threshold * scale))


def _margins(features: npt.NDArray[np.float32], pet: Floats, pet_bias: Floats, other: Floats, bias: Floats) -> Floats:
    margins: Floats = features @ other + bias - logsumexp(features @ pet + pet_bias, axis=1, keepdims=True)
    return margins


def _evidence(gate: Gate, features: npt.NDArray[np.float32]) -> Floats:
    """Compute otherness and similarity, shape (n, 2)."""
    margins = _margins(features, gate.pet_weights, gate.pet_bias, gate.other_weights, gate.other_bias)
    cosines = np.sort(_unit(features.astype(np.float64)) @ gate.centroids.T, axis=1)
    return np.stack([((margins - gate.mean) / gate.spread).max(axis=1), cosines[:, -NEIGHBOURS:].mean(axis=1)], axis=1)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
