"""ImageNet's classifier, which came with the backbone's weights: what it says of cats, dogs and the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from catsdogs.training.weights import Arrays

DOGS = np.arange(151, 269)
"""ImageNet's (ILSVRC 2012) domestic dogs; wolves and foxes are none of them."""
CATS = np.arange(281, 286)
"""Its domestic cats; lynxes and lions are none of them."""

Floats = npt.NDArray[np.float64]


class Classes(NamedTuple):
    """The classifier, cut in two."""

    pet_weights: Floats
    """Shape (1280, 123): of the dogs, then of the cats."""
    pet_bias: Floats
    other_weights: Floats
    """Shape (1280, 877)."""
    other_bias: Floats

    def opinion(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the log-odds of a dog against a cat, if it is one of them; of features, shape (..., 1280)."""
        logits = features @ self.pet_weights.astype(np.float32) + self.pet_bias.astype(np.float32)
        dogs, cats = np.split(logits, [len(DOGS)], axis=-1)
        opinion: npt.NDArray[np.float32] = logsumexp(dogs, axis=-1) - logsumexp(cats, axis=-1)
        return opinion

    def margins(self, features: npt.NDArray[np.floating]) -> Floats:
        """Compute by how much each other class's logit exceeds the pets', shape (n, 877)."""
        pets: Floats = logsumexp(features @ self.pet_weights + self.pet_bias, axis=1, keepdims=True)
        return features @ self.other_weights + self.other_bias - pets


def split_classes(imagenet: Arrays) -> Classes:
    """Take the classifier from the backbone's weights."""
    kernel, bias = imagenet["_fc.weight"].T.astype(np.float64), imagenet["_fc.bias"].astype(np.float64)
    pets = np.r_[DOGS, CATS]
    others = np.setdiff1d(np.arange(len(bias)), pets)
    return Classes(kernel[:, pets], bias[pets], kernel[:, others], bias[others])
