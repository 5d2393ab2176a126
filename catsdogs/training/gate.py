"""The gate: out-of-distribution detection for photos of neither a cat nor a dog, fitted on photos of pets alone.

The out-of-distribution score combines two figures.

*Margin*: the backbone was trained on a thousand ImageNet classes, 123 of them domestic cats and dogs. For each other
class, the margin of its logit over the pets' (their log-sum-exp) is standardised by its mean and standard deviation on
photos of pets: a sofa is often photographed with a pet, so that its margin says little; that of a horse says much. The
largest standardised margin counts.

*Similarity*: the mean of the largest cosines between the photo's features and centroids (k-means) of the pets'
features.

Neither is enough alone: the margin does not detect what belongs to no ImageNet class, the similarity does not detect
other animals with fur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.cluster import KMeans

from catsdogs.training.imagenet import ImageNetClassifier

CENTROIDS = 256
"""Number of centroids of the pets' features."""
NEIGHBOURS = 3
"""Number of centroids over which the similarity is averaged."""
SIMILARITY_WEIGHT = 2.0
"""Weight of the similarity against the margin, each in standard deviations of the training pets."""
REFUSED_SHARE = 0.006
"""Share of the training pets that the threshold refuses."""
TYPICAL_SCORE = 0.02
"""Score of the median training pet; sets the scale."""
RULE = (
    f'a photo is answered "neither" from a score of 0.5 on; the threshold refuses {REFUSED_SHARE:.1%} of the training '
    f"photos, and the scale gives their median the score {TYPICAL_SCORE}."
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gate:
    """``score = sigmoid(slopes @ [margin, similarity] - threshold)``, 0..1."""

    mean: Floats
    """Mean of each other class's margin on training pets, shape (877,)."""
    spread: Floats
    """Standard deviations of these margins, shape (877,)."""
    centroids: Floats
    """Unit vectors, shape (256, 1280)."""
    slopes: Floats
    """Shape (2,)."""
    threshold: float

    def scores(self, features: npt.NDArray[np.float32], imagenet_classifier: ImageNetClassifier) -> Floats:
        """Compute the scores of photos by their features, shape (n, 1280), as the served network does."""
        margins = imagenet_classifier.margins(features.astype(np.float64))
        evidence = _evidence(margins, features, self.mean, self.spread, self.centroids)
        scores: Floats = expit(evidence @ self.slopes - self.threshold)
        return scores


def fit_gate(features: npt.NDArray[np.float32], imagenet_classifier: ImageNetClassifier, seed: int) -> Gate:
    """Fit the gate on features of cats and dogs, shape (n, 1280)."""
    pets = features.astype(np.float64)
    margins = imagenet_classifier.margins(pets)
    mean, spread = margins.mean(axis=0), margins.std(axis=0)
    clusters = KMeans(min(CENTROIDS, len(pets)), n_init=1, random_state=seed).fit(_unit(pets))
    centroids = _unit(clusters.cluster_centers_)

    both = _evidence(margins, pets, mean, spread, centroids)
    slopes = np.array([1.0, -SIMILARITY_WEIGHT]) / both.std(axis=0)
    evidence = both @ slopes
    threshold = np.quantile(evidence, 1 - REFUSED_SHARE)
    scale = -logit(TYPICAL_SCORE) / (threshold - np.median(evidence))
    return Gate(mean, spread, centroids, slopes * scale, float(threshold * scale))


def _evidence(
    margins: Floats, features: npt.NDArray[np.floating], mean: Floats, spread: Floats, centroids: Floats
) -> Floats:
    """Compute the largest standardised margin and the similarity, shape (n, 2)."""
    margin = ((margins - mean) / spread).max(axis=1)
    cosines = _unit(features.astype(np.float64)) @ centroids.T
    return np.stack([margin, np.sort(cosines, axis=1)[:, -NEIGHBOURS:].mean(axis=1)], axis=1)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
