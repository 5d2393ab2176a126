"""Cat or dog, from features: logistic regression, fitted by scikit-learn.

On the same features, a Keras layer trained with Adam made half as many errors again. A training photo and its
mirror image are two examples of half the weight; photos that are held out are judged as they will be served, by
themselves.

Beside the features of the backbone's last two wide layers, the head hears ImageNet's opinion: that classifier alone
tells all but 16 in 1000 pets right, and was made of other photos.
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

from catsdogs.training.backbone import HEAD

STRENGTHS = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Inverse strengths of the L2 penalty to choose from (scikit-learn's C)."""
INNER, OPINION = 1.5, 4.0
"""Weight of a depthwise layer's channel, and of the opinion, against the last layer's: the penalty is the less."""
FOLDS = 5
SMALLEST = 32
"""Photos at the beginning of the learning curve; each further point doubles them."""
STEPS = len(STRENGTHS) + 1
"""Of the fit, about equally long."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """The linear classifier: ``logit = features @ weights + trust * opinion + bias``; positive says dog."""

    weights: Floats
    """Shape (2432,), the last layer's 1280 first; divided by the temperature, like trust and bias."""
    trust: float
    """In ImageNet's opinion, see :meth:`catsdogs.training.imagenet.Classes.opinion`."""
    bias: float
    strength: float
    """Chosen from `STRENGTHS`: the smallest log-loss in cross-validation."""
    temperature: float
    """Makes the logits of cross-validation most likely (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""
    errors: int
    """In cross-validation."""
    log_loss: float
    """In cross-validation, with the temperature."""
    held_out: Floats
    """Of each training photo, the probability of a dog that cross-validation gave it, shape (n,)."""


class LearningPoint(NamedTuple):
    """What a head learns from some of the photos."""

    n: int
    """Photos learned from."""
    errors: int
    held_out: int
    """Photos held out, among which the errors are."""
    log_loss: float


class Inputs(NamedTuple):
    """What the head learns from, of n photos and their mirror images, scaled."""

    values: npt.NDArray[np.float32]
    """Shape (2, n, 2433): the features, and the opinion."""
    mean: npt.NDArray[np.float32]
    """Was taken away; shape (2433,)."""
    scale: npt.NDArray[np.float32]
    """Multiplied by then; shape (2433,)."""


def scaled(features: npt.NDArray[np.floating], opinions: npt.NDArray[np.floating]) -> Inputs:
    """Make features and opinions inputs of the head: divided by the root of their standard deviation, and weighted.

    Not by the deviation itself, which would make as much of a channel that hardly ever says anything as of any other.

    Parameters
    ----------
    features
        Shape (2, n, 2432), see :func:`catsdogs.training.features.extract`.
    opinions
        Shape (2, n).
    """
    values = np.concatenate([features, opinions[..., np.newaxis]], axis=-1, dtype=np.float32)
    both = values.mean(axis=0)
    mean, spread = both.mean(axis=0), both.std(axis=0)
    weight = np.full(len(spread), INNER, np.float32)
    weight[:HEAD], weight[-1] = 1, OPINION
    scale = (weight / np.sqrt(np.where(spread > 0, spread, np.inf))).astype(np.float32)
    values -= mean
    values *= scale
    return Inputs(values, mean, scale)


def fit_head(
    inputs: Inputs, is_dog: npt.NDArray[np.bool_], seed: int, advance: Callable[[], object] = lambda: None
) -> Head:
    """Fit the head.

    Parameters
    ----------
    inputs
        Of n photos.
    is_dog
        Shape (n,).
    advance
        Called after each of `STEPS`.
    """
    values = inputs.values
    folds = StratifiedKFold(min(FOLDS, is_dog.sum(), (~is_dog).sum()), shuffle=True, random_state=seed)
    held_out = {}
    for strength in STRENGTHS:
        logits = np.empty(len(is_dog))
        for learned, judged in folds.split(values[0], is_dog):
            model = _fit(values[:, learned], is_dog[learned], strength)
            logits[judged] = model.decision_function(values[0, judged])
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
        trust=float(weights[-1]),
        bias=float(model.intercept_[0] / temperature - weights @ inputs.mean),
        strength=strength,
        temperature=float(temperature),
        errors=int(((logits > 0) != is_dog).sum()),
        log_loss=float(log_loss(is_dog, expit(logits / temperature))),
        held_out=expit(logits / temperature),
    )


def learning_curve(inputs: Inputs, is_dog: npt.NDArray[np.bool_], strength: float, seed: int) -> list[LearningPoint]:
    """Fit the head on more and more photos, as :func:`fit_head`, and let it choose on a fifth held out from all."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    learned, held_out = next(folds.split(inputs.values[0], is_dog))
    mixed = np.random.default_rng(seed).permutation(learned)
    # alternating, so that each part holds as many of both animals as there are
    cats, dogs = mixed[~is_dog[mixed]], mixed[is_dog[mixed]]
    least = min(len(cats), len(dogs))
    mixed = np.stack([cats[:least], dogs[:least]], axis=1).ravel()
    sizes = [*(SMALLEST << step for step in range(32) if SMALLEST << step < len(mixed)), len(mixed)]
    points = []
    for n in sizes:
        model = _fit(inputs.values[:, mixed[:n]], is_dog[mixed[:n]], strength)
        logits = model.decision_function(inputs.values[0, held_out])
        errors = int(((logits > 0) != is_dog[held_out]).sum())
        loss = float(log_loss(is_dog[held_out], expit(logits), labels=[False, True]))
        points.append(LearningPoint(n, errors, len(held_out), loss))
    return points


def write_learning_curve(points: Sequence[LearningPoint], path: Path) -> None:
    """Write a table, a row a point."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(LearningPoint._fields)
        writer.writerows(points)


def read_learning_curve(path: Path) -> list[LearningPoint]:
    """Read what :func:`write_learning_curve` wrote."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        LearningPoint(int(row["n"]), int(row["errors"]), int(row["held_out"]), float(row["log_loss"])) for row in rows
    ]


def _fit(values: npt.NDArray[np.float32], is_dog: npt.NDArray[np.bool_], strength: float) -> LogisticRegression:
    """Fit on photos and their mirror images, shape (2, n, inputs)."""
    images, _, width = values.shape
    model = LogisticRegression(C=strength / images, tol=1e-5, max_iter=2000)
    return model.fit(values.reshape(-1, width), np.tile(is_dog, images))
