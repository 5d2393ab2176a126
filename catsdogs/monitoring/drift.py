"""Whether photos and answers are still like those the model was measured on.

Some things move two signals, and should: what is scaled down below what the network sees is blurred for it, too (size
and sharpness), and of heavily blurred photos the model is less sure. One limit: a JPEG that is darkened and saved as
JPEG again at its own size has its edges rounded anew. At some qualities that moves sharpness moderately (an index of
0.1 to 0.2, where the alerts begin at 0.25).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from catsdogs.domain import Answer
from catsdogs.model.drift_reference import MIN_BRIGHTNESS, DriftReference, Histogram
from catsdogs.monitoring import accuracy
from catsdogs.monitoring.figures import Drift, Reading
from catsdogs.stats import MODERATE, STRONG, chi_square_test, psi

SIGNIFICANT = 0.001
"""A larger p-value may be chance: no drift is read into it, whatever the index. Strict, as six signals are tested."""
ONE_SIDED = ("size",)
"""Signals of which only a shift to smaller values counts: larger photos show the model no less."""
FEWEST = 100
"""With fewer photos the index is mostly chance, and nothing is read into it."""


def measure_drift(connection: sa.Connection, rows: sa.CTE, reference: DriftReference, input_size: int) -> list[Drift]:
    """Compare each signal of `rows`, which are predictions, with the reference.

    Parameters
    ----------
    input_size
        Of the model, see :mod:`catsdogs.model.drift_reference`.
    """
    counted = _count(connection, rows, reference.signals, input_size)
    return [compare(name, known, counted[name]) for name, known in reference.signals.items()]


def compare(signal: str, known: Histogram, found: list[int]) -> Drift:
    """Say how far a signal moved, and whether that means anything."""
    compared = _no_larger(known.counts, found) if signal in ONE_SIDED else found
    n, index = sum(found), psi(known.counts, compared)
    p_value = chi_square_test(known.counts, compared)
    if n < FEWEST:
        reading = Reading.TOO_FEW
    elif index < MODERATE or p_value >= SIGNIFICANT:
        reading = Reading.NONE
    else:
        reading = Reading.STRONG if index > STRONG else Reading.MODERATE
    return Drift(
        signal=signal,
        psi=index,
        p_value=p_value,
        n=n,
        reading=reading,
        edges=list(known.edges),
        expected=_shares(known.counts),
        found=_shares(found),
    )


def signals(rows: sa.FromClause, input_size: int) -> dict[str, sa.ColumnElement[float]]:
    """Give the signals of :mod:`catsdogs.model.drift_reference` in SQL; ``NULL`` where a prediction has none."""
    column = rows.c
    is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
    answered = column.prediction_result != Answer.ERROR
    brightness = sa.func.greatest(column.brightness, MIN_BRIGHTNESS)
    found: dict[str, sa.ColumnElement[Any]] = {
        "confidence": accuracy.confidence(rows),
        "answers": sa.case((is_pet, sa.cast(column.prediction_result == Answer.DOG, sa.Integer))),
        "neither": sa.case((answered, sa.cast(column.prediction_result == Answer.NEITHER, sa.Integer))),
        "brightness": column.brightness,
        "sharpness": column.sharpness / (brightness * brightness),
        "size": sa.case((column.width.is_not(None), sa.func.least(column.width, column.height, input_size))),
    }
    return {name: sa.cast(value, sa.Double) for name, value in found.items()}


def _count(
    connection: sa.Connection, rows: sa.CTE, known: Mapping[str, Histogram], input_size: int
) -> dict[str, list[int]]:
    values = signals(rows, input_size)
    queries = [
        sa.select(
            sa.literal(name).label("signal"),
            sa.func.width_bucket(values[name], sa.cast(list(histogram.edges), ARRAY(sa.Double))).label("bin"),
            sa.func.count().label("n"),
        )
        .where(values[name].is_not(None))
        .group_by(sa.text("bin"))
        for name, histogram in known.items()
    ]
    counted = {name: [0] * len(histogram.counts) for name, histogram in known.items()}
    for row in connection.execute(sa.union_all(*queries)):
        counted[row.signal][row.bin] = row.n
    return counted


def _no_larger(known: Sequence[int], found: Sequence[int]) -> list[float]:
    """Give the counts of `found` as if its largest values were no larger than those of `known`."""
    n_known, n = sum(known), sum(found)
    up_to = [max(old * n, new * n_known) for old, new in zip(accumulate(known), accumulate(found), strict=True)]
    return [(upper - lower) / n_known for lower, upper in pairwise([0, *up_to])]


def _shares(counts: tuple[int, ...] | list[int]) -> list[float]:
    return [count / (sum(counts) or 1) for count in counts]
