"""Commands in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.command import catsdogs

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call the command in an empty folder, with no setting in the environment."""
    return partial(catsdogs, environment={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, folder=tmp_path)


@pytest.fixture
def run_process(tmp_path: Path) -> Run:
    """Call the command as `run` does, in a process of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "catsdogs", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return call


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]
