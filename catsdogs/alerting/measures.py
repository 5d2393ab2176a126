"""What the alert rules measure, in SQL: the evidence in both time windows of each rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from catsdogs.alerting.alert import INFERENCE_TIME_BASELINE, LOW_CONFIDENCE, TRAFFIC_WEEKS, Measure
from catsdogs.alerting.evidence import QUANTILES, Evidence, Mean, Percentile95, Share, StabilityIndex, Traffic
from catsdogs.alerting.lifecycle import Windows
from catsdogs.alerting.rules import Rule
from catsdogs.database.probabilities import answer_probability
from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Answer
from catsdogs.model.drift_reference import DriftReference
from catsdogs.monitoring import accuracy, aggregates
from catsdogs.monitoring.drift import find_reference, measure_drift, signal_columns
from catsdogs.monitoring.model_health import CardOf, latest_version
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition, is_mixed
from catsdogs.monitoring.sampling import SAMPLE_SIZE, draw_sample

MIN_BASELINE = 100
"""Smallest number of photos that a baseline of the inference time is computed from."""

_WEEK = timedelta(weeks=1)
_OF_RATINGS = frozenset({Measure.SATISFACTION, Measure.ACCURACY})
_COUNTED: dict[Measure, Callable[[sa.Row[Any]], Evidence]] = {
    Measure.SATISFACTION: lambda row: Share(row.satisfied, row.rated),
    Measure.ACCURACY: lambda row: Share(row.right, row.judged),
    Measure.ERRORS: lambda row: Share(row.errors, row.errors + row.successes),
    Measure.LOW_CONFIDENCE: lambda row: Share(row.unsure, row.cat + row.dog),
    Measure.ONE_ANSWER: lambda row: Share(max(row.cat, row.dog, row.neither), row.successes),
    Measure.MEAN_TIME: lambda row: Mean(row.mean or 0.0, row.deviation or 0.0, row.successes),
    Measure.P95_TIME: lambda row: Percentile95(row.quantiles or [0.0] * len(QUANTILES), row.successes),
}
"""How each measure follows from the counts of a window."""


def _counted_value(measure: Measure, table: sa.Table[PredictionColumns]) -> sa.ColumnElement[Any]:
    """Return the value of which a measure counts the predictions that have one; not for traffic and drift."""
    column = table.c
    if measure is Measure.SATISFACTION:
        return column.user_feedback
    if measure is Measure.ACCURACY:
        return accuracy.is_right(table)
    if measure is Measure.ERRORS:
        return column.id
    if measure is Measure.LOW_CONFIDENCE:
        return accuracy.animal_confidence(table)
    return sa.case((column.success, column.inference_time_ms))


class Measurements:
    """Measures rules at one point in time; each window is read once for all rules.

    Demonstration data is left out where there are predictions of people, too: it must not start or end a real alert.

    Parameters
    ----------
    table
        Table of predictions.
    card_of
        See :func:`catsdogs.monitoring.model_health.cards`.
    rules
        Rules that are to be measured.
    now
        End of all time windows.
    ended
        When the last episode of a rule ended, by name. Its windows begin no earlier: what is over must not make it fire
        again.
    reference_period
        See :func:`catsdogs.monitoring.drift.find_reference`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        table: sa.Table[PredictionColumns],
        card_of: CardOf,
        rules: Iterable[Rule],
        now: datetime,
        ended: Mapping[str, datetime] | None = None,
        reference_period: Span | None = None,
    ) -> None:
        self._connection, self._table, self._card_of = connection, table, card_of
        self._rules, self._reference_period = list(rules), reference_period
        self._end = now + timedelta(microseconds=1)  # windows include this moment
        self._ended = ended or {}
        self._chosen = PredictionFilter(of_people=is_mixed(connection, table))
        self._drifts: dict[datetime, dict[str, StabilityIndex]] = {}
        self._baselines: dict[timedelta, float | None] = {}

    def measure(self, rule: Rule, baseline: float | None = None, since: datetime | None = None) -> Windows:
        """Measure the windows of a rule.

        Parameters
        ----------
        baseline, since
            See :meth:`baseline`, and the onset of the open episode.
        """
        fast_start, slow_start = self._starts(rule)
        fast, slow = (self._evidence(rule, start, baseline) for start in (fast_start, slow_start))
        recent = fast
        if fast is not None and slow is not None and fast.n < rule.at_least <= slow.n:
            if rule.measure is Measure.TRAFFIC:
                recent = self._recent_traffic(rule, slow_start)
            else:
                recent = self._latest(rule, rule.at_least, slow_start, baseline)
        calm = recent
        if since is not None and recent is not None and rule.at_least <= recent.n < rule.over_at_least:
            calm = self._latest(rule, rule.over_at_least, max(since, self._end - _WEEK), baseline)
        return Windows(fast, slow, recent, calm)

    def _recent_traffic(self, rule: Rule, earliest: datetime) -> Traffic | None:
        """Return the traffic of a time in which enough photos came, now or in the weeks before."""
        start = self._end - rule.fast
        found = self._traffic(start)
        while found is not None and found.n < rule.at_least and start > earliest:
            start = max(earliest, start - (self._end - start))
            found = self._traffic(start)
        return found

    def _latest(self, rule: Rule, n: int, earliest: datetime, baseline: float | None) -> Evidence | None:
        """Return the evidence of the latest `n` predictions or ratings; ``None`` where there are fewer."""
        start = self._start_of_latest(rule, n, earliest)
        return self._evidence(rule, start, baseline) if start else None

    def _evidence(self, rule: Rule, start: datetime, baseline: float | None) -> Evidence | None:
        if rule.measure.is_drift:
            return self._drift(start).get(rule.measure.removeprefix("drift_"))
        if rule.measure is Measure.TRAFFIC:
            return self._traffic(start)
        is_rating = rule.measure in _OF_RATINGS
        known, read = (self._ratings, self._read_ratings) if is_rating else (self._photos, self._read_photos)
        row = known.get(start) or read([start])[start]
        if rule.measure is Measure.INFERENCE_TIME:
            times = row.mean or 0.0, row.deviation or 0.0, row.successes
            return Mean(*times, baseline) if baseline else None
        return _COUNTED[rule.measure](row)

    def _start_of_latest(self, rule: Rule, n: int, earliest: datetime) -> datetime | None:
        """Return the time from which on there are `n` predictions or ratings."""
        table, chosen = self._table, self._chosen
        if rule.measure.is_drift and self._served is not None:
            version, _, input_size = self._served
            chosen = replace(chosen, model_version=version)
            value = signal_columns(table, input_size)[rule.measure.removeprefix("drift_")]
        else:
            value = _counted_value(rule.measure, table)
        times = sa.select(table.c.timestamp).where(filter_condition(chosen, table, (earliest, self._end)))
        if rule.measure in _OF_RATINGS:
            times = times.where(accuracy.has_feedback(table))  # it has indexes
        counted = times.where(value.is_not(None)).order_by(table.c.timestamp.desc())
        return self._connection.scalar(counted.offset(n - 1).limit(1))

    def _starts(self, rule: Rule) -> tuple[datetime, datetime]:
        """Return the starts of the fast and the slow window."""
        earliest = self._ended.get(rule.name, self._end - rule.slow)
        return max(self._end - rule.fast, earliest), max(self._end - rule.slow, earliest)

    def baseline(self, rule: Rule) -> float | None:
        """Return what a rule compares the inference time with, in milliseconds; ``None`` if it does not, or cannot.

        It is the median of the daily means before the fast window: one bad day in the week does not move it.
        """
        if rule.measure is not Measure.INFERENCE_TIME:
            return None
        if rule.fast not in self._baselines:
            end = self._end - rule.fast
            window = end - INFERENCE_TIME_BASELINE, end
            aggregate = aggregates.aggregate_rows if self._chosen.of_people else aggregates.aggregate_roll_ups
            total, *days = aggregate(self._connection, self._table, self._chosen, window, width=86400)
            means = [day.mean for day in days if day.mean]
            self._baselines[rule.fast] = median(means) if means and total.successes >= MIN_BASELINE else None
        return self._baselines[rule.fast]

    @cached_property
    def _photos(self) -> dict[datetime, sa.Row[Any]]:
        """Counts of all photos in the rules' windows, by the start of the window."""
        return self._read_photos(self._all_starts(of_ratings=False))

    @cached_property
    def _ratings(self) -> dict[datetime, sa.Row[Any]]:
        """Counts of ratings and judgements in the rules' windows, by the start of the window."""
        return self._read_ratings(self._all_starts(of_ratings=True))

    def _all_starts(self, *, of_ratings: bool) -> list[datetime]:
        rules = [rule for rule in self._rules if (rule.measure in _OF_RATINGS) == of_ratings]
        return sorted({start for rule in rules for start in self._starts(rule)})

    def _read_photos(self, starts: Sequence[datetime]) -> dict[datetime, sa.Row[Any]]:
        column = self._table.c
        time = sa.case((column.success, column.inference_time_ms))
        is_pet = column.prediction_result.in_([Answer.CAT, Answer.DOG])
        is_unsure = is_pet & (answer_probability(self._table) <= LOW_CONFIDENCE)

        def count(answer: Answer) -> sa.ColumnElement[int]:
            return sa.func.count().filter(column.prediction_result == answer)

        quantiles = sa.cast(list(QUANTILES), ARRAY(sa.Double))
        return self._read_windows(
            starts,
            sa.func.count(time).label("successes"),
            count(Answer.ERROR).label("errors"),
            count(Answer.CAT).label("cat"),
            count(Answer.DOG).label("dog"),
            count(Answer.NEITHER).label("neither"),
            sa.func.count().filter(is_unsure).label("unsure"),
            sa.func.avg(time).label("mean"),
            sa.func.stddev_samp(time).label("deviation"),
            sa.func.percentile_cont(quantiles).within_group(time).label("quantiles"),
        )

    def _read_ratings(self, starts: Sequence[datetime]) -> dict[datetime, sa.Row[Any]]:
        rating, is_right = self._table.c.user_feedback, accuracy.is_right(self._table)
        return self._read_windows(
            starts,
            sa.func.count(rating).label("rated"),
            sa.func.count().filter(rating == 1).label("satisfied"),
            sa.func.count(is_right).label("judged"),
            sa.func.count().filter(is_right).label("right"),
            condition=accuracy.has_feedback(self._table),
        )

    def _read_windows(
        self,
        starts: Sequence[datetime],
        *columns: sa.ColumnElement[Any],
        condition: sa.ColumnElement[bool] | None = None,
    ) -> dict[datetime, sa.Row[Any]]:
        queries = [
            sa.select(sa.literal(number).label("number"), *columns).where(
                filter_condition(self._chosen, self._table, (start, self._end)),
                sa.true() if condition is None else condition,
            )
            for number, start in enumerate(starts)
        ]
        return {starts[row.number]: row for row in self._connection.execute(sa.union_all(*queries))}

    def _traffic(self, start: datetime) -> Traffic | None:
        """Compare with the same hours of the earlier weeks that were recorded from their beginning on."""
        first = self._first_photo
        if first is None:
            return None
        weeks = min(TRAFFIC_WEEKS, (start - first) // _WEEK)
        if weeks < 1:
            return None
        ages = [week * _WEEK for week in range(weeks + 1)]
        counts = [
            sa.select(sa.func.count())
            .select_from(self._table)
            .where(filter_condition(self._chosen, self._table, (start - age, self._end - age)))
            .scalar_subquery()
            for age in ages
        ]
        found, *before = self._connection.execute(sa.select(*counts)).one()
        return Traffic(found, sum(before), weeks)

    @cached_property
    def _first_photo(self) -> datetime | None:
        first = sa.select(sa.func.min(self._table.c.timestamp)).where(filter_condition(self._chosen, self._table))
        return self._connection.scalar(first)

    def _drift(self, start: datetime) -> dict[str, StabilityIndex]:
        if start not in self._drifts:
            self._drifts[start] = self._measure_drift(start)
        return self._drifts[start]

    def _measure_drift(self, start: datetime) -> dict[str, StabilityIndex]:
        if self._served is None:
            return {}
        version, reference, input_size = self._served
        chosen = replace(self._chosen, start=start, end=self._end, model_version=version)
        rows = draw_sample(self._connection, self._table, chosen, SAMPLE_SIZE // 2).rows
        return {
            drift["signal"]: StabilityIndex(drift["expected"], drift["found"], reference.n, drift["n"])
            for drift in measure_drift(self._connection, rows, reference, input_size)
        }

    @cached_property
    def _served(self) -> tuple[str, DriftReference, int] | None:
        """The version of the latest prediction, its reference, and the side of the network's input."""
        longest = max(rule.slow for rule in self._rules)
        recent = replace(self._chosen, start=self._end - longest, end=self._end)
        version = latest_version(self._connection, self._table, recent)
        card = self._card_of(version) if version else None
        if version is None or card is None:
            return None
        reference = find_reference(self._connection, self._table, version, card, self._reference_period).counts
        return (version, reference, card.input_size) if reference else None
