"""Notebooks check the parameters that papermill passes: their first cells run here, in IPython."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from catsdogs.errors import InvalidInput
from catsdogs.files import notebooks

REPORT, TRAIN = "report", "train"
GIVEN = {REPORT: {}, TRAIN: {"photos": "photos"}}


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    """The shell in which a kernel runs cells."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: Any) -> Any:
    """Run a notebook up to its check of the parameters; return the exception of the check."""

    def run(name: str, parameters: dict[str, Any]) -> Any:
        notebook = load_notebook_node(str(notebooks() / "jobs" / f"{name}.ipynb"))
        if parameters:
            notebook = parameterize_notebook(notebook, parameters)
        shell.reset(new_session=True)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                done = shell.run_cell(cell.source, store_history=True, silent=False)
                if "check_parameters" in cell.source:
                    return done.error_in_exec
        raise AssertionError("the notebook checks nothing")

    return run


@pytest.mark.parametrize(
    ("notebook", "parameters"),
    [
        (REPORT, {}),
        (REPORT, {"start": "2026-11-01", "end": "2026-11-02", "language": "fr"}),
        (TRAIN, {"photos": "photos", "validate": ["val"], "with_feedback": True, "output": "out", "version": "2.0"}),
    ],
)
def test_the_parameters_of_the_notebooks_are_accepted(run: Any, notebook: str, parameters: dict[str, Any]) -> None:
    assert run(notebook, parameters) is None


@pytest.mark.parametrize(
    ("notebook", "parameters", "sentence"),
    [
        (REPORT, {"strat": "2026-11-01"}, "There is no parameter strat. There are: start, end, language."),
        (REPORT, {"start": 20261101}, "start must be text, not 20261101. Papermill takes it for text with -r."),
        (REPORT, {"language": None}, "language must be text, not None. Papermill takes it for text with -r."),
        (
            TRAIN,
            {"folder": "/nonexist"},
            "There is no parameter folder. There are: photos, validate, with_feedback, output, version.",
        ),
        (TRAIN, {}, "photos must be given."),
        (TRAIN, {"photos": ""}, "photos must be given."),
        (TRAIN, {"validate": "vv"}, "validate must be a list, not 'vv'. Papermill takes one with -y."),
        (TRAIN, {"validate": ["val", 3]}, "validate must be text, not 3. Papermill takes it for text with -r."),
        (TRAIN, {"with_feedback": "no"}, "with_feedback must be True or False, not 'no'."),
        (TRAIN, {"with_feedback": 1}, "with_feedback must be True or False, not 1."),
        (TRAIN, {"version": 2.0}, "version must be text, not 2.0. Papermill takes it for text with -r."),
    ],
)
def test_wrong_parameters_are_refused_with_a_message(
    run: Any, notebook: str, parameters: dict[str, Any], sentence: str
) -> None:
    given = parameters if "photos" in parameters or not parameters else GIVEN[notebook] | parameters
    error = run(notebook, given)
    assert isinstance(error, InvalidInput)
    assert str(error) == sentence


def test_a_second_run_in_the_same_kernel_is_accepted(shell: Any, run: Any) -> None:
    """Variables of earlier cells are not parameters."""
    assert run(REPORT, {}) is None
    check = shell.user_ns["In"][-1]
    for cell in ("strat = 1", check):
        assert shell.run_cell(cell, store_history=True).error_in_exec is None
