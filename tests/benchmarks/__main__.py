"""Print every benchmark as one table: ``make bench``. Name one to run it alone: ``ARGS=model``.

Each module of this folder measures one room: ``measure()`` gives rows ``(what, value, ratio)``. Ratios
compare two things in the same run; absolute times are those of this machine.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

from rich.console import Console
from rich.table import Table

import tests.benchmarks


def main(wanted: list[str]) -> None:
    names = [module.name for module in pkgutil.iter_modules(tests.benchmarks.__path__) if module.name[0] != "_"]
    if unknown := set(wanted) - set(names):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names)}")
    console = Console()
    table = Table("benchmark", "what", "here", "ratio", title="catsdogs: measured in one run")
    for name in wanted or names:
        with console.status(f"measuring {name} ..."):
            for what, value, ratio in importlib.import_module(f"tests.benchmarks.{name}").measure():
                table.add_row(name, what, value, ratio)
    console.print(table)


main(sys.argv[1:])
