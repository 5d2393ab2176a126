"""``catsdogs evaluate``, as a shell calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call the command in an empty folder, with no setting in the environment."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "catsdogs", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return call


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_metrics_are_one_json_object(run: Run, tmp_path: Path, cat_jpeg: bytes) -> None:
    for name in ("set/cat/a.jpg", "set/cat/b.jpg", "set/dog/mislabelled.jpg", "set/dog/broken.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no photo" if "broken" in name else cat_jpeg)
    done = run("evaluate", "set", "--json")
    assert done.returncode == 0, done.stderr
    (figures,) = lines(done)
    assert figures.keys() >= {"n", "errors", "refused", "accuracy", "log_loss", "ece", "auroc"}
    assert (figures["n"], figures["errors"], figures["refused"], figures["unreadable"]) == (3, 1, 0, 1)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["auroc"] == pytest.approx(0.5)


def test_a_folder_without_labels_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    done = run("evaluate", "set")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cat/, dog/ or neither/" in done.stderr
