"""The head: logistic regression between cat and dog on the backbone's features, fitted by scikit-learn.

On the same features, a Keras layer trained with Adam made half as many errors again.

Beside the features of the backbone's last two wide layers, the head has a prior logit as input: the log-odds of
ImageNet's classifier, which was trained on other photos and alone is wrong for 16 of 1000 pets.

Where there are many photos, it also learns from one changed copy of each (:mod:`catsdogs.training.augmentation`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from catsdogs.training.backbone import LAST_CHANNELS

STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Inverse strengths of the L2 penalty to choose from (scikit-learn's C)."""
INNER_WEIGHT, PRIOR_WEIGHT = 1.5, 4.0
"""Weights of a depthwise layer's channel and of the prior logit, against a channel of the last layer: the larger the
weight, the smaller the penalty."""
COPY_WEIGHT = 0.25
"""Weight of a changed copy, against a photo."""
FOLDS = 5
FIRST_POINT = 32
"""Number of photos at the first point of the learning curve; each further point doubles it."""
FIT_STEPS = len(STRENGTHS) + 1
"""Number of steps of :func:`fit_head`, about equally long."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """The linear classifier: ``logit = features @ weights + prior_weight * prior_logit + bias``; positive for a dog."""

    weights: Floats
    """Shape (channels,), the last layer's 1280 first; divided by the temperature, like prior weight and bias."""
    prior_weight: float
    """Weight of :meth:`catsdogs.training.imagenet.ImageNetClassifier.prior_logits`."""
    bias: float
    strength: float
    """Member of `STRENGTHS` with the smallest log-loss in cross-validation."""
    temperature: float
    """Divisor of the logits that gives the smallest log-loss in cross-validation (temperature scaling, Guo et al. 2017,
    https://arxiv.org/abs/1706.04599)."""
    errors: int
    """Number of errors in cross-validation."""
    log_loss: float
    """Log-loss in cross-validation, after temperature scaling."""
    held_out_proba_dog: Floats
    """Probability of a dog for each training photo, from cross-validation, shape (n,)."""


class LearningPoint(NamedTuple):
    """Errors of a head that was trained on some of the photos."""

    n: int
    """Number of training photos."""
    errors: int
    """Number of errors on the held-out photos."""
    held_out: int
    """Number of held-out photos."""
    log_loss: float
    """Log-loss on the held-out photos."""


class HeadInputs(NamedTuple):
    """Scaled inputs of the head for n photos, and for their changed copies, if there are any."""

    values: npt.NDArray[np.float32]
    """Features and prior logits of the photos, and of the copies, shape (1 or 2, n, channels + 1)."""
    mean: npt.NDArray[np.float32]
    """Mean that was subtracted, shape (channels + 1,)."""
    scale: npt.NDArray[np.float32]
    """Factor by which the difference was multiplied, shape (channels + 1,)."""


def scale_inputs(features: npt.NDArray[np.floating], prior_logits: npt.NDArray[np.floating]) -> HeadInputs:
    """Centre the features and prior logits, divide them by the root of their standard deviation, and weight them.

    Division by the standard deviation itself would give channels that hardly vary as much influence as any other. Mean
    and standard deviation are those of the photos; their copies are scaled in the same way.

    Parameters
    ----------
    features
        Of photos, and of their changed copies, if there are any: shape (1 or 2, n, channels), see
        :func:`catsdogs.training.features.extract_features`.
    prior_logits
        Shape (1 or 2, n), see :meth:`catsdogs.training.imagenet.ImageNetClassifier.prior_logits`.
    """
    values = np.concatenate([features, prior_logits[..., np.newaxis]], axis=-1, dtype=np.float32)
    mean, spread = values[0].mean(axis=0), values[0].std(axis=0)
    weight = np.full(len(spread), INNER_WEIGHT, np.float32)
    weight[:LAST_CHANNELS], weight[-1] = 1, PRIOR_WEIGHT
    scale = (weight / np.sqrt(np.where(spread > 0, spread, np.inf))).astype(np.float32)
    values -= mean
    values *= scale
    return HeadInputs(values, mean, scale)


def fit_head(
    inputs: HeadInputs, is_dog: npt.NDArray[np.bool_], seed: int, advance: Callable[[], object] = lambda: None
) -> Head:
    """Fit the head.

    Parameters
    ----------
    inputs
        From :func:`scale_inputs`, for n photos.
    is_dog
        Labels, shape (n,).
    seed
        Seed of the folds of cross-validation.
    advance
        Called `FIT_STEPS` times.
    """
    values = inputs.values
    folds = StratifiedKFold(min(FOLDS, is_dog.sum(), (~is_dog).sum()), shuffle=True, random_state=seed)
    held_out = {}
    for strength in STRENGTHS:
        logits = np.empty(len(is_dog))
        for training, validation in folds.split(values[0], is_dog):
            model = _fit(values[:, training], is_dog[training], strength)
            logits[validation] = model.decision_function(values[0, validation])
        held_out[strength] = logits
        advance()
    strength = min(STRENGTHS, key=lambda strength: log_loss(is_dog, expit(held_out[strength])))
    logits = held_out[strength]
    temperature = minimize_scalar(
        lambda temperature: log_loss(is_dog, expit(logits / temperature)), bounds=(0.25, 4), method="bounded"
    ).x
    model = _fit(values, is_dog, strength)
    advance()
    weights = (model.coef_[0] * inputs.scale).astype(np.float64) / temperature
    return Head(
        weights=weights[:-1],
        prior_weight=float(weights[-1]),
        bias=float(model.intercept_[0] / temperature - weights @ inputs.mean),
        strength=strength,
        temperature=float(temperature),
        errors=int(((logits > 0) != is_dog).sum()),
        log_loss=float(log_loss(is_dog, expit(logits / temperature))),
        held_out_proba_dog=expit(logits / temperature),
    )


def learning_curve(
    inputs: HeadInputs, is_dog: npt.NDArray[np.bool_], strength: float, seed: int
) -> list[LearningPoint]:
    """Fit the head on more and more photos, and count its errors on a fifth of all photos, which is held out."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    training, held_out = next(folds.split(inputs.values[0], is_dog))
    mixed = np.random.default_rng(seed).permutation(training)
    # alternating, so that every point has as many cats as dogs
    cats, dogs = mixed[~is_dog[mixed]], mixed[is_dog[mixed]]
    least = min(len(cats), len(dogs))
    mixed = np.stack([cats[:least], dogs[:least]], axis=1).ravel()
    sizes = [*(FIRST_POINT << step for step in range(32) if FIRST_POINT << step < len(mixed)), len(mixed)]
    points = []
    for n in sizes:
        model = _fit(inputs.values[:, mixed[:n]], is_dog[mixed[:n]], strength)
        logits = model.decision_function(inputs.values[0, held_out])
        errors = int(((logits > 0) != is_dog[held_out]).sum())
        loss = float(log_loss(is_dog[held_out], expit(logits), labels=[False, True]))
        points.append(LearningPoint(n, errors, len(held_out), loss))
    return points


def write_learning_curve(points: Sequence[LearningPoint], path: Path) -> None:
    """Write a CSV table with one row for each point."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(LearningPoint._fields)
        writer.writerows(points)


def read_learning_curve(path: Path) -> list[LearningPoint]:
    """Read a table that :func:`write_learning_curve` wrote."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        LearningPoint(int(row["n"]), int(row["errors"]), int(row["held_out"]), float(row["log_loss"])) for row in rows
    ]


def _fit(values: npt.NDArray[np.float32], is_dog: npt.NDArray[np.bool_], strength: float) -> LogisticRegression:
    """Fit on photos and their copies, shape (1 or 2, n, inputs)."""
    copies = len(values) - 1
    weights = np.repeat([1.0] + [COPY_WEIGHT] * copies, len(is_dog))
    model = LogisticRegression(C=strength, tol=1e-5, max_iter=2000)
    return model.fit(values.reshape(-1, values.shape[-1]), np.tile(is_dog, 1 + copies), sample_weight=weights)
