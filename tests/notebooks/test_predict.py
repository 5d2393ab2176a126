"""The prediction app's notebook outside our server: papermill."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

from catsdogs.files import notebooks

NOTEBOOK = notebooks() / "apps" / "predict.ipynb"


def test_papermill_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where it starts a database
    done = papermill.execute_notebook(str(NOTEBOOK), "done.ipynb", progress_bar=False, kernel_name="python3")
    [shown] = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]


def test_it_is_short_and_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert notebook.cells[0].source.startswith("# ")
    assert sum(len(cell.source.splitlines()) for cell in code) <= 10
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    assert "widgets" not in notebook.metadata  # saved widget state may hold a photo
