"""Print every benchmark as one table: ``make bench``. Name some to run only these: ``ARGS="model records"``.

Each module of this folder measures one part: ``measure()`` returns its rows. Ratios compare two things in the same
run; absolute times are those of this machine. ``--tiny`` runs each in seconds, to see that it works; its figures are
meaningless.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from tests.benchmarks._measuring import benchmarks


def main() -> None:
    found = benchmarks()
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", metavar="benchmark", help=", ".join(found))
    parser.add_argument("--tiny", action="store_true", help="run in seconds; the figures mean nothing")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(found):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    console = Console()
    table = Table("benchmark", "what", "here", "ratio", title="catsdogs: measured in one run")
    for name in arguments.names or found:
        with console.status(f"measuring {name} ..."):
            for row in found[name](tiny=arguments.tiny):
                table.add_row(name, *row)
    console.print(table)


main()
