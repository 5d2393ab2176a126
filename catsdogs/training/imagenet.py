"""ImageNet's classifier, which comes with the backbone's weights: its logits for cats, for dogs and for the rest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from catsdogs.training.weights import Arrays

DOGS = np.arange(151, 269)
"""Numbers of the classes of domestic dogs (ILSVRC 2012); wolves and foxes are not among them."""
CATS = np.arange(281, 286)
"""Numbers of the classes of domestic cats; lynxes and lions are not among them."""

Floats = npt.NDArray[np.float64]


class ImageNetClassifier(NamedTuple):
    """The linear classifier, split into the classes of pets and the others."""

    pet_weights: Floats
    """Weights of the dogs, then of the cats, shape (1280, 123)."""
    pet_bias: Floats
    """Shape (123,)."""
    other_weights: Floats
    """Shape (1280, 877)."""
    other_bias: Floats
    """Shape (877,)."""

    def prior_logits(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the log-odds of a dog against a cat, given that the photo shows one of them.

        Parameters
        ----------
        features
            Pooled features of the last layer, shape (..., 1280).
        """
        logits = features @ self.pet_weights.astype(np.float32) + self.pet_bias.astype(np.float32)
        dogs, cats = np.split(logits, [len(DOGS)], axis=-1)
        prior: npt.NDArray[np.float32] = logsumexp(dogs, axis=-1) - logsumexp(cats, axis=-1)
        return prior

    def margins(self, features: npt.NDArray[np.floating]) -> Floats:
        """Compute the logit of each other class minus the log-sum-exp of the pets' logits, shape (n, 877)."""
        pets: Floats = logsumexp(features @ self.pet_weights + self.pet_bias, axis=1, keepdims=True)
        return features @ self.other_weights + self.other_bias - pets


def split_classifier(imagenet: Arrays) -> ImageNetClassifier:
    """Take the classifier from the weights of :func:`catsdogs.training.weights.load_imagenet_weights`."""
    kernel, bias = imagenet["_fc.weight"].T.astype(np.float64), imagenet["_fc.bias"].astype(np.float64)
    pets = np.r_[DOGS, CATS]
    others = np.setdiff1d(np.arange(len(bias)), pets)
    return ImageNetClassifier(kernel[:, pets], bias[pets], kernel[:, others], bias[others])
