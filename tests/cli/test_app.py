"""What all commands share: their help, and what they say when the disk is full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import catsdogs.cli  # registers the commands
from catsdogs.cli.app import app
from tests import command as in_process

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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_to_a_full_disk_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "catsdogs", "model", "list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (
        1,
        "catsdogs: No space left on device. Make room on the disk, and repeat the command.\n",
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device", "a/file"), "No space left on device (a/file)."),
        (FileNotFoundError(2, "No usable temporary directory found"), "No usable temporary directory found."),
        (FileNotFoundError(2, "No such file or directory", "a/file"), None),
        (OSError(5, "Input/output error"), None),
    ],
)
def test_only_a_full_disk_is_said_in_one_sentence(
    error: OSError, sentence: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("catsdogs.settings.Settings.load", fails)
    if sentence is None:
        with pytest.raises(OSError, match=r"\[Errno (2|5)\]"):
            in_process.catsdogs("db", "check", environment={}, folder=tmp_path)
    else:
        done = in_process.catsdogs("db", "check", environment={}, folder=tmp_path)
        expected = f"catsdogs: {sentence} Make room on the disk, and repeat the command.\n"
        assert (done.returncode, done.stderr) == (1, expected)
