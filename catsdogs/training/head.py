"""Cat or dog, from features: logistic regression, fitted by scikit-learn.

On the same features, a Keras layer trained with Adam made half as many errors again. Averaging each
training photo's features with its mirror image's takes away what is chance in them, at no cost when serving;
photos that are held out are judged as they will be served, by themselves.
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

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Inverse strengths of the L2 penalty to choose from (scikit-learn's C)."""
FOLDS = 5
SMALLEST = 32
"""Photos at the beginning of the learning curve; each further point doubles them."""
STEPS = len(STRENGTHS) + 1
"""Of the fit, about equally long."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """The linear classifier: ``logit = features @ weights + bias``; positive says dog."""

    weights: Floats
    """Shape (1280,); divided by the temperature, like the bias."""
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


def fit_head(
    features: npt.NDArray[np.float32],
    is_dog: npt.NDArray[np.bool_],
    seed: int,
    advance: Callable[[], object] = lambda: None,
) -> Head:
    """Fit the head.

    Parameters
    ----------
    features
        Of n photos and their mirror images, shape (2, n, 1280).
    is_dog
        Shape (n,).
    advance
        Called after each of `STEPS`.
    """
    folds = StratifiedKFold(min(FOLDS, is_dog.sum(), (~is_dog).sum()), shuffle=True, random_state=seed)
    held_out = {}
    for strength in STRENGTHS:
        logits = np.empty(len(is_dog))
        for learned, judged in folds.split(features[0], is_dog):
            model = _model(strength).fit(features[:, learned].mean(axis=0), is_dog[learned])
            logits[judged] = model.decision_function(features[0, judged])
        held_out[strength] = logits
        advance()
    strength = min(STRENGTHS, key=lambda strength: log_loss(is_dog, expit(held_out[strength])))
    logits = held_out[strength]
    temperature = minimize_scalar(
        lambda temperature: log_loss(is_dog, expit(logits / temperature)), bounds=(0.25, 4), method="bounded"
    ).x
    model = _model(strength).fit(features.mean(axis=0), is_dog)
    advance()
    return Head(
        weights=model.coef_[0] / temperature,
        bias=float(model.intercept_[0] / temperature),
        strength=strength,
        temperature=float(temperature),
        errors=int(((logits > 0) != is_dog).sum()),
        log_loss=float(log_loss(is_dog, expit(logits / temperature))),
        held_out=expit(logits / temperature),
    )


def learning_curve(
    features: npt.NDArray[np.float32], is_dog: npt.NDArray[np.bool_], strength: float, seed: int
) -> list[LearningPoint]:
    """Fit the head on more and more photos, as :func:`fit_head`, and let it choose on a fifth held out from all."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    learned, held_out = next(folds.split(features[0], is_dog))
    mixed = np.random.default_rng(seed).permutation(learned)
    # alternating, so that each part holds as many of both animals as there are
    cats, dogs = mixed[~is_dog[mixed]], mixed[is_dog[mixed]]
    least = min(len(cats), len(dogs))
    mixed = np.stack([cats[:least], dogs[:least]], axis=1).ravel()
    sizes = [*(SMALLEST << step for step in range(32) if SMALLEST << step < len(mixed)), len(mixed)]
    points = []
    for n in sizes:
        model = _model(strength).fit(features[:, mixed[:n]].mean(axis=0), is_dog[mixed[:n]])
        logits = model.decision_function(features[0, held_out])
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


def _model(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=2000)
