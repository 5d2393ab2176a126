"""Each benchmark runs at a tiny size, in which its figures are meaningless."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import visits
from tests.benchmarks._measuring import benchmarks
from tests.serving import CHROMIUM, browser_path
from tests.skipping import skip_without

REPOSITORY = Path(__file__).parent.parent
BENCHMARKS = benchmarks()
BROWSER = {"answers", "monitoring", "sessions", "visits"}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs(name: str) -> None:
    if name in BROWSER and browser_path() is None:
        skip_without("chromium", CHROMIUM)
    # in a process of its own, as `make bench` runs it: the browser of the other tests allows no second one
    command = [sys.executable, "-m", "tests.benchmarks", "--tiny", name]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(rf"^│ {name} +│ \S", done.stdout, re.MULTILINE)) >= 3, done.stdout


def test_the_apps_of_other_frameworks_start() -> None:
    if not visits.PYTHON.exists():
        pytest.skip("Gradio and Streamlit are not installed: `make bench` does it")
    with visits.other_frameworks() as apps:
        assert len(apps) == 2


def test_an_unknown_benchmark_is_refused() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "model", "speed"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no benchmark speed; there are: " + ", ".join(BENCHMARKS) in done.stderr
