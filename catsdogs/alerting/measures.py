"""What the alert rules measure, in SQL. Counts over a time window without `last` come from the roll-up tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from catsdogs.alerting.alert import INFERENCE_TIME_BASELINE, LOW_CONFIDENCE, Measure, Measurement
from catsdogs.alerting.rules import Rule
from catsdogs.database.roll_ups import Span
from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Answer
from catsdogs.monitoring import accuracy, aggregates
from catsdogs.monitoring.drift import find_reference, measure_drift
from catsdogs.monitoring.drift_limits import SIGNIFICANCE_LEVEL
from catsdogs.monitoring.figures import Drift
from catsdogs.monitoring.model_health import CardOf, latest_version
from catsdogs.monitoring.prediction_filter import ALL_PREDICTIONS, PredictionFilter
from catsdogs.monitoring.prediction_filter_sql import filter_condition
from catsdogs.monitoring.sampling import SAMPLE_SIZE, draw_sample

_ANIMAL_ANSWERS = Answer.CAT, Answer.DOG
_READABLE_ANSWERS = Answer.CAT, Answer.DOG, Answer.NEITHER


_NO_DATA = Measurement(0.0, 0)


class Measurements:
    """Measures rules at one point in time; drift is computed once for all rules with the same window.

    Parameters
    ----------
    table
        Table of predictions.
    card_of
        See :func:`catsdogs.monitoring.model_health.cards`.
    now
        End of all time windows.
    reference_period
        See :func:`catsdogs.monitoring.drift.find_reference`.
    """

    def __init__(
        self,
        connection: sa.Connection,
        table: sa.Table[PredictionColumns],
        card_of: CardOf,
        now: datetime,
        reference_period: Span | None = None,
    ) -> None:
        self._connection, self._table, self._card_of = connection, table, card_of
        self._reference_period = reference_period
        self._end = now + timedelta(microseconds=1)  # windows include this moment
        self._drifts: dict[tuple[timedelta | None, int | None], list[Drift]] = {}

    def measure(self, rule: Rule) -> Measurement | None:
        """Measure what a rule names; ``None`` if there are fewer than ``at_least`` predictions or ratings."""
        functions: dict[Measure, Callable[[Rule], Measurement]] = {
            Measure.SATISFACTION: self._satisfaction,
            Measure.INFERENCE_TIME: self._inference_time,
            Measure.ERRORS: self._errors,
            Measure.LOW_CONFIDENCE: self._low_confidence,
            Measure.ONE_ANSWER: self._one_answer,
            Measure.ACCURACY: self._accuracy,
        }
        measured = functions.get(rule.measure, self._drift)(rule)
        return measured if measured.n >= rule.at_least else None

    def _satisfaction(self, rule: Rule) -> Measurement:
        rows = self._rows(rule, self._table.c.user_feedback.is_not(None))
        return self._share(rows, rows.c.user_feedback == 1)

    def _errors(self, rule: Rule) -> Measurement:
        counts = self._count_answers(rule, tuple(Answer))
        n = sum(counts.values())
        return Measurement(counts[Answer.ERROR] / (n or 1), n)

    def _low_confidence(self, rule: Rule) -> Measurement:
        rows = self._rows(rule, self._table.c.prediction_result.in_(_ANIMAL_ANSWERS))
        return self._share(rows, accuracy.animal_confidence(rows) <= LOW_CONFIDENCE)

    def _accuracy(self, rule: Rule) -> Measurement:
        rows = self._rows(rule, accuracy.has_feedback(self._table) & self._table.c.success)
        return self._share(rows, accuracy.is_right(rows))

    def _one_answer(self, rule: Rule) -> Measurement:
        counts = self._count_answers(rule, _READABLE_ANSWERS)
        n = sum(counts.values())
        return Measurement(max(counts.values(), default=0) / (n or 1), n)

    def _inference_time(self, rule: Rule) -> Measurement:
        rows = self._rows(rule, self._table.c.success)
        n, mean, first = self._connection.execute(
            sa.select(sa.func.count(), sa.func.avg(rows.c.inference_time_ms), sa.func.min(rows.c.timestamp))
        ).one()
        if not n:
            return _NO_DATA
        baseline = self._totals((first - INFERENCE_TIME_BASELINE, first)).mean
        return Measurement(mean / baseline, n) if baseline else _NO_DATA

    def _count_answers(self, rule: Rule, answers: Collection[Answer]) -> Counter[str]:
        """Count the predictions of each of `answers`."""
        if rule.last is None and rule.within is not None:
            total = self._totals((self._end - rule.within, self._end))
            counts = {"cat": total.cat, "dog": total.dog, "neither": total.neither, "error": total.errors}
            return Counter({answer: counts[answer] for answer in answers})
        rows = self._rows(rule, self._table.c.prediction_result.in_(answers))
        answer = rows.c.prediction_result
        return Counter(dict(self._connection.execute(sa.select(answer, sa.func.count()).group_by(answer)).all()))

    def _totals(self, window: Span) -> sa.Row[Any]:
        return aggregates.totals(self._connection, self._table, ALL_PREDICTIONS, window)

    def _drift(self, rule: Rule) -> Measurement:
        key = rule.within, rule.last
        if key not in self._drifts:
            self._drifts[key] = self._measure_drift(rule)
        signal = rule.measure.removeprefix("drift_")
        found = next((drift for drift in self._drifts[key] if drift["signal"] == signal), None)
        if found is None:
            return _NO_DATA
        return Measurement(found["psi"] if found["p_value"] < SIGNIFICANCE_LEVEL else 0.0, found["n"])

    def _measure_drift(self, rule: Rule) -> list[Drift]:
        recent = self._recent(rule)
        version = latest_version(self._connection, self._table, recent)
        card = self._card_of(version) if version else None
        _, reference = find_reference(self._connection, self._table, version or "", card, self._reference_period)
        if card is None or reference is None:
            return []
        if rule.last:
            rows = self._rows(rule, self._table.c.model_version == version)
        else:
            same_version = replace(recent, model_version=version)
            rows = draw_sample(self._connection, self._table, same_version, SAMPLE_SIZE // 2).rows
        return measure_drift(self._connection, rows, reference, card.input_size)

    def _rows(self, rule: Rule, condition: sa.ColumnElement[bool]) -> sa.CTE:
        query = sa.select(self._table).where(filter_condition(self._recent(rule), self._table), condition)
        if rule.last:
            query = query.order_by(self._table.c.timestamp.desc()).limit(rule.last)
        return query.cte("measured")

    def _recent(self, rule: Rule) -> PredictionFilter:
        return PredictionFilter(None if rule.within is None else self._end - rule.within, self._end)

    def _share(self, rows: sa.CTE, condition: sa.ColumnElement[Any]) -> Measurement:
        n, found = self._connection.execute(
            sa.select(sa.func.count(), sa.func.count().filter(condition)).select_from(rows)
        ).one()
        return Measurement(found / (n or 1), n)
