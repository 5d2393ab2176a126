"""How soon the packaged alert rules find incidents at 190 photos a day, how soon they see the end, and what is false.

For each seed, a month of incidents, one every three days from 9:00 to 12:00 on the next day, and a month without any,
each after four weeks of history; the rules are evaluated every 15 minutes of a simulated clock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.demo.history import History, Incident, IncidentKind
from tests.alerting.replay import EXPECTED, Episode, delays
from tests.alerting.running_sums import replay_in_memory
from tests.benchmarks._least_delay import least_delay
from tests.benchmarks._measuring import Row
from tests.benchmarks._smallest_change import smallest_change

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR, STEP = timedelta(days=1), timedelta(hours=1), timedelta(minutes=15)
LEAD = 28
BEGINS = 9 * HOUR
"""Time of the day at which incidents begin."""
SEEDS = range(31, 39)
"""Of the months of incidents; those of the months without any are larger by :data:`OTHERS`. The rules were chosen on
the seeds 1 to 28."""
OTHERS = 1000


def measure(*, tiny: bool = False) -> list[Row]:
    """Replay both months for each seed."""
    lead, days, step = (8, 1, 3 * HOUR) if tiny else (LEAD, 30, STEP)
    first, kinds = START + lead * DAY, [IncidentKind.SLOW] if tiny else list(IncidentKind)
    incidents = [
        Incident(kind, first + (3 * number * DAY) + BEGINS, first + (3 * number + 1) * DAY + 12 * HOUR)
        for number, kind in enumerate(kinds)
    ]
    rules, started = load_rules(), time.perf_counter()
    seeds = SEEDS[:1] if tiny else SEEDS
    found, steady = [], []
    for seed in seeds:
        history = History(START, lead + 3 * len(kinds) + 1, incidents, seed)
        found.append(replay_in_memory(history, rules, step, first))
        steady.append(replay_in_memory(History(START, lead + days, (), seed + OTHERS), rules, step, first))
    seconds = time.perf_counter() - started
    rows = [_row(rule, found, steady, incidents) for rule in rules]
    false = sum(delays(rule.name, episodes, incidents).false for rule in rules for episodes in found)
    months = f"{2 * len(seeds)} months"
    total = Row("all rules", f"false firings: {false + sum(map(len, steady))} in {months}")
    return [*rows, total, Row("replay", f"{months} in {seconds:.0f} s")]


def _row(
    rule: Rule, found: Sequence[list[Episode]], steady: Sequence[list[Episode]], incidents: Sequence[Incident]
) -> Row:
    results = [delays(rule.name, episodes, incidents) for episodes in found]
    fire, resolve = ([getattr(result, name) for result in results] for name in ("fire", "resolve"))
    least = f"least that the figures allow: {least_delay(rule, BEGINS // HOUR):.2f} h"
    seen = f"smallest change in 2 h: {smallest_change(rule, 2 * HOUR)}, in a day: {smallest_change(rule, DAY)}"
    if rule.slow > DAY:
        seen += f", in a week: {smallest_change(rule, 7 * DAY)}"
    text = f"{EXPECTED[rule.name]}: fires after {_hours(fire)} ({least}), resolved after {_hours(resolve)}"
    quiet = sum(episode.rule == rule.name for month in steady for episode in month)
    return Row(
        rule.name,
        f"{text}; {seen} (limit {rule.limit:g})",
        f"false {sum(result.false for result in results)} + {quiet}",
    )


def _hours(found: Sequence[timedelta | None]) -> str:
    """Return the median with the least and the longest delay."""
    delays = sorted(delay / HOUR for delay in found if delay is not None)
    if len(delays) < len(found):
        return f"- in {len(found) - len(delays)} of {len(found)}"
    return f"{median(delays):.2f} h ({delays[0]:.2f} to {delays[-1]:.2f})"
