"""All benchmarks run at a tiny size, in which their figures are meaningless."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.benchmarks import visits
from tests.benchmarks._measuring import benchmarks
from tests.serving import CHROMIUM, browser_path
from tests.skipping import skip_without

REPOSITORY = Path(__file__).parent.parent
BENCHMARKS = benchmarks()


@pytest.mark.skipif("CATSDOGS_TEST_BENCHMARKS" not in os.environ, reason="takes minutes: set CATSDOGS_TEST_BENCHMARKS")
def test_all_benchmarks_run() -> None:
    if browser_path() is None:
        skip_without("chromium", CHROMIUM)
    # in a process of its own, as `make bench` runs them: the browser of the other tests allows no second one
    command = [sys.executable, "-m", "tests.benchmarks", "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    rows = Counter(re.findall(r"^│ (\w+) +│ \S", done.stdout, re.MULTILINE))
    assert rows.keys() == BENCHMARKS.keys()
    assert min(rows.values()) >= 3, done.stdout


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
