"""The messages of `make` before Python runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of a checkout that `make` reads before it installs anything."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def python_that(folder: Path, script: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_help_lists_every_task() -> None:
    tasks = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    listed = re.findall(r"^  make (\S+) +\S", make(REPOSITORY, "help").stdout, re.MULTILINE)
    assert listed == tasks


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param(None, "catsdogs needs Python 3.11 or later. Install it", id="no Python"),
        pytest.param(
            "case $1 in -c) exit 1;; -V) echo Python 3.8.0;; esac",
            "catsdogs needs Python 3.11 or later; this one is Python 3.8.0.",
            id="an old one",
        ),
        pytest.param(
            "case $1 in -c) exit 0;; *) echo No module named ensurepip >&2; exit 1;; esac",
            "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv",
            id="no venv",
        ),
    ],
)
def test_a_missing_requirement_is_reported_in_one_sentence(checkout: Path, script: str | None, sentence: str) -> None:
    before = sorted(checkout.iterdir())
    python = "PYTHON=no-such-python" if script is None else python_that(checkout, script)
    done = make(checkout, "app", python)
    assert done.returncode != 0
    assert sentence in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert sorted(path for path in checkout.iterdir() if path.name != "python") == before


def test_train_without_a_folder_explains_the_argument() -> None:
    done = make(REPOSITORY, "train", "--old-file=.venv/.everything")
    assert done.returncode != 0
    assert "make train FOLDER=photos" in done.stdout
