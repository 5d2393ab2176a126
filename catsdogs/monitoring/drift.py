"""Drift: how far photos and answers moved from those that the model was evaluated on.

The limits are in :mod:`catsdogs.monitoring.drift_limits`.

Some causes move two signals, and should: a photo smaller than the network's input is blurred when it is scaled up
(size and sharpness), and the confidence in heavily blurred photos is lower. A known weakness: a JPEG that is darkened
and saved again as JPEG at its own size is quantized a second time; at some qualities that is a moderate drift of
sharpness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.datetimes import iso
from catsdogs.domain import Answer
from catsdogs.model.card import ModelCard
from catsdogs.model.drift_reference import MIN_BRIGHTNESS, DriftReference, Histogram
from catsdogs.monitoring import accuracy
from catsdogs.monitoring.drift_limits import MIN_PREDICTIONS, interpret_drift
from catsdogs.monitoring.figures import Drift, ReferenceKind
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import is_mixed
from catsdogs.monitoring.sampling import draw_sample
from catsdogs.stats import chi_square_test, psi

ONE_SIDED_SIGNALS = ("size",)
"""Signals of which only a shift to smaller values counts: larger photos hold no less detail for the model."""


class FoundReference(NamedTuple):
    """What drift is measured against."""

    kind: ReferenceKind
    counts: DriftReference | None = None
    chosen_n: int | None = None
    """Number of photos of the version in the period that the operator chose; ``None`` without one."""


NO_REFERENCE = FoundReference(ReferenceKind.NONE)


def measure_drift(connection: sa.Connection, rows: sa.CTE, reference: DriftReference, input_size: int) -> list[Drift]:
    """Compare each signal of the predictions in `rows` with the reference.

    Parameters
    ----------
    input_size
        Side of the network's input, in pixels.
    """
    counts = _count(connection, rows, reference.signals, input_size)
    return [compare_signal(name, histogram, counts[name]) for name, histogram in reference.signals.items()]


def find_reference(
    connection: sa.Connection,
    table: sa.Table[PredictionColumns],
    version: str,
    card: ModelCard | None,
    period: Span | None,
) -> FoundReference:
    """Return what the drift of a model version is measured against.

    Parameters
    ----------
    card
        The version's card; ``None`` where this machine does not have it.
    period
        Period that the operator chose as the reference. It counts for the versions that answered often enough in it;
        others keep the reference of their card. Demonstration data is left out where there are predictions of people,
        too: what was made up says nothing of their photos.
    """
    if card is None:
        return FoundReference(ReferenceKind.NO_CARD)
    if card.reference is None:
        return NO_REFERENCE
    n = None
    if period:
        chosen = PredictionFilter(*period, version, of_people=is_mixed(connection, table))
        rows = draw_sample(connection, table, chosen).rows
        counts = _count(connection, rows, card.reference.signals, card.input_size)
        n = sum(counts["neither"])
        if n >= MIN_PREDICTIONS:
            signals = {
                name: Histogram(edges=histogram.edges, counts=tuple(counts[name]))
                for name, histogram in card.reference.signals.items()
                if sum(counts[name]) >= MIN_PREDICTIONS
            }
            name = "/".join(iso(moment) for moment in period)
            return FoundReference(ReferenceKind.PERIOD, DriftReference(photos=name, n=n, signals=signals), n)
    return FoundReference(ReferenceKind.PHOTOS, card.reference, n)


def compare_signal(signal: str, reference: Histogram, counts: list[int]) -> Drift:
    """Measure how far a signal moved from its reference, and interpret it.

    Parameters
    ----------
    counts
        Number of predictions in each bin of `reference`.
    """
    compared = _limit_to_reference(reference.counts, counts) if signal in ONE_SIDED_SIGNALS else counts
    n, index = sum(counts), psi(reference.counts, compared)
    p_value = chi_square_test(reference.counts, compared)
    return Drift(
        signal=signal,
        psi=index,
        p_value=p_value,
        n=n,
        reading=interpret_drift(index, p_value, n),
        edges=list(reference.edges),
        expected=_shares(reference.counts),
        found=_shares(counts),
    )


def signal_columns(rows: sa.FromClause, input_size: int) -> dict[str, sa.ColumnElement[float]]:
    """Return the signals of :mod:`catsdogs.model.drift_reference` as SQL; ``NULL`` where a prediction has none."""
    column = rows.c
    is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
    answered = column.prediction_result != Answer.ERROR
    brightness = sa.func.greatest(column.brightness, MIN_BRIGHTNESS)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "confidence": accuracy.animal_confidence(rows),
        "answers": sa.case((is_pet, sa.cast(column.prediction_result == Answer.DOG, sa.Integer))),
        "neither": sa.case((answered, sa.cast(column.prediction_result == Answer.NEITHER, sa.Integer))),
        "brightness": column.brightness,
        "sharpness": column.sharpness / (brightness * brightness),
        "size": sa.case((column.width.is_not(None), sa.func.least(column.width, column.height, input_size))),
    }
    return {name: sa.cast(value, sa.Double) for name, value in columns.items()}


def _count(
    connection: sa.Connection, rows: sa.CTE, reference: Mapping[str, Histogram], input_size: int
) -> dict[str, list[int]]:
    values = signal_columns(rows, input_size)
    queries = [
        sa.select(
            sa.literal(name).label("signal"),
            sa.func.width_bucket(values[name], sa.cast(list(histogram.edges), ARRAY(sa.Double))).label("bin"),
            sa.func.count().label("n"),
        )
        .where(values[name].is_not(None))
        .group_by(sa.text("bin"))
        for name, histogram in reference.items()
    ]
    counts = {name: [0] * len(histogram.counts) for name, histogram in reference.items()}
    for row in connection.execute(sa.union_all(*queries)):
        counts[row.signal][row.bin] = row.n
    return counts


def _limit_to_reference(reference: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Return `counts` as if the values were distributed no higher than those of the reference, at any quantile."""
    n_reference, n = sum(reference), sum(counts)
    cumulative = [
        max(old * n, new * n_reference) for old, new in zip(accumulate(reference), accumulate(counts), strict=True)
    ]
    return [(upper - lower) / n_reference for lower, upper in pairwise([0, *cumulative])]


def _shares(counts: tuple[int, ...] | list[int]) -> list[float]:
    return [count / (sum(counts) or 1) for count in counts]
