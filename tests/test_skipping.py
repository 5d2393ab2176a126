"""What happens where a browser is missing: what `.ci/run` says and requires, and the reason of a skipped test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.webdriver import missing_packages
from tests.skipping import REQUIRED, skip_without

CI = Path(__file__).parent.parent / ".ci" / "run"


MAKE = f"case $1 in test) echo make test with ${REQUIRED};; lint) echo linted;; *) echo make $1;; esac"


def run_ci(folder: Path, *programs: str, known: str, make: str = MAKE, code: int = 0) -> str:
    """Run a copy of ``.ci/run`` where only these programs are; apt knows the packages `known`, and installs none."""
    scripts = {
        "apt-get": "case $1 in install) shift 4; echo asked for $* >&2; exit 100;; esac",
        "apt-cache": f"case $2 in {known}) ;; *) exit 100;; esac",
        "make": make,
        "id": "echo 0",
    }
    for name in ("bash", "env", "cat", "tee", "tail", "mktemp", "rm", "dirname", "sed"):
        (folder / name).symlink_to(shutil.which(name) or "")
    for name in (*scripts, *programs):
        (folder / name).write_text(f"#!/bin/sh\n{scripts.get(name, '')}\n")
        (folder / name).chmod(0o755)
    (folder / "copy").mkdir()
    script = CI.read_text().replace("PATH=$PATH:/usr/sbin", "")
    (folder / "copy" / "run").write_text(script)
    command = [str(folder / "bash"), str(folder / "copy" / "run")]
    done = subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr + done.stdout


FAILED_BEFORE = "case $* in test) echo 1 failed, 2 passed; echo make: Error 1; exit 2;; esac; echo make $*"


@pytest.mark.parametrize(("fails_again", "code"), [("", 0), ("; case $* in test*) exit 2;; esac", 2)])
def test_ci_tries_what_failed_once_more_and_fails_where_it_fails_again(
    tmp_path: Path, fails_again: str, code: int
) -> None:
    said = run_ci(tmp_path, "google-chrome", known="*", make=FAILED_BEFORE + fails_again, code=code).splitlines()
    again = said.index("What failed is tried once more, alone; it must pass then.")
    assert said[again + 1].startswith("make test ARGS=--numprocesses 0 --last-failed")
    assert (said[-1] == "1 failed, 2 passed") is (code == 0)


def test_ci_fails_where_the_linters_find_something(tmp_path: Path) -> None:
    make = "case $1 in lint) echo a line is too long; exit 1;; esac; echo make $*"
    said = run_ci(tmp_path, "google-chrome", known="*", make=make, code=1).splitlines()
    assert said[-2:] == ["a line is too long", "The linters found what is above."]


def test_ci_requires_each_browser_that_is_there(tmp_path: Path) -> None:
    programs = "google-chrome chromium-headless-shell firefox-esr WebKitWebDriver Xvfb nginx node npm"
    said = run_ci(tmp_path, *programs.split(), known="*")
    assert said.splitlines()[-2:] == ["make test with chromium,firefox,webkit"] * 2


def test_ci_says_which_browsers_cannot_be_had_and_requires_the_others(tmp_path: Path) -> None:
    said = run_ci(tmp_path, "WebKitWebDriver", known="chromium|xvfb")
    lines = said.splitlines()
    missing = "chromium chromium-headless-shell firefox-esr xvfb nginx-light nodejs npm pgbouncer"
    assert lines.pop(2).startswith(f"Not all of these packages could be installed: {missing}")  # and perhaps a library
    assert lines[:7] == [
        "asked for chromium xvfb",
        "make .venv/.everything",
        "No firefox-esr: the tests in Firefox are skipped.",
        "No webkit2gtk-driver or xvfb: the tests in WebKit are skipped.",
        "No nginx: the test of replicas is skipped.",
        "No nodejs or npm: the test that builds the front end is skipped.",
        "make test with chromium",
    ]


def test_a_skipped_test_names_the_packages_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(REQUIRED, "chromium")
    with pytest.raises(pytest.skip.Exception, match="no webkit: install webkit2gtk-driver and xvfb"):
        skip_without("webkit", " and ".join(missing_packages("webkit")))
    assert missing_packages("firefox") == ["firefox-esr"]


def test_a_required_browser_that_is_missing_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED, "chromium,firefox")
    with pytest.raises(pytest.fail.Exception, match=f"no firefox: install firefox-esr \\({REQUIRED} names it\\)"):
        skip_without("firefox", "firefox-esr")
