"""How soon the packaged alert rules find incidents at 190 photos a day, how soon they see the end, and what is false.

A month of incidents, one every three days from 9:00 to 12:00 on the next day, and a month without any, each after four
weeks of history; the rules are evaluated every 15 minutes of a simulated clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from catsdogs.alerting.alert import Measure
from catsdogs.alerting.evidence import SURE, Evidence, Mean, Share, Traffic
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.database import Database, setup
from catsdogs.demo.history import HOURS, PHOTOS_A_DAY, RATED, SPREAD, History, Incident, IncidentKind
from catsdogs.settings import Settings
from tests.alerting.replay import EXPECTED, Episode, delays, replay
from tests.benchmarks._measuring import Row

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR, STEP = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
LEAD = 28
SEEDS = 1, 2
"""Of the month of incidents, and of the one without."""


def measure(*, tiny: bool = False) -> list[Row]:
    """Replay both months."""
    first, lead = (START + 8 * DAY, 8) if tiny else (START + LEAD * DAY, LEAD)
    kinds = [IncidentKind.SLOW] if tiny else list(IncidentKind)
    incidents = [
        Incident(kind, first + (3 * number * DAY) + 9 * HOUR, first + (3 * number + 1) * DAY + 12 * HOUR)
        for number, kind in enumerate(kinds)
    ]
    step = 3 * HOUR if tiny else STEP
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        database = Database(Settings(_env_file=None, CATSDOGS_DATA_DIR=folder))
        setup.ensure(database)
        started = time.perf_counter()
        rules = load_rules()
        found = replay(database, History(START, lead + 3 * len(kinds) + 1, incidents, SEEDS[0]), rules, step, first)
        days = 1 if tiny else 30
        steady = replay(database, History(START, lead + days, (), SEEDS[1]), rules, step, first)
        seconds = time.perf_counter() - started
        database.close()
    rows = [_row(rule, found, steady, incidents) for rule in rules]
    evaluations = (3 * len(kinds) + 1 + days) * DAY / step
    return [*rows, Row("both replays", f"{seconds:.0f} s", f"{1000 * seconds / evaluations:.0f} ms an evaluation")]


def _row(rule: Rule, found: Sequence[Episode], steady: Sequence[Episode], incidents: Sequence[Incident]) -> Row:
    result = delays(rule.name, found, incidents)
    quiet = sum(episode.rule == rule.name for episode in steady)
    text = f"{EXPECTED[rule.name]}: fires after {_hours(result.fire)}, resolved after {_hours(result.resolve)}"
    return Row(rule.name, f"{text}; smallest change in 2 h: {_smallest(rule)}", f"false {result.false} + {quiet}")


def _hours(delay: timedelta | None) -> str:
    return "-" if delay is None else f"{delay / HOUR:.2f} h"


def _smallest(rule: Rule) -> str:
    """Return the smallest change that two hours of the day can show, where there is a formula."""
    photos = round(2 * PHOTOS_A_DAY * max(HOURS) / sum(HOURS))
    ratings, timed = round(photos * RATED), round(photos / 2)
    makes: dict[Measure, Callable[[int], Evidence]] = {
        Measure.TRAFFIC: lambda number: Traffic(number, 4 * photos, 4),
        Measure.SATISFACTION: lambda number: Share(number, ratings),
        Measure.ACCURACY: lambda number: Share(number, ratings),
        Measure.ERRORS: lambda number: Share(number, photos),
        Measure.LOW_CONFIDENCE: lambda number: Share(number, photos),
        Measure.ONE_ANSWER: lambda number: Share(number, photos),
        Measure.INFERENCE_TIME: lambda number: Mean(number / 20, number / 20 * SPREAD, timed),
        Measure.MEAN_TIME: lambda number: Mean(10.0 * number, 10.0 * number * SPREAD, timed),
    }
    make = makes.get(rule.measure)
    if make is None:
        return "-"
    falling = rule.below is not None
    counts = range(photos, -1, -1) if falling else range(1, 200)
    for number in counts:
        evidence = make(min(number, ratings) if rule.measure in (Measure.SATISFACTION, Measure.ACCURACY) else number)
        if evidence.value > 1 and rule.measure.is_share:
            break
        if rule.is_beyond(evidence.interval(SURE)[1 if falling else 0]):
            return f"{evidence.value:.2f} (limit {rule.limit:g})"
    return f"none (limit {rule.limit:g})"
