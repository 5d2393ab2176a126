"""The messages of `make` before Python runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
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


def test_train_without_a_folder_explains_the_argument_before_anything_is_installed(checkout: Path) -> None:
    done = make(checkout, "train")
    assert done.returncode != 0
    assert len(done.stdout.splitlines()) == 1
    assert "make train FOLDER=photos" in done.stdout


def test_audit_says_where_pypi_cannot_be_asked(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (checkout / ".venv" / ".everything").touch()
    done = make(checkout, "audit", https_proxy="http://127.0.0.1:9")  # nothing listens there
    assert done.returncode != 0
    assert done.stdout == (
        "PyPI cannot be asked for vulnerabilities from here: https://pypi.org/pypi/pip/json does not answer.\n"
    )
    assert "Traceback" not in done.stderr


PRETENDS = """
case "$*" in
  "-m venv --clear .venv")
    mkdir -p .venv/bin; cp "$0" .venv/bin/python
    echo "command = python3 -m venv --clear $(pwd -P)/.venv" > .venv/pyvenv.cfg; echo "makes an environment";;
  *"pip install"*|*"--quiet install"*) echo "installs, PIP_USER=$PIP_USER";;
  *"catsdogs serve"*) echo "serves: $*";;
esac
"""
"""A Python that makes environments, installs and serves in appearance only."""


def test_an_environment_is_made_once_and_again_where_the_clone_was_moved(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = python_that(tmp_path_factory.mktemp("python"), PRETENDS)
    clone = checkout / "mes données été"
    clone.mkdir()
    for file in [path for path in checkout.iterdir() if path.is_file()]:
        file.rename(clone / file.name)

    def app(folder: Path) -> list[str]:
        done = make(folder, "app", python, "PORT=9000", PIP_USER="1")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    serves = "serves: -m catsdogs serve --host 127.0.0.1 --port 9000"
    first = app(clone)
    assert first[-1] == serves
    assert "installs, PIP_USER=0" in first
    assert app(clone) == [serves]
    moved = clone.rename(checkout / "elsewhere")
    again = app(moved)
    assert again[0] == "This folder was moved or copied: its environment is made again."
    assert again[-1] == serves
    assert app(moved) == [serves]
