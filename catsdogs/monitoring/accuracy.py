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

from collections.abc import Callable
from datetime import timedelta
from math import sqrt
from typing import Any

import sqlalchemy as sa

from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Accuracy, Answer, ReliabilityBin, TrueLabel
from catsdogs.monitoring.intervals import Z95, wilson
from catsdogs.monitoring.windows import ORIGIN

BINS = 10
"""Of confidence between 0.5 and 1, in the reliability diagram."""

Table = sa.Table[PredictionColumns]
Condition = sa.ColumnElement[bool]
Group = Callable[[sa.FromClause], sa.ColumnElement[Any]]
NOTHING = Accuracy(rate=None, low=None, high=None, n=0)


def right(rows: sa.FromClause) -> sa.ColumnElement[bool | None]:
    """Say in SQL whether an answer was right, as far as a person said so; ``NULL`` where nobody did."""
    column = rows.c
    both = (column.true_label == TrueLabel.BOTH) & column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case(
        (column.prediction_result == Answer.ERROR, None),
        (column.true_label.is_not(None), (column.true_label == column.prediction_result) | both),
        else_=column.user_feedback == 1,
    )


def judged(connection: sa.Connection, table: Table, condition: Condition) -> Accuracy:
    """Count the answers that people judged, and those that were right; the interval is Wilson's, 95 %."""
    rows = _judged(table, condition)
    n, successes = connection.execute(
        sa.select(sa.func.count(rows.c.right), _true(rows.c.right)).select_from(rows)
    ).one()
    return accuracy(successes, n)


def judged_by(
    connection: sa.Connection, table: Table, condition: Condition, group: Group
) -> dict[Any, tuple[int, int]]:
    """Count right answers, and judged ones, in groups of predictions."""
    rows = _judged(table, condition)
    key = group(rows)
    query = sa.select(key, _true(rows.c.right), sa.func.count(rows.c.right)).group_by(key)
    return {value: (successes, n) for value, successes, n in connection.execute(query)}


def reliability(connection: sa.Connection, table: Table, condition: Condition) -> list[ReliabilityBin]:
    """Compare how sure the model was with how often people said it was right, of the answers cat and dog."""
    rows = _judged(table, condition)
    bin_ = sa.func.width_bucket(sa.func.least(rows.c.confidence, 1 - 1e-9), 0.5, 1.0, BINS)
    query = (
        sa.select(sa.func.avg(rows.c.confidence), _true(rows.c.right), sa.func.count())
        .where(rows.c.confidence.is_not(None), rows.c.right.is_not(None))
        .group_by(bin_)
        .order_by(bin_)
    )
    return [
        ReliabilityBin(confidence=confidence, **accuracy(successes, n))
        for confidence, successes, n in connection.execute(query)
    ]


def estimated(connection: sa.Connection, rows: sa.CTE) -> Accuracy:
    """Estimate the accuracy of the answers cat and dog in `rows` without labels (CBPE)."""
    return _estimate(*connection.execute(sa.select(*_moments(rows))).one())


def estimated_by(connection: sa.Connection, rows: sa.CTE, group: Group) -> dict[Any, Accuracy]:
    """Do as :func:`estimated`, in groups of predictions."""
    key = group(rows)
    query = sa.select(key, *_moments(rows)).group_by(key)
    return {value: _estimate(*moments) for value, *moments in connection.execute(query)}


def by_version(rows: sa.FromClause) -> sa.ColumnElement[Any]:
    """Group by model version."""
    version: sa.ColumnElement[Any] = rows.c.model_version
    return version


def by_bucket(width: timedelta) -> Group:
    """Group by buckets of time; a group is named by its start."""
    return lambda rows: sa.func.date_bin(sa.literal(width), rows.c.timestamp, sa.literal(ORIGIN))


def accuracy(successes: int, n: int) -> Accuracy:
    """Give a share with its 95 % Wilson interval."""
    low, high = wilson(successes, n) or (None, None)
    return Accuracy(rate=successes / n if n else None, low=low, high=high, n=n)


def confidence(rows: sa.FromClause) -> sa.ColumnElement[float | None]:
    """Give in SQL the probability of the answer given; ``NULL`` where it is neither cat nor dog."""
    column = rows.c
    is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
    return sa.case((is_pet, sa.func.greatest(column.proba_cat, column.proba_dog)))


def _judged(table: Table, condition: Condition) -> sa.CTE:
    spoken = (condition & table.c.user_feedback.is_not(None)) | (condition & table.c.true_label.is_not(None))
    columns = (
        table.c.timestamp,
        table.c.model_version,
        confidence(table).label("confidence"),
        right(table).label("right"),
    )
    return sa.select(*columns).where(spoken).cte("judged")  # each side has a partial index


def _true(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.func.count().filter(column)


def _moments(rows: sa.CTE) -> list[sa.ColumnElement[Any]]:
    sure = confidence(rows)
    return [sa.func.count(sure), sa.func.avg(sure), sa.func.sum(sure * (1 - sure))]


def _estimate(n: int, mean: float | None, variance: float | None) -> Accuracy:
    """Give mean and 95 % interval of a sum of independent trials with different chances (Poisson binomial)."""
    if mean is None or variance is None:
        return NOTHING
    margin = Z95 * sqrt(variance) / n
    return Accuracy(rate=mean, low=max(0.0, mean - margin), high=min(1.0, mean + margin), n=n)
