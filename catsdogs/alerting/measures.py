"""What the rules of the alerts measure, in SQL; counts of long windows come from the summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from catsdogs.alerting.rules import Rule
from catsdogs.database.tables import PredictionColumns
from catsdogs.domain import Answer
from catsdogs.monitoring import accuracy, aggregates
from catsdogs.monitoring.drift import SIGNIFICANT, measure_drift
from catsdogs.monitoring.figures import Drift, Measure
from catsdogs.monitoring.model_health import CardOf, latest_version
from catsdogs.monitoring.sampling import ENOUGH, sample
from catsdogs.monitoring.time_windows import Slice

UNSURE = 0.6
"""Confidence that counts as low, as V2 had it."""
BASELINE = timedelta(days=7)
"""What inference times are compared with, before the ones that are looked at."""
ANSWERED = Answer.CAT, Answer.DOG, Answer.NEITHER

Figure = tuple[float, int]
"""Value, and on how many predictions or opinions."""


class Measurements:
    """Measures rules at one moment; what several rules need is measured once.

    Parameters
    ----------
    table
        Of predictions.
    card_of
        See :func:`catsdogs.monitoring.model_health.cards`.
    now
        The moment that windows end at.
    """

    def __init__(
        self, connection: sa.Connection, table: sa.Table[PredictionColumns], card_of: CardOf, now: datetime
    ) -> None:
        self._connection, self._table, self._card_of, self._now = connection, table, card_of, now
        self._drifts: dict[tuple[timedelta | None, int | None], list[Drift]] = {}

    def measure(self, rule: Rule) -> Figure | None:
        """Measure what a rule is about; ``None`` where there is too little to say anything."""
        ways: dict[Measure, Callable[[Rule], Figure]] = {
            Measure.SATISFACTION: self._satisfaction,
            Measure.INFERENCE_TIME: self._inference_time,
            Measure.ERRORS: self._errors,
            Measure.LOW_CONFIDENCE: self._low_confidence,
            Measure.ONE_ANSWER: self._one_answer,
            Measure.ACCURACY: self._accuracy,
        }
        value, n = ways.get(rule.measure, self._drift)(rule)
        return (value, n) if n >= rule.at_least else None

    def _satisfaction(self, rule: Rule) -> Figure:
        rows = self._rows(rule, self._table.c.user_feedback.is_not(None))
        return self._share(rows, rows.c.user_feedback == 1)

    def _errors(self, rule: Rule) -> Figure:
        counts = self._answers(rule, tuple(Answer))
        n = sum(counts.values())
        return counts[Answer.ERROR] / (n or 1), n

    def _low_confidence(self, rule: Rule) -> Figure:
        rows = self._rows(rule, self._table.c.prediction_result.in_([Answer.CAT, Answer.DOG]))
        return self._share(rows, accuracy.confidence(rows) <= UNSURE)

    def _accuracy(self, rule: Rule) -> Figure:
        rows = self._rows(rule, accuracy.spoken(self._table) & self._table.c.success)
        return self._share(rows, accuracy.right(rows))

    def _one_answer(self, rule: Rule) -> Figure:
        counts = self._answers(rule, ANSWERED)
        n = sum(counts.values())
        return max(counts.values(), default=0) / (n or 1), n

    def _inference_time(self, rule: Rule) -> Figure:
        rows = self._rows(rule, self._table.c.success)
        n, mean, first = self._connection.execute(
            sa.select(sa.func.count(), sa.func.avg(rows.c.inference_time_ms), sa.func.min(rows.c.timestamp))
        ).one()
        if not n:
            return 0.0, 0
        before = self._totals(Slice(first - BASELINE, first)).mean
        return (mean / before, n) if before else (0.0, 0)

    def _answers(self, rule: Rule, among: Collection[Answer]) -> Counter[str]:
        """Count how often each of some answers was given."""
        if rule.last is None and rule.within is not None:
            total = self._totals(Slice(self._now - rule.within, self._now + timedelta(microseconds=1)))
            counts = {"cat": total.cat, "dog": total.dog, "neither": total.neither, "error": total.errors}
            return Counter({answer: counts[answer] for answer in among})
        rows = self._rows(rule, self._table.c.prediction_result.in_(among))
        answer = rows.c.prediction_result
        return Counter(dict(self._connection.execute(sa.select(answer, sa.func.count()).group_by(answer)).all()))

    def _totals(self, chosen: Slice) -> sa.Row[Any]:
        return aggregates.totals(self._connection, self._table, chosen)

    def _drift(self, rule: Rule) -> Figure:
        key = rule.within, rule.last
        if key not in self._drifts:
            self._drifts[key] = self._measure_drift(rule)
        signal = rule.measure.removeprefix("drift_")
        found = next((drift for drift in self._drifts[key] if drift["signal"] == signal), None)
        if found is None:
            return 0.0, 0
        return found["psi"] if found["p_value"] < SIGNIFICANT else 0.0, found["n"]

    def _measure_drift(self, rule: Rule) -> list[Drift]:
        version = latest_version(self._connection, self._table, self._recent(rule, self._table))
        card = self._card_of(version) if version else None
        if card is None or card.reference is None:
            return []

        def chosen(rows: sa.FromClause) -> sa.ColumnElement[bool]:
            return self._recent(rule, rows) & (rows.c.model_version == version)

        if rule.last:
            rows = self._rows(rule, chosen(self._table))
        else:
            rows = sample(self._connection, self._table, chosen, ENOUGH // 2).rows
        return measure_drift(self._connection, rows, card.reference, card.input_size)

    def _rows(self, rule: Rule, condition: sa.ColumnElement[bool]) -> sa.CTE:
        query = sa.select(self._table).where(self._recent(rule, self._table), condition)
        if rule.last:
            query = query.order_by(self._table.c.timestamp.desc()).limit(rule.last)
        return query.cte("looked_at")

    def _recent(self, rule: Rule, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        until: sa.ColumnElement[bool] = rows.c.timestamp <= self._now
        return until if rule.within is None else until & (rows.c.timestamp > self._now - rule.within)

    def _share(self, rows: sa.CTE, which: sa.ColumnElement[Any]) -> Figure:
        n, found = self._connection.execute(
            sa.select(sa.func.count(), sa.func.count().filter(which)).select_from(rows)
        ).one()
        return found / (n or 1), n
