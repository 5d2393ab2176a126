"""The layout of the package and of its tests: few loose modules, short modules and functions, tests by name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "catsdogs"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LOOSE_MODULES = 10
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 50
"""Largest number of lines of a function, without its docstring."""

LONG_FUNCTIONS = {
    "database/migrations/versions/0001_tables.py upgrade": "all tables of version 1",
}

CROSS_CUTTING = {
    "browser": "the apps in a browser, through all packages",
    "notebooks": "the notebooks, which are outside of the package",
    "fuzz": "the decoders, with files that are made to break them",
    "database/test_full_disk.py": "the server and the recorder while the disk is full",
    "database/test_indexes.py": "the plans of the queries of all packages",
    "database/test_tls.py": "the settings, the engine and PostgreSQL itself",
    "records/test_silent_database.py": "the whole service while the database is locked, frozen or cut off",
    "server/test_silent_database.py": "the whole server while the database is frozen",
    "alerting/test_replay.py": "the packaged rules on made-up history, by a simulated clock",
    "records/test_outages.py": "the whole server while the database cannot be reached",
    "server/api/test_alerts.py": "alerts of a running server, from its clock to its route",
    "server/api/test_bombs.py": "pictures of many pixels, from the route to the decoder",
    "server/api/test_generated_client.py": "the OpenAPI description, by a client that is generated from it",
    "server/api/test_prometheus_rules.py": "the rules for Prometheus, with Prometheus' own tool",
    "server/test_nginx.py": "the configuration file for nginx, with nginx itself",
    "server/test_prefix.py": "addresses, redirects and cookies of all pages under a prefix",
    "server/voila/test_plain_voila.py": "the notebooks under Voilà without our server",
    "service/test_consent.py": "every way through the service on which personal data is stored",
    "service/test_contract.py": "the two implementations of the service side by side",
    "service/test_supported_systems.py": "the console script and the service where no Unix is",
    "service/test_data_controller.py": "the name of the data controller, in each process",
    "test_backup.py": "the commands of the guide for backups",
    "test_benchmarks.py": "the benchmarks, beside this file",
    "test_layout.py": "the package as a whole",
    "test_makefile.py": "the Makefile",
    "test_packaging.py": "the files around the package",
    "test_readme.py": "the README",
    "test_schedules.py": "the README's examples for schedulers",
    "test_skipping.py": "a helper of the tests, beside this file, and what CI runs",
    "test_waiting.py": "a helper of the tests, beside this file",
    "widgets/test_thin_kernel.py": "the imports of a session's kernel",
}
"""Tests that have no module of their name, and what they test."""


def test_few_modules_lie_outside_of_a_package() -> None:
    loose = [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
    assert len(loose) <= MOST_LOOSE_MODULES, loose


def test_no_two_public_classes_have_the_same_name() -> None:
    modules = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(str(path.relative_to(REPOSITORY)))
    assert len(modules) > 100
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_a_test_has_the_folder_and_the_name_of_its_module() -> None:
    misplaced = []
    for path in (REPOSITORY / "tests").rglob("test_*.py"):
        name = path.relative_to(REPOSITORY / "tests")
        tested = PACKAGE / name.parent / path.stem.removeprefix("test_")
        known = name.as_posix() in CROSS_CUTTING or name.parts[0] in CROSS_CUTTING
        if not (known or tested.is_dir() or tested.with_suffix(".py").is_file()):
            misplaced.append(name.as_posix())
    assert misplaced == []


@pytest.mark.parametrize("name", CROSS_CUTTING)
def test_a_listed_test_exists_and_has_no_module_of_its_name(name: str) -> None:
    path = REPOSITORY / "tests" / name
    assert path.exists()
    assert not (PACKAGE / Path(name).parent / path.name.removeprefix("test_")).exists()


def test_modules_are_short() -> None:
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {str(path): n for path, n in lengths.items() if n > MOST_LINES_OF_A_MODULE} == {}


def test_functions_are_short() -> None:
    long = {
        f"{path.relative_to(PACKAGE).as_posix()} {name}": lines
        for path in MODULES
        for name, lines in functions(path)
        if lines > MOST_LINES_OF_A_FUNCTION
    }
    assert set(long) == set(LONG_FUNCTIONS), long


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the functions of a module with their number of lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first, *others = node.body
            documented = ast.get_docstring(node) is not None and others
            body = others[0] if documented else first
            assert node.end_lineno
            yield node.name, node.end_lineno - body.lineno + 1 + (node.body[0].lineno - node.lineno)
