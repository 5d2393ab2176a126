"""notebooks/jobs/train.ipynb, as papermill runs it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import papermill
import pytest

from catsdogs.files import notebooks
from catsdogs.model.classifier import Classifier
from catsdogs.reporting.page import PLOTLY_TYPE
from tests.textures import draw_textures

SMALL_INPUT = """
from functools import partial
from catsdogs.training import options
from catsdogs.training.architectures import LITE0
options.TrainingOptions = partial(options.TrainingOptions, architecture=LITE0, input_size=64)
"""
"""What the kernel runs first: a fiftieth of the default's work for each photo."""


def test_the_notebook_trains_with_the_same_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    textures, others = tmp_path / "textures", tmp_path / "others"
    draw_textures(textures, 24)
    draw_textures(others, 24, seed=1)
    monkeypatch.setenv("CATSDOGS_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "startup.py").write_text(SMALL_INPUT)
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    papermill.execute_notebook(
        str(notebooks() / "jobs" / "train.ipynb"),
        str(tmp_path / "done.ipynb"),
        parameters={"photos": str(textures), "version": "n1", "validate": [str(others)]},
        kernel_name="python3",
        progress_bar=False,
    )
    card = Classifier.open(tmp_path / "data" / "models" / "n1").card
    assert card.metrics[others.name].errors == 0
    *command, parameters = shlex.split(str(card.training["command"]))
    assert command == ["papermill", "train.ipynb", "done.ipynb", "-y"]
    assert json.loads(parameters) == {
        "photos": str(textures), "validate": [str(others)], "with_feedback": False, "output": "", "version": "n1"
    }  # fmt: skip
    cells = json.loads((tmp_path / "done.ipynb").read_text())["cells"]
    shown = [
        output["data"]
        for cell in cells
        if cell["cell_type"] == "code"
        for output in cell["outputs"]
        if "data" in output
    ]
    logged = [output for cell in cells for output in cell.get("outputs", []) if output["output_type"] == "stream"]
    assert logged == [], "nor does TensorFlow write there"
    [markdown] = [data["text/markdown"] for data in shown if "text/markdown" in data]
    assert "# Model n1" in "".join(markdown)
    assert all("Plotly.newPlot" in "".join(data["text/html"]) for data in shown if PLOTLY_TYPE in data), "for nbconvert"
    figures = [data[PLOTLY_TYPE]["layout"]["title"]["text"] for data in shown if PLOTLY_TYPE in data]
    assert figures == [
        "Dogs found, against cats taken for dogs (ROC)",
        "Share of right answers, by confidence (reliability)",
        "Labels and answers (confusion matrix)",
        "Would more photos help?",
        "The worst mistakes",
    ]
