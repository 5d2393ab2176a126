"""Helpers of all benchmarks."""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import tests.benchmarks


class Row(NamedTuple):
    """A line of the table of ``make bench``."""

    what: str
    value: str
    ratio: str = ""


class Benchmark(Protocol):
    """The function ``measure`` of each module: with `tiny`, it only shows that it works."""

    def __call__(self, *, tiny: bool = False) -> list[Row]: ...


def benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks by name. Their modules are imported when they are called."""

    def of(name: str) -> Benchmark:
        def measure(*, tiny: bool = False) -> list[Row]:
            rows: list[Row] = importlib.import_module(f"tests.benchmarks.{name}").measure(tiny=tiny)
            return rows

        return measure

    names = [module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__)]
    return {name: of(name) for name in names if not name.startswith("_")}


def seconds(work: Callable[[], object]) -> float:
    """Measure one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
