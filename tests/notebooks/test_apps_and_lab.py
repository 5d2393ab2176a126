"""The monitoring app and the analyst's notebooks in papermill, and with the prediction app in nbval."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from traitlets.config import Config

from catsdogs.files import notebooks
from catsdogs.monitoring.charts import CHARTS

MONITORING = notebooks() / "apps" / "monitoring.ipynb"
PREDICT = notebooks() / "apps" / "predict.ipynb"
EXPLORE = notebooks() / "lab" / "explore.ipynb"
REVIEW = notebooks() / "lab" / "review.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Execute a notebook on the database of the test; return the outputs of its cells by type."""

    def run(notebook: Path) -> list[dict[str, Any]]:
        monkeypatch.chdir(tmp_path)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        config = Config(KernelManager={"transport": "ipc"})
        done = papermill.execute_notebook(
            str(notebook), "done.ipynb", progress_bar=False, kernel_name="python3", config=config
        )
        outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
        assert [output for output in outputs if output.output_type == "stream"] == []
        return [output.data for output in outputs]

    return run


def test_the_monitoring_app_is_one_widget(filled: None, run: Any) -> None:
    [shown] = run(MONITORING)
    assert WIDGET in shown


def test_an_analyst_sees_predictions_figures_charts_slices_and_health(filled: None, run: Any) -> None:
    table, days, figures, *rest = run(EXPLORE)
    charts, slices, health = rest[: len(CHARTS)], rest[len(CHARTS) : -3], rest[-3:]
    hours, bands, bright, sharp, estimate = slices
    assert "test-1" in table["text/html"]
    assert "chelsea.jpg" not in table["text/html"]
    assert [int(n) for n in re.findall(r"-\d\d +(\d+)", days["text/plain"])] == [1, 10]  # two weeks ago, yesterday
    assert "'total_predictions': 11" in figures["text/plain"]
    assert [PLOTLY in shown for shown in [*charts, *health]] == [True] * (len(CHARTS) + 3)
    assert re.search(r"^12 +10 ", hours["text/plain"], re.MULTILINE)  # all but the one that could not be read
    assert re.search(r"\(0\.4, 0\.6\] .* 9$", bright["text/plain"], re.MULTILINE)
    assert re.search(r"\(0\.005, 0\.02\] .* 9$", sharp["text/plain"], re.MULTILINE)
    assert "'judged': 0.75" in estimate["text/plain"]
    by_hand, estimated = re.findall(r"CBPE[^:]*: ([0-9.]+)", estimate["text/plain"])
    assert float(by_hand) == pytest.approx(float(estimated))
    assert "(0.75, 0.95]   0.75      4" in bands["text/plain"]  # 3 of 4 cats of 90 %


def test_the_review_is_one_widget_and_counts(filled: None, run: Any) -> None:
    widget, counts = run(REVIEW)
    assert WIDGET in widget
    assert counts["text/plain"] == "{'waiting': 0, 'cat': 0, 'dog': 0, 'neither': 0, 'left_out': 0}"


def test_nbval_runs_them_on_an_empty_database(environment: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env"]
    command += [str(MONITORING), str(EXPLORE), str(REVIEW), str(PREDICT)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "16 passed" in done.stdout


@pytest.mark.parametrize("notebook", [MONITORING, EXPLORE, REVIEW], ids=lambda path: path.stem)
def test_it_reads_well_and_is_stored_without_outputs(notebook: Path) -> None:
    stored = nbformat.read(notebook, as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert stored.cells[0].source.startswith("# ")
    assert max(len(cell.source.splitlines()) for cell in code) <= 12
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert "widgets" not in stored.metadata
    assert stored.metadata.kernelspec.name == "python3"
