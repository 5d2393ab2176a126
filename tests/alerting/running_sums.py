"""The same replay as :mod:`tests.alerting.replay`, without a database: months of many seeds in a minute.

The evidence comes from running sums over the history; a test compares both replays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np
import numpy.typing as npt

from catsdogs.alerting.alert import (
    INFERENCE_TIME_BASELINE,
    LOW_CONFIDENCE,
    TRAFFIC_WEEKS,
    Measure,
)
from catsdogs.alerting.evidence import QUANTILES, Evidence, Mean, Percentile95, Share, StabilityIndex, Traffic
from catsdogs.alerting.lifecycle import AlertRecord, Windows, advance
from catsdogs.alerting.measures import MIN_BASELINE
from catsdogs.alerting.rules import Rule
from catsdogs.demo.history import History, Row
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.model.drift_reference import MIN_BRIGHTNESS
from tests.alerting.replay import Episode
from tests.rows import confidence

DAY, WEEK, MOMENT = timedelta(days=1), timedelta(weeks=1), timedelta(microseconds=1)
CARD = read_card(SHIPPED)
assert CARD.reference is not None
REFERENCE = CARD.reference
SIGNALS = "confidence", "neither", "brightness", "sharpness"
"""Signals that the packaged rules watch."""
COUNTED: dict[str, Callable[[Row], bool]] = {
    "successes": lambda row: row["success"],
    "errors": lambda row: not row["success"],
    "cat": lambda row: row["prediction_result"] == "cat",
    "dog": lambda row: row["prediction_result"] == "dog",
    "neither": lambda row: row["prediction_result"] == "neither",
    "unsure": lambda row: row["prediction_result"] in ("cat", "dog") and confidence(row) <= LOW_CONFIDENCE,
    "rated": lambda row: row["user_feedback"] is not None,
    "satisfied": lambda row: row["user_feedback"] == 1,
    "right": lambda row: (
        row["user_feedback"] == 1 if row["true_label"] is None else row["true_label"] == row["prediction_result"]
    ),
}


def signal(name: str, row: Row) -> float | None:
    """Return a signal of a prediction; ``None`` if it has none."""
    if name == "confidence":
        is_pet = row["prediction_result"] in ("cat", "dog")
        return float(max(row["proba_cat"], row["proba_dog"])) if is_pet else None
    if not row["success"]:
        return None
    if name == "neither":
        return float(row["prediction_result"] == "neither")
    if name == "brightness":
        return float(row["brightness"])
    return float(row["sharpness"] / max(row["brightness"], MIN_BRIGHTNESS) ** 2)


class RunningSums:
    """A history, from which the evidence in each window follows."""

    def __init__(self, history: History) -> None:
        rows = list(history.rows())
        self._first: datetime = rows[0]["timestamp"]
        self._moments = np.array([row["timestamp"].timestamp() for row in rows])
        self._versions = [row["model_version"] for row in rows]
        self._times = np.array([row["inference_time_ms"] or np.nan for row in rows])
        self._sums = {name: _running(map(is_counted, rows)) for name, is_counted in COUNTED.items()}
        self._sums["time"] = _running(np.nan_to_num(self._times))
        self._bins = {name: self._count_bins(name, rows) for name in SIGNALS}

    @staticmethod
    def _count_bins(name: str, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        edges = REFERENCE.signals[name].edges
        found = np.zeros((len(rows) + 1, len(edges) + 1))
        for number, row in enumerate(rows, 1):
            value = signal(name, row) if row["model_version"] == CARD.version else None
            if value is not None:
                found[number, bisect_right(edges, value)] = 1
        return np.cumsum(found, axis=0)

    def _between(self, start: datetime, end: datetime) -> tuple[int, int]:
        first, last = np.searchsorted(self._moments, [start.timestamp(), end.timestamp()])
        return int(first), int(last)

    def baseline(self, rule: Rule, end: datetime) -> float | None:
        """Return the median of the daily means before the fast window."""
        if rule.measure is not Measure.INFERENCE_TIME:
            return None
        last, first = end - rule.fast, end - rule.fast - INFERENCE_TIME_BASELINE
        midnights = [first.replace(hour=0, minute=0, second=0, microsecond=0) + DAY * day for day in range(9)]
        means, total = [], 0.0
        for midnight in midnights:
            begin, finish = self._between(max(first, midnight), min(last, midnight + DAY))
            n = self._sums["successes"][finish] - self._sums["successes"][begin] if finish > begin else 0
            total += n
            if n:
                means.append((self._sums["time"][finish] - self._sums["time"][begin]) / n)
        return float(median(means)) if means and total >= MIN_BASELINE else None

    def evidence(self, rule: Rule, start: datetime, end: datetime, baseline: float | None) -> Evidence | None:
        """Return what a window shows."""
        first, last = self._between(start, end)
        measure = rule.measure
        if measure.is_drift:
            return self._stability(measure.removeprefix("drift_"), first, last)
        if measure is Measure.TRAFFIC:
            return self._traffic(start, end)
        if measure in (Measure.INFERENCE_TIME, Measure.MEAN_TIME, Measure.P95_TIME):
            return self._time(measure, first, last, baseline)

        def count(*names: str) -> int:
            return int(sum(self._sums[name][last] - self._sums[name][first] for name in names))

        return {
            Measure.SATISFACTION: lambda: Share(count("satisfied"), count("rated")),
            Measure.ACCURACY: lambda: Share(count("right"), count("rated")),
            Measure.ERRORS: lambda: Share(count("errors"), count("errors", "successes")),
            Measure.LOW_CONFIDENCE: lambda: Share(count("unsure"), count("cat", "dog")),
            Measure.ONE_ANSWER: lambda: Share(max(map(count, ("cat", "dog", "neither"))), count("successes")),
        }[measure]()

    def windows(
        self, rule: Rule, starts: Sequence[datetime], since: datetime | None, end: datetime, baseline: float | None
    ) -> Windows:
        """Return what the windows of a rule show."""
        fast, slow = (self.evidence(rule, start, end, baseline) for start in starts)
        recent = fast
        if fast is not None and slow is not None and fast.n < rule.at_least <= slow.n:
            if rule.measure is Measure.TRAFFIC:
                length = rule.fast
                while recent is not None and recent.n < rule.at_least:
                    length *= 2
                    recent = self.evidence(rule, max(end - length, starts[1]), end, baseline)
            else:
                recent = self._latest(rule, rule.at_least, starts[1], end, baseline)
        calm = recent
        if since is not None and recent is not None and rule.at_least <= recent.n < rule.over_at_least:
            calm = self._latest(rule, rule.over_at_least, max(since, end - WEEK), end, baseline)
        return Windows(fast, slow, recent, calm)

    def _latest(self, rule: Rule, n: int, earliest: datetime, end: datetime, baseline: float | None) -> Evidence | None:
        counted = self._counted(rule.measure)
        first, last = self._between(earliest, end)
        if counted[last] - counted[first] < n:
            return None
        start = int(np.searchsorted(counted, counted[last] - n, side="right")) - 1
        return self.evidence(rule, datetime.fromtimestamp(self._moments[start], UTC), end, baseline)

    def _counted(self, measure: Measure) -> npt.NDArray[np.float64]:
        if measure.is_drift:
            return np.asarray(self._bins[measure.removeprefix("drift_")].sum(axis=1), np.float64)
        names = {
            Measure.SATISFACTION: ("rated",),
            Measure.ACCURACY: ("rated",),
            Measure.ERRORS: ("errors", "successes"),
            Measure.LOW_CONFIDENCE: ("cat", "dog"),
        }
        parts = [self._sums[name] for name in names.get(measure, ("successes",))]
        return np.asarray(np.sum(parts, axis=0), np.float64)

    def _stability(self, name: str, first: int, last: int) -> StabilityIndex | None:
        if not last or self._versions[last - 1] != CARD.version:
            return None
        counts, expected = self._bins[name][last] - self._bins[name][first], REFERENCE.signals[name].counts
        n = int(counts.sum())
        shares = [float(count) / (n or 1) for count in counts]
        return StabilityIndex([count / sum(expected) for count in expected], shares, REFERENCE.n, n)

    def _traffic(self, start: datetime, end: datetime) -> Traffic | None:
        weeks = min(TRAFFIC_WEEKS, (start - self._first) // WEEK)
        if weeks < 1:
            return None
        spans = [self._between(start - week * WEEK, end - week * WEEK) for week in range(weeks + 1)]
        found, *before = [last - first for first, last in spans]
        return Traffic(found, sum(before), weeks)

    def _time(self, measure: Measure, first: int, last: int, baseline: float | None) -> Evidence | None:
        times = self._times[first:last]
        times = times[~np.isnan(times)]
        n = len(times)
        if measure is Measure.P95_TIME:
            return Percentile95(np.quantile(times, QUANTILES).tolist() if n else [0.0] * len(QUANTILES), n)
        mean, deviation = float(times.mean()) if n else 0.0, float(times.std(ddof=1)) if n > 1 else 0.0
        if measure is Measure.MEAN_TIME:
            return Mean(mean, deviation, n)
        return Mean(mean, deviation, n, baseline) if baseline else None


def _running(values: Iterable[float]) -> npt.NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum([float(value) for value in values])])


def replay_in_memory(
    history: History, rules: Sequence[Rule], step: timedelta, start: datetime | None = None
) -> list[Episode]:
    """Evaluate the rules every `step` from `start` to the history's end, as the scheduler does."""
    sums, begin, end = RunningSums(history), start or history.start, history.start + DAY * history.days
    found = [episode for rule in rules for episode in _replay_rule(sums, rule, step, begin, end)]
    return sorted(found, key=lambda episode: episode.fired_at)


def _replay_rule(sums: RunningSums, rule: Rule, step: timedelta, now: datetime, end: datetime) -> list[Episode]:
    episodes: list[Episode] = []
    record: AlertRecord | None = None
    frozen: float | None = None
    ended = now - max(rule.slow, INFERENCE_TIME_BASELINE)
    while now < end:
        until = now + MOMENT
        is_frozen = record is not None or until - ended < INFERENCE_TIME_BASELINE
        baseline = frozen if is_frozen and frozen is not None else sums.baseline(rule, until)
        starts = [max(until - window, ended) for window in (rule.fast, rule.slow)]
        record = advance(
            record, rule, sums.windows(rule, starts, record.since if record else None, until, baseline), now, baseline
        )
        frozen = record.baseline if record is not None else frozen if is_frozen else None
        if record is not None and record.resolved_at is not None:
            assert record.fired_at is not None
            episodes.append(Episode(rule.name, record.since, record.fired_at, record.resolved_at))
            record, ended = None, now
        now += step
    if record is not None and record.fired_at is not None:
        episodes.append(Episode(rule.name, record.since, record.fired_at, None))
    return episodes
