"""The help of every command fits the terminal, and breaks its lines nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import catsdogs.cli  # registers the commands
from catsdogs.cli.app import app

assert catsdogs.cli


def commands(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(node, "commands", {}).items():
        yield from commands(command, (*path, name))


@pytest.mark.parametrize("width", [60, 80])
def test_help_has_no_ragged_lines(width: int) -> None:
    found = list(commands(typer.main.get_command(app)))
    assert len(found) > 20
    for path in found:
        terminal = {"COLUMNS": f"{width}", "NO_COLOR": "1"}
        result = CliRunner().invoke(app, [*path, "--help"], env=terminal)
        assert result.exit_code == 0
        lines = result.output.splitlines()
        assert max(map(len, lines)) <= width
        text = [line.strip() for line in lines]
        for line, after in pairwise(text):
            if line and after and "╭" not in line + after and "│" not in line + after:
                assert len(line) + 1 + len(after.split()[0]) > width - 2, (path, line, after)
