"""Time from ``catsdogs serve`` to the first response."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks._measuring import Row
from tests.serving import served

REPEATS = 5


def measure(*, tiny: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        first, _ = seconds(Path(folder))
        later = [seconds(Path(folder)) for _ in range(1 if tiny else REPEATS)]
    warm = statistics.median(start for start, _ in later)
    stop = statistics.median(stop for _, stop in later)
    return [
        Row("first start, which makes the database", f"{first:.2f} s"),
        Row("later starts", f"{warm:.2f} s", f"{warm / first:.2f} x the first"),
        Row("SIGTERM to the end, without load", f"{stop:.2f} s", f"{stop / warm:.2f} x a start"),
    ]


def seconds(folder: Path) -> tuple[float, float]:
    """Return the seconds of a start and of a stop."""
    begun = time.perf_counter()
    with served(folder):
        ready = time.perf_counter()
    return ready - begun, time.perf_counter() - ready
