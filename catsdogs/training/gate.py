"""The gate: out-of-distribution detection for photos of neither a cat nor a dog.

The out-of-distribution score is the sum of three terms, each in standard deviations of pets.

*Mass*: the backbone was trained on a thousand ImageNet classes, 123 of them domestic cats and dogs. The log-sum-exp of
the other classes' logits minus that of the pets' says how much of the photo belongs to the others.

*Otherness*: for each other class, the margin of its logit over the pets' (their log-sum-exp) is standardised by its
mean and standard deviation on photos of pets: a sofa is often photographed with a pet, so that its margin says little;
that of a horse says much. The largest standardised margin counts.

*Contrast*: the cosine between the photo's features and the most similar known other thing, minus the mean of the
largest cosines between them and centroids (k-means) of the pets' features.

None is enough alone: the first two do not detect what belongs to no ImageNet class, the third does not detect other
animals with fur. The known other things are compared with, and never learned from: a classifier that was trained on
them learned from which source a photo came, and refused a fifth of other people's pets.

The threshold is chosen by pets whose centroids were fitted without them: on the photos that they were fitted on, a gate
of a few hundred photos looks ten times as good as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp
from sklearn.cluster import KMeans
from sklearn.model_selection import KFold

from catsdogs.training.imagenet import ImageNetClassifier

CENTROIDS = 256
"""Number of centroids of the pets' features."""
NEIGHBOURS = 3
"""Number of centroids over which the similarity is averaged."""
WEIGHTS = (1.0, 1.0, 2.0)
"""Weights of mass, otherness and contrast, each in standard deviations of pets.

Chosen by 6,759 pets, each compared with the others alone, and by 348 photos of other things, each compared with
those of other kinds alone. With 1 % of the pets refused, of these 348 are accepted: by one term 26, 8 or 15, by two
12, 4 or 2, by all three with equal weights 5, with these 2, both of them white horses. Where other photos of their
kind are known, equal weights accept 1, these none."""
FOLDS = 5
REFUSED_SHARE = 0.01
"""Share of pets that the threshold refuses."""
TYPICAL_SCORE = 0.02
"""Score of the median pet; sets the scale."""
RULE = (
    f'a photo is answered "neither" from a score of 0.5 on; the threshold refuses {REFUSED_SHARE:.1%} of the training '
    f"photos, each compared with the others alone, and the scale gives their median the score {TYPICAL_SCORE}."
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PetReference:
    """What the terms compare a photo with."""

    mean: Floats
    """Mean of each other class's margin on pets, shape (877,)."""
    spread: Floats
    """Standard deviations of these margins, shape (877,)."""
    centroids: Floats
    """Unit vectors of the pets, shape (256, 1280)."""
    others: Floats
    """Unit vectors of the known other things, shape (n, 1280); there may be none."""

    @classmethod
    def fit(cls, pets: Floats, others: Floats, imagenet_classifier: ImageNetClassifier, seed: int) -> PetReference:
        """Fit it on the features of pets and of other things, shape (n, 1280) each."""
        margins = imagenet_classifier.margins(pets)
        clusters = KMeans(min(CENTROIDS, len(pets)), n_init=1, random_state=seed).fit(unit(pets))
        return cls(margins.mean(axis=0), margins.std(axis=0), unit(clusters.cluster_centers_), unit(others))

    def terms(self, features: npt.NDArray[np.floating], imagenet_classifier: ImageNetClassifier) -> Floats:
        """Compute mass, otherness and contrast, shape (n, 3)."""
        margins = imagenet_classifier.margins(features.astype(np.float64))
        directions = unit(features.astype(np.float64))
        cosines = np.sort(directions @ self.centroids.T, axis=1)[:, -NEIGHBOURS:]
        nearest = (directions @ self.others.T).max(axis=1) if len(self.others) else 0.0
        otherness = ((margins - self.mean) / self.spread).max(axis=1)
        return np.stack([logsumexp(margins, axis=1), otherness, nearest - cosines.mean(axis=1)], axis=1)


@dataclass(frozen=True)
class Gate:
    """``score = sigmoid(slopes @ [mass, otherness, contrast] - threshold)``, 0..1."""

    reference: PetReference
    slopes: Floats
    """Shape (3,)."""
    threshold: float
    held_out_scores: Floats
    """Score of each pet by a reference that was fitted without it, shape (n,)."""
    held_out_refused: int
    """Number of pets refused where the threshold is chosen without them, too: a forecast for photos to come."""
    held_out_accepted: int | None
    """Number of other things accepted, each compared with those of other folds alone; ``None`` with fewer than five."""

    def scores(self, features: npt.NDArray[np.float32], imagenet_classifier: ImageNetClassifier) -> Floats:
        """Compute the scores of photos by their features, shape (n, 1280), as the served network does."""
        scores: Floats = expit(self.reference.terms(features, imagenet_classifier) @ self.slopes - self.threshold)
        return scores


def fit_gate(
    features: npt.NDArray[np.float32],
    others: npt.NDArray[np.float32],
    imagenet_classifier: ImageNetClassifier,
    seed: int,
) -> Gate:
    """Fit the gate on features of cats and dogs, and on those of known other things, shape (n, 1280) each."""
    pets, known = features.astype(np.float64), others.astype(np.float64)
    terms = held_out_terms(pets, known, imagenet_classifier, seed)
    slopes = np.array(WEIGHTS) / terms.std(axis=0)
    evidence = terms @ slopes
    threshold = np.quantile(evidence, 1 - REFUSED_SHARE)
    scale = -logit(TYPICAL_SCORE) / (threshold - np.median(evidence))
    reference = PetReference.fit(pets, known, imagenet_classifier, seed)
    return Gate(
        reference,
        slopes * scale,
        float(threshold * scale),
        expit((evidence - threshold) * scale),
        _count_refused(evidence, seed),
        _count_accepted(reference, slopes, float(threshold), imagenet_classifier, known, seed),
    )


def _count_refused(evidence: Floats, seed: int) -> int:
    """Count the pets above the threshold of the others; those of a fold have one threshold."""
    return sum(
        int((evidence[held_out] > np.quantile(evidence[others], 1 - REFUSED_SHARE)).sum())
        for others, held_out in _folds(evidence, seed)
    )


def _count_accepted(
    reference: PetReference,
    slopes: Floats,
    threshold: float,
    imagenet_classifier: ImageNetClassifier,
    others: Floats,
    seed: int,
) -> int | None:
    """Count the other things below the threshold, each compared with those of other folds alone."""
    if len(others) < FOLDS:
        return None
    accepted = 0
    for known, held_out in _folds(others, seed):
        terms = replace(reference, others=unit(others[known])).terms(others[held_out], imagenet_classifier)
        accepted += int((terms @ slopes < threshold).sum())
    return accepted


def _folds(photos: Floats, seed: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Split photos into `FOLDS` parts, always in the same way; yield the indices of the others, and of a part."""
    yield from KFold(FOLDS, shuffle=True, random_state=seed).split(photos)


def held_out_terms(pets: Floats, others: Floats, imagenet_classifier: ImageNetClassifier, seed: int) -> Floats:
    """Compute the terms of pets by references that were fitted without them, shape (n, 3)."""
    terms = np.empty((len(pets), len(WEIGHTS)))
    for fitted, held_out in _folds(pets, seed):
        reference = PetReference.fit(pets[fitted], others, imagenet_classifier, seed)
        terms[held_out] = reference.terms(pets[held_out], imagenet_classifier)
    return terms


def unit(vectors: Floats) -> Floats:
    """Scale vectors to unit length."""
    scaled: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled
