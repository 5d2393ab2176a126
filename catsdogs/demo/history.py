"""Made-up predictions of days or months, with incidents whose times are known.

Apart from the incidents, the photos and answers are drawn from the drift reference of the shipped model, so that
nothing drifts. The same arguments always give the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any, NamedTuple

from catsdogs.database.demo_ids import DEMO_ID_BITS, demo_id
from catsdogs.domain import Answer
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.model.drift_reference import Histogram

Row = dict[str, Any]
"""Values of one row of the table of predictions, by column."""

PHOTOS_A_DAY = 190
"""Mean number of photos a day."""
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 10, 9, 9, 9, 9, 10, 11, 11, 10, 8, 5, 3)
"""How many photos come in each hour of the day (UTC), relative to each other."""
RATED, SATISFIED, UNREADABLE = 0.35, 0.96, 0.015
"""Shares without an incident: of answers rated, of ratings that are good, of photos that cannot be read."""
MEAN_MS, SPREAD = 9.0, 0.35
"""Median of the inference times in milliseconds, and the standard deviation of their logarithm."""
WIDTHS = (1.0, 4 / 3, 3 / 2, 16 / 9)
"""Longer side of a photo, divided by the shorter one."""


class IncidentKind(StrEnum):
    """What goes wrong, or only changes."""

    SLOW = "slow"
    """Inference takes three times as long."""
    STALLED = "stalled"
    """Inference takes a hundred times as long."""
    DISSATISFIED = "dissatisfied"
    """Three ratings in four are bad."""
    UNREADABLE = "unreadable"
    """A third of the photos cannot be read."""
    UNSURE = "unsure"
    """Nearly all answers are of low confidence."""
    ONE_ANSWER = "one_answer"
    """Nearly all answers are "cat"."""
    DARK_PHOTOS = "dark_photos"
    """Photos have a third of their brightness."""
    BLURRED_PHOTOS = "blurred_photos"
    """Photos have a tenth of their sharpness."""
    OTHER_THINGS = "other_things"
    """Half of the photos show neither a cat nor a dog."""
    GAP = "gap"
    """No photo comes."""
    NEW_VERSION = "new_version"
    """Another model version answers, as well and as fast: nothing is wrong."""


class Incident(NamedTuple):
    """One incident, from `start` to `end`."""

    kind: IncidentKind
    start: datetime
    end: datetime


@dataclass(frozen=True)
class History:
    """What is made up.

    Parameters
    ----------
    start, days
        Time of the first day's beginning, and the number of days.
    incidents
        They may overlap.
    seed
        Another seed gives other photos, of the same kind.
    photos_a_day
        Mean number of photos of a day.
    """

    start: datetime
    days: int
    incidents: Sequence[Incident] = ()
    seed: int = 0
    photos_a_day: float = PHOTOS_A_DAY

    def rows(self) -> Iterator[Row]:
        """Make the rows, in order of time. They hold nothing personal.

        Times and ratings are drawn apart from the photos: they do not depend on the model's reference.
        """
        times, people, photos = map(random.Random, (f"{self.seed} {name}" for name in ("times", "people", "photos")))
        signals = _Signals(photos)
        for moment in self._moments(times):
            kinds = {kind for kind, start, end in self.incidents if start <= moment < end}
            if IncidentKind.GAP not in kinds:
                yield _make_row(moment, kinds, signals, photos, people)

    def _moments(self, choose: random.Random) -> Iterator[datetime]:
        """Draw the times of a Poisson process whose rate depends on the hour of the day."""
        for hour in range(self.days * 24):
            begin = self.start + timedelta(hours=hour)
            rate = self.photos_a_day * HOURS[begin.hour] / sum(HOURS)
            passed = choose.expovariate(rate)
            while passed < 1:
                yield begin + timedelta(hours=passed)
                passed += choose.expovariate(rate)


class _Signals:
    """Draws the signals of the shipped model's drift reference."""

    def __init__(self, choose: random.Random) -> None:
        card = read_card(SHIPPED)
        if card.reference is None:
            raise RuntimeError("the shipped model has no drift reference")
        self.version, self.input_size = card.version, card.input_size
        self._choose, self._histograms = choose, card.reference.signals
        self._totals = {name: list(accumulate(histogram.counts)) for name, histogram in self._histograms.items()}

    def draw(self, name: str, least: float, most: float) -> float:
        """Draw a value of a signal; `least` and `most` bound its first and its last bin."""
        histogram: Histogram = self._histograms[name]
        [number] = self._choose.choices(range(len(histogram.counts)), cum_weights=self._totals[name])
        ends = least, *histogram.edges, most
        return self._choose.uniform(ends[number], ends[number + 1])


def _make_row(
    moment: datetime, kinds: set[IncidentKind], signals: _Signals, choose: random.Random, people: random.Random
) -> Row:
    unreadable = people.random() < (1 / 3 if IncidentKind.UNREADABLE in kinds else UNREADABLE)
    row = _empty_row(moment, choose)
    row["model_version"] = f"{signals.version}-demo" if IncidentKind.NEW_VERSION in kinds else signals.version
    if unreadable:
        return row | {"error_type": "InvalidImage"}
    times = {IncidentKind.SLOW: 3.0, IncidentKind.STALLED: 100.0}
    factor = max((factor for kind, factor in times.items() if kind in kinds), default=1.0)
    row |= {"success": True, "inference_time_ms": MEAN_MS * factor * choose.lognormvariate(0, SPREAD)}
    row |= _photo(kinds, signals, choose) | _answer(kinds, signals, choose)
    return row | _feedback(row, kinds, people)


def _empty_row(moment: datetime, choose: random.Random) -> Row:
    """Return the row of a photo that could not be read, but for the reason."""
    names = "inference_time_ms proba_cat proba_dog neither_score filename user_feedback user_comment true_label"
    others = "feedback_at error_type width height brightness sharpness consent_id"
    return {
        **dict.fromkeys(f"{names} {others}".split()),
        "id": demo_id(choose.getrandbits(DEMO_ID_BITS)),
        "timestamp": moment,
        "created_at": moment,
        "success": False,
        "prediction_result": str(Answer.ERROR),
        "rgpd_consent": False,
    }


def _photo(kinds: set[IncidentKind], signals: _Signals, choose: random.Random) -> Row:
    """Return the statistics of a photo."""
    brightness = signals.draw("brightness", 0.2, 0.75) * (1 / 3 if IncidentKind.DARK_PHOTOS in kinds else 1)
    sharpness = signals.draw("sharpness", 0.001, 0.3) * (0.1 if IncidentKind.BLURRED_PHOTOS in kinds else 1)
    shorter = signals.draw("size", 100, signals.input_size + 1)
    if shorter >= signals.input_size:  # the signal ends there, but photos are larger
        shorter *= choose.uniform(1, 10)
    sides = [round(shorter), round(shorter * choose.choice(WIDTHS))]
    choose.shuffle(sides)
    return {"width": sides[0], "height": sides[1], "brightness": brightness, "sharpness": sharpness * brightness**2}


def _answer(kinds: set[IncidentKind], signals: _Signals, choose: random.Random) -> Row:
    """Return the answer, its probabilities and the "neither" score."""
    sure = choose.uniform(0.5, 0.6) if IncidentKind.UNSURE in kinds else signals.draw("confidence", 0.5, 1.0)
    neither = signals.draw("neither", 0, 1) >= 0.5
    if IncidentKind.OTHER_THINGS in kinds:
        neither = choose.random() < 0.5
    dog = signals.draw("answers", 0, 1) >= 0.5
    if IncidentKind.ONE_ANSWER in kinds:
        neither, dog = False, choose.random() < 0.03
    answer = Answer.NEITHER if neither else Answer.DOG if dog else Answer.CAT
    return {
        "prediction_result": str(answer),
        "proba_dog": sure if dog else 1 - sure,
        "proba_cat": 1 - sure if dog else sure,
        "neither_score": choose.uniform(0.6, 1) if neither else choose.uniform(0, 0.04),  # of pets, the median is 0.02
    }


def _feedback(row: Row, kinds: set[IncidentKind], choose: random.Random) -> Row:
    """Return the rating, if there is one, and sometimes the label of an answer that was wrong."""
    if choose.random() >= RATED:
        return {}
    satisfied = choose.random() < (0.25 if IncidentKind.DISSATISFIED in kinds else SATISFIED)
    label = None
    if not satisfied and choose.random() < 0.5:
        label = choose.choice([answer for answer in ("cat", "dog", "neither") if answer != row["prediction_result"]])
    later = timedelta(seconds=choose.uniform(5, 60))
    return {"user_feedback": int(satisfied), "true_label": label, "feedback_at": row["timestamp"] + later}
