"""Accuracy of the answers: by people's judgement, and estimated from the model's own probabilities.

**Judged.** Where a person said what the photo shows, the answer is compared with that; where they only rated the
answer, the rating counts. Dissatisfied people may give feedback more often: read it as a lower estimate.

**Estimated, without labels** (CBPE, confidence-based performance estimation). Of answers that a calibrated model gives
with probability 0.9, nine in ten are right; so the mean probability of the answers given is the expected accuracy. This
holds as long as the probabilities are calibrated and the photos resemble the training photos; a change in what a dog
looks like (concept drift) is not detected. Only the answers cat and dog have such probabilities.

References
----------
J. Białek, W. Kuberski, N. Perrakis, A. Bifet (2024), "Estimating Model Performance Under Covariate Shift Without
Labels", https://arxiv.org/abs/2401.08348; NannyML's documentation, "Confidence-based Performance Estimation (CBPE)".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple

import sqlalchemy as sa

from catsdogs.domain import Answer, TrueLabel
from catsdogs.monitoring.figures import Accuracy, Calibration, ReliabilityBin
from catsdogs.monitoring.time_windows import ORIGIN
from catsdogs.stats import Z95, wilson_interval

CONFIDENCE_BINS = 10
"""Number of bins between the confidences 0.5 and 1 in the reliability diagram."""

NO_ACCURACY = Accuracy(rate=None, low=None, high=None, n=0)


class JudgedAccuracy(NamedTuple):
    """Accuracy by people's judgement."""

    total: Accuracy
    by_bucket: dict[datetime, Accuracy]
    by_version: dict[str, Accuracy]
    reliability: list[ReliabilityBin]
    """Accuracy of the answers cat and dog by the model's confidence."""


class UnlabelledFigures(NamedTuple):
    """Figures of some predictions that need no label."""

    n: int
    """Number of predictions, those of unreadable photos included."""
    estimated: Accuracy
    neither_rate: float | None
    mean_ms: float | None


class EstimatedAccuracy(NamedTuple):
    """Accuracy estimated without labels, and what else needs none."""

    total: UnlabelledFigures
    by_bucket: dict[datetime, UnlabelledFigures]
    by_version: dict[str, UnlabelledFigures]


def is_right(rows: sa.FromClause) -> sa.ColumnElement[bool | None]:
    """Return the SQL expression whether a person judged an answer as right; ``NULL`` without a judgement."""
    column = rows.c
    both = (column.true_label == TrueLabel.BOTH) & column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case(
        (column.prediction_result == Answer.ERROR, None),
        (column.true_label.is_not(None), (column.true_label == column.prediction_result) | both),
        else_=column.user_feedback == 1,
    )


def judged_accuracy(connection: sa.Connection, rows: sa.CTE, width: timedelta) -> JudgedAccuracy:
    """Count the answers that people judged, and those of them that were right.

    Parameters
    ----------
    rows
        Predictions that pass :func:`has_feedback`.
    width
        Width of the time buckets.

    Returns
    -------
    JudgedAccuracy
        With 95 % Wilson intervals.
    """
    judged = sa.select(
        _bucket(rows, width),
        rows.c.model_version,
        _bin(rows),
        animal_confidence(rows).label("confidence"),
        is_right(rows).label("is_right"),
    ).cte("judged")
    column = judged.c
    keys = column.bucket, column.model_version, column.bin
    query = (
        sa.select(
            sa.func.grouping(*keys).label("kind"),
            *keys,
            sa.func.avg(column.confidence).label("confidence"),
            sa.func.count().filter(column.is_right).label("successes"),
            sa.func.count().label("n"),
        )
        .where(column.is_right.is_not(None))
        .group_by(sa.func.grouping_sets(sa.tuple_(), *(sa.tuple_(key) for key in keys)))
        .order_by(column.bin)
    )
    groups: dict[int, list[sa.Row[Any]]] = {0b111: [], 0b011: [], 0b101: [], 0b110: []}
    for row in connection.execute(query):
        groups[row.kind].append(row)
    [total] = groups[0b111]
    return JudgedAccuracy(
        accuracy(total.successes, total.n),
        {row.bucket: accuracy(row.successes, row.n) for row in groups[0b011]},
        {row.model_version: accuracy(row.successes, row.n) for row in groups[0b101]},
        [
            ReliabilityBin(confidence=row.confidence, **accuracy(row.successes, row.n))
            for row in groups[0b110]
            if row.bin is not None
        ],
    )


def estimated_accuracy(connection: sa.Connection, rows: sa.CTE, width: timedelta) -> EstimatedAccuracy:
    """Estimate the accuracy of the answers cat and dog in `rows` without labels (CBPE).

    Parameters
    ----------
    rows
        Predictions.
    width
        Width of the time buckets.
    """
    is_neither = sa.case((rows.c.prediction_result == Answer.NEITHER, 1.0), else_=0.0)
    unlabelled = sa.select(
        _bucket(rows, width),
        rows.c.model_version,
        animal_confidence(rows).label("confidence"),
        sa.case((rows.c.success, is_neither)).label("neither"),
        sa.case((rows.c.success, rows.c.inference_time_ms)).label("ms"),
    ).cte("unlabelled")
    column = unlabelled.c
    keys = column.bucket, column.model_version
    query = sa.select(
        sa.func.grouping(*keys).label("kind"),
        *keys,
        sa.func.count().label("all"),
        sa.func.count(column.confidence).label("n"),
        sa.func.avg(column.confidence).label("mean"),
        sa.func.sum(column.confidence * (1 - column.confidence)).label("variance"),
        sa.func.avg(column.neither).label("neither"),
        sa.func.avg(column.ms).label("ms"),
    ).group_by(sa.func.grouping_sets(sa.tuple_(), *(sa.tuple_(key) for key in keys)))
    groups: dict[int, list[sa.Row[Any]]] = {0b11: [], 0b01: [], 0b10: []}
    for row in connection.execute(query):
        groups[row.kind].append(row)
    [total] = groups[0b11]
    return EstimatedAccuracy(
        _unlabelled_figures(total),
        {row.bucket: _unlabelled_figures(row) for row in groups[0b01]},
        {row.model_version: _unlabelled_figures(row) for row in groups[0b10] if row.model_version is not None},
    )


def calibration(bins: Sequence[ReliabilityBin]) -> Calibration | None:
    """Compare the confidence in the judged answers cat and dog with how often these were right.

    Parameters
    ----------
    bins
        Bars of the reliability diagram.

    Returns
    -------
    Calibration or None
        ``None`` without judged answers.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using Bayesian Binning",
    AAAI: the expected calibration error (ECE).
    """
    n = sum(one["n"] for one in bins)
    if not n:
        return None
    right = sum(round((one["rate"] or 0.0) * one["n"]) for one in bins)
    gaps = sum(one["n"] * abs(one["confidence"] - (one["rate"] or 0.0)) for one in bins)
    confidence = sum(one["n"] * one["confidence"] for one in bins) / n
    return Calibration(confidence=confidence, ece=gaps / n, **accuracy(right, n))


def has_feedback(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a person rated the answer or said what the photo shows."""
    return rows.c.user_feedback.is_not(None) | rows.c.true_label.is_not(None)


def accuracy(successes: int, n: int) -> Accuracy:
    """Return a share with its 95 % Wilson interval."""
    low, high = wilson_interval(successes, n) or (None, None)
    return Accuracy(rate=successes / n if n else None, low=low, high=high, n=n)


def animal_confidence(rows: sa.FromClause) -> sa.ColumnElement[float | None]:
    """Return how surely the model tells the two animals apart as SQL; ``NULL`` where the answer is not cat or dog.

    Only these probabilities are calibrated, so the accuracy is estimated from them; the score for "neither" is none.
    People are told :func:`catsdogs.database.probabilities.answer_probability`.
    """
    column = rows.c
    is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case((is_pet, sa.func.greatest(column.proba_cat, column.proba_dog)))


def _bucket(rows: sa.FromClause, width: timedelta) -> sa.ColumnElement[datetime]:
    return sa.func.date_bin(width, rows.c.timestamp, ORIGIN).label("bucket")


def _bin(rows: sa.FromClause) -> sa.ColumnElement[int]:
    """Return the bin of the reliability diagram; ``NULL`` where the answer is not cat or dog."""
    confidence = animal_confidence(rows)
    number = sa.func.width_bucket(sa.func.least(confidence, 1 - 1e-9), 0.5, 1.0, CONFIDENCE_BINS)
    # LEAST ignores NULL: without the condition, every answer without a confidence would be among the surest
    return sa.case((confidence.is_not(None), number)).label("bin")


def _unlabelled_figures(row: sa.Row[Any]) -> UnlabelledFigures:
    return UnlabelledFigures(
        row.all, _estimate(row.n, row.mean, row.variance), None if row.neither is None else float(row.neither), row.ms
    )


def _estimate(n: int, mean: float | None, variance: float | None) -> Accuracy:
    """Return mean and 95 % interval of independent trials with different probabilities (Poisson binomial)."""
    if mean is None or variance is None:
        return NO_ACCURACY
    margin = Z95 * sqrt(variance) / n
    return Accuracy(rate=mean, low=max(0.0, mean - margin), high=min(1.0, mean + margin), n=n)
