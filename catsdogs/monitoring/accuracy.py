"""How often answers are right: as people judged them, and as the model's own probabilities let expect.

**Judged.** Where a person said what the photo shows, the answer is compared with that; where they only said whether
they were satisfied, that counts. Whoever is dissatisfied may speak up more readily: read it as a lower estimate.

**Estimated, without labels** (CBPE, confidence-based performance estimation). Of answers that a calibrated model gives
with probability 0.9, nine in ten are right; so the mean probability of the answers given is the accuracy to expect. It
holds as long as the probabilities are calibrated and the photos are of the kind the model learned from; it does not see
a change in what a dog looks like. Only the answers cat and dog have such probabilities.

References
----------
J. Białek, W. Kuberski, N. Perrakis, A. Bifet (2024), "Estimating Model Performance Under Covariate Shift Without
Labels", https://arxiv.org/abs/2401.08348; NannyML's documentation, "Confidence-based Performance Estimation (CBPE)".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple

import sqlalchemy as sa

from catsdogs.domain import Answer, TrueLabel
from catsdogs.monitoring.figures import Accuracy, ReliabilityBin
from catsdogs.monitoring.time_windows import ORIGIN
from catsdogs.stats import Z95, wilson

BINS = 10
"""Of confidence between 0.5 and 1, in the reliability diagram."""

NOTHING = Accuracy(rate=None, low=None, high=None, n=0)


class Judged(NamedTuple):
    """What people said of answers."""

    total: Accuracy
    by_bucket: dict[datetime, Accuracy]
    by_version: dict[str, Accuracy]
    reliability: list[ReliabilityBin]
    """Of the answers cat and dog, by how sure the model was."""


class Group(NamedTuple):
    """Figures of some answers that need no label."""

    n: int
    """Answers, and photos that could not be read."""
    estimated: Accuracy
    neither_rate: float | None
    mean_ms: float | None


class Estimated(NamedTuple):
    """What the probabilities let expect."""

    total: Group
    by_bucket: dict[datetime, Group]
    by_version: dict[str, Group]


def right(rows: sa.FromClause) -> sa.ColumnElement[bool | None]:
    """Say in SQL whether an answer was right, as far as a person said so; ``NULL`` where nobody did."""
    column = rows.c
    both = (column.true_label == TrueLabel.BOTH) & column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case(
        (column.prediction_result == Answer.ERROR, None),
        (column.true_label.is_not(None), (column.true_label == column.prediction_result) | both),
        else_=column.user_feedback == 1,
    )


def judged(connection: sa.Connection, rows: sa.CTE, width: timedelta) -> Judged:
    """Count the answers in `rows` that people judged, and those that were right; the intervals are Wilson's, 95 %.

    Parameters
    ----------
    rows
        Predictions that somebody said something of, see :func:`spoken`.
    width
        Of the buckets of time.
    """
    found = sa.select(
        _bucket(rows, width),
        rows.c.model_version,
        _bin(rows),
        confidence(rows).label("confidence"),
        right(rows).label("right"),
    ).cte("found")
    column = found.c
    keys = column.bucket, column.model_version, column.bin
    query = (
        sa.select(
            sa.func.grouping(*keys).label("kind"),
            *keys,
            sa.func.avg(column.confidence).label("confidence"),
            sa.func.count().filter(column.right).label("successes"),
            sa.func.count().label("n"),
        )
        .where(column.right.is_not(None))
        .group_by(sa.func.grouping_sets(sa.tuple_(), *(sa.tuple_(key) for key in keys)))
        .order_by(column.bin)
    )
    groups: dict[int, list[sa.Row[Any]]] = {0b111: [], 0b011: [], 0b101: [], 0b110: []}
    for row in connection.execute(query):
        groups[row.kind].append(row)
    [total] = groups[0b111]
    return Judged(
        accuracy(total.successes, total.n),
        {row.bucket: accuracy(row.successes, row.n) for row in groups[0b011]},
        {row.model_version: accuracy(row.successes, row.n) for row in groups[0b101]},
        [
            ReliabilityBin(confidence=row.confidence, **accuracy(row.successes, row.n))
            for row in groups[0b110]
            if row.bin is not None
        ],
    )


def estimated(connection: sa.Connection, rows: sa.CTE, width: timedelta) -> Estimated:
    """Estimate the accuracy of the answers cat and dog in `rows` without labels (CBPE)."""
    is_neither = sa.case((rows.c.prediction_result == Answer.NEITHER, 1.0), else_=0.0)
    found = sa.select(
        _bucket(rows, width),
        rows.c.model_version,
        confidence(rows).label("sure"),
        sa.case((rows.c.success, is_neither)).label("neither"),
        sa.case((rows.c.success, rows.c.inference_time_ms)).label("ms"),
    ).cte("found")
    column = found.c
    keys = column.bucket, column.model_version
    query = sa.select(
        sa.func.grouping(*keys).label("kind"),
        *keys,
        sa.func.count().label("all"),
        sa.func.count(column.sure).label("n"),
        sa.func.avg(column.sure).label("mean"),
        sa.func.sum(column.sure * (1 - column.sure)).label("variance"),
        sa.func.avg(column.neither).label("neither"),
        sa.func.avg(column.ms).label("ms"),
    ).group_by(sa.func.grouping_sets(sa.tuple_(), *(sa.tuple_(key) for key in keys)))
    groups: dict[int, list[sa.Row[Any]]] = {0b11: [], 0b01: [], 0b10: []}
    for row in connection.execute(query):
        groups[row.kind].append(row)
    [total] = groups[0b11]
    return Estimated(
        _group(total),
        {row.bucket: _group(row) for row in groups[0b01]},
        {row.model_version: _group(row) for row in groups[0b10] if row.model_version is not None},
    )


def spoken(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    """Give in SQL whether anybody said something of an answer."""
    return rows.c.user_feedback.is_not(None) | rows.c.true_label.is_not(None)


def accuracy(successes: int, n: int) -> Accuracy:
    """Give a share with its 95 % Wilson interval."""
    low, high = wilson(successes, n) or (None, None)
    return Accuracy(rate=successes / n if n else None, low=low, high=high, n=n)


def confidence(rows: sa.FromClause) -> sa.ColumnElement[float | None]:
    """Give in SQL the probability of the answer given; ``NULL`` where it is neither cat nor dog."""
    column = rows.c
    is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case((is_pet, sa.func.greatest(column.proba_cat, column.proba_dog)))


def _bucket(rows: sa.FromClause, width: timedelta) -> sa.ColumnElement[datetime]:
    return sa.func.date_bin(width, rows.c.timestamp, ORIGIN).label("bucket")


def _bin(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.func.width_bucket(sa.func.least(confidence(rows), 1 - 1e-9), 0.5, 1.0, BINS).label("bin")


def _group(row: sa.Row[Any]) -> Group:
    return Group(
        row.all, _estimate(row.n, row.mean, row.variance), None if row.neither is None else float(row.neither), row.ms
    )


def _estimate(n: int, mean: float | None, variance: float | None) -> Accuracy:
    """Give mean and 95 % interval of a sum of independent trials with different chances (Poisson binomial)."""
    if mean is None or variance is None:
        return NOTHING
    margin = Z95 * sqrt(variance) / n
    return Accuracy(rate=mean, low=max(0.0, mean - margin), high=min(1.0, mean + margin), n=n)
