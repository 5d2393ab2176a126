"""Mutation testing: which small changes of the code do its tests not notice? `make mutation` runs it.

mutmut changes one place of a function at a time (an operator, a number, a text, an argument, a branch) and runs the
tests that call this function. It does not change values outside of functions; texts for people and log messages are
left out. All of it happens in a copy, which is deleted.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from mutmut.__main__ import _run as run_mutants
from mutmut.__main__ import collect_source_file_mutation_data, walk_mutatable_files
from mutmut.configuration import config, reset_config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name
from mutmut.workers.isolation import ForkServerRunner

from catsdogs.database import Database, embedded, postgres, setup
from catsdogs.settings import Settings

REPOSITORY = Path(__file__).parent.parent
MEMORY = 8 * 2**30
"""Bytes that a process may take: a loop that does not end may fill a list."""


class Area(NamedTuple):
    """Modules of the package, and the tests that guard them; those that start whole servers are left out."""

    modules: list[str]
    tests: list[str]


AREAS = {
    "records": Area(
        ["catsdogs/records/*"],
        ["tests/records", "--ignore=tests/records/test_outages.py", "--ignore=tests/records/test_silent_database.py"],
    ),
    "photos": Area(
        ["catsdogs/model/preprocessing.py", "catsdogs/model/photos/*"],
        ["tests/model/photos", "tests/model/test_preprocessing.py"],
    ),
    "kpis": Area(
        [
            f"catsdogs/monitoring/{name}.py"
            for name in (
                "kpis",
                "aggregates",
                "accuracy",
                "trends",
                "drift",
                "time_windows",
                "model_health",
                "*verdict",
            )
        ],
        ["tests/monitoring", "tests/database/test_roll_ups.py", "--ignore-glob=*chart*", "--ignore-glob=*csv*"],
    ),
    "alerts": Area(["catsdogs/alerting/*"], ["tests/alerting"]),
}


def main() -> None:
    """Try a sample of the mutants of an area, and print the score and what survived."""
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("mutants", nargs="*", help="try these again, by their names, instead of a sample")
    parser.add_argument("--sample", type=int, default=60, help="number of mutants, default 60")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws another sample, default 0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catsdogs-mutation-") as folder:
        copy_repository(Path(folder))
        os.chdir(folder)
        configure(AREAS[options.area])
        for path in walk_mutatable_files():
            path.write_text(move_decorators(path.read_text(encoding="utf-8")), encoding="utf-8")
        names = options.mutants or random.Random(options.seed).sample(mutant_names(), options.sample)
        server = start_postgresql(Path(folder))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        # the tests have just passed once, when mutmut looked which functions they call
        ForkServerRunner.run_clean_tests = lambda *_, **__: 0
        try:
            run_mutants(names, max_children=1)
        except SystemExit:
            failed = Path("mutants/.pytest_cache/v/cache/lastfailed")
            print("Before a mutant was tried, this failed:", failed.read_text() if failed.exists() else "see above")
            raise
        finally:
            server.stop()
        print_results(names)


def start_postgresql(folder: Path) -> embedded.EmbeddedServer:
    """Start the server that all mutants use, with a migrated database that the tests copy."""
    server = embedded.EmbeddedServer(folder)
    server.start()
    address = {"HOST": str(server.socket_dir), "PORT": str(postgres.PORT), "USER": embedded.USER, "NAME": "template"}
    os.environ |= {f"TEST_DB_{name}": value for name, value in address.items()}
    settings: dict[str, Any] = {f"db_{name.lower()}": value for name, value in address.items()}
    database = Database(Settings(_env_file=None, **settings, CATSDOGS_DATA_DIR=folder))
    setup.ensure(database)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    database.close()
    for name in [name for name in sys.modules if name.startswith("catsdogs")]:
        del sys.modules[name]  # the tests import the copy
    return server


def configure(area: Area) -> None:
    """Set what depends on the area; the rest of mutmut's configuration is in `pyproject.toml`."""
    reset_config()
    settings = config()
    settings.only_mutate = area.modules
    settings.also_copy = [path for path in Path().iterdir() if path.name != "catsdogs"]
    # one server runs for all mutants
    settings.pytest_add_cli_args_test_selection = [*area.tests, "-k", "not embedded"]


def copy_repository(folder: Path) -> None:
    """Copy the repository with what is not committed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=REPOSITORY, text=True).split("\0"):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)


def move_decorators(source: str) -> str:
    """Write ``name = decorator(name)`` below functions instead of ``@decorator``: mutmut leaves out decorated ones."""
    lines = source.splitlines()
    tree = ast.parse(source)
    for scope in [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]:
        for function in scope:
            if isinstance(function, ast.FunctionDef) and function.decorator_list and function.end_lineno:
                first, indent = function.decorator_list[0].lineno - 1, " " * function.col_offset
                names = [ast.unparse(decorator) for decorator in function.decorator_list]
                lines[first : function.lineno - 1] = [""] * (function.lineno - 1 - first)
                lines[function.end_lineno - 1] += (
                    f"\n{indent}{function.name} = {'('.join(names)}({function.name}{')' * len(names)}"
                )
    return "\n".join(lines) + "\n"


def mutant_names() -> list[str]:
    """Return the names of all mutants of the area."""
    return [
        get_mutant_name(path, name)
        for path in sorted(walk_mutatable_files())
        for name in mutate_file_contents(str(path), path.read_text(encoding="utf-8")).mutant_names
    ]


def print_results(names: list[str]) -> None:
    """Print how many mutants the tests noticed, and the others as differences."""
    found, _ = collect_source_file_mutation_data(mutant_names=names)
    statuses = {name: status_by_exit_code[result] for _, name, result in found}
    for name in sorted(statuses):
        if statuses[name] not in ("killed", "timeout", "check was interrupted by user"):
            print(f"\n{name}: {statuses[name]}\n{get_diff_for_mutant(name)}")
    print(dict(Counter(statuses.values())), f"of {len(statuses)}")


if __name__ == "__main__":
    main()
