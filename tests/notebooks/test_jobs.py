"""``catsdogs report`` and its notebook, as cron runs them."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import psutil
import pytest
from babel.dates import format_date

from catsdogs.errors import InvalidImage
from catsdogs.files import notebooks
from catsdogs.records.predictions import PredictionRecord
from tests.command import catsdogs
from tests.storage import Storage
from tests.waiting import until

from .conftest import COMMENT, NAME

NOTEBOOK = notebooks() / "jobs" / "report.ipynb"
OLD_CONTENT = "yesterday's report"


def run_report(environment: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "catsdogs", "report", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment | {"TZ": "Europe/Paris"}, capture_output=True, text=True)


def text_of(page: str) -> str:
    """Return the text of a page, without scripts and markup."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"[\s\u00a0\u202f]+", " ", re.sub(r"<[^>]*>", " ", body))


@pytest.fixture
def temporary(environment: dict[str, str]) -> Iterator[Path]:
    """A temporary folder of the children's own, whose path is as short as an ordinary one."""
    with tempfile.TemporaryDirectory() as folder:
        environment["TMPDIR"] = folder
        yield Path(folder)


@pytest.fixture
def day(yesterday: datetime) -> tuple[str, str]:
    """Yesterday, as `--from` and `--to` take it."""
    return f"{yesterday:%Y-%m-%d}", f"{yesterday + timedelta(days=1):%Y-%m-%d}"


def test_the_report_has_the_figures_of_the_database_and_no_personal_data(
    filled: None,
    environment: dict[str, str],
    temporary: Path,
    tmp_path: Path,
    yesterday: datetime,
    day: tuple[str, str],
) -> None:
    start, end = day
    not_writable = Path("/proc")
    homeless = environment | {"HOME": str(not_writable / "nobody")}
    done = run_report(homeless, not_writable, "--from", start, "--to", end, "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(temporary.iterdir()) == []
    page = Path(done.stdout.strip())
    assert page == Path(environment["CATSDOGS_DATA_DIR"]) / "reports" / f"catsdogs-{start}--{end}.en.html"
    text = text_of(page.read_text(encoding="utf-8"))
    assert f"How the service did {format_date(yesterday, 'long', 'en')} " in text  # the title is that of a single day
    assert "10 photos were sent. 1 of them could not be read (10.0%)." in text
    assert "An answer took 5.5 ms on average, from 3.5 ms to 9.5 ms." in text  # 6 times 3.5, 3 times 9.5
    assert "Of those who said whether the answer was right, 75.0% were satisfied: 3 of 4" in text
    assert "With consent to keep file name and comment: 10.0%" in text
    assert "Answer Predictions Share Cat 5 50.0% Dog 3 30.0% Neither 1 10.0% Error 1 10.0%" in text
    assert {path.name for path in page.parent.iterdir()} == {page.name, page.with_suffix(".ipynb").name}

    for path in page.parent.iterdir():
        content = path.read_text(encoding="utf-8")
        assert NAME not in content
        assert COMMENT not in content
        assert "alert(1)" not in content
        assert str(NOTEBOOK.parent) not in content  # no folder of this machine
        assert str(tmp_path) not in content
    executed = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    assert executed.metadata.papermill.input_path == "report.ipynb"
    assert executed.metadata.papermill.output_path == page.with_suffix(".ipynb").name
    assert "from catsdogs import" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--from", "yesterday"],
            "--from must be a date, or a date and time, in ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z.",
        ),
        (
            ["--to", "2026-02-30"],
            "--to must be a date, or a date and time, in ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z.",
        ),
        (["--from", "2026-02-02", "--to", "2026-02-01"], "--from must be before --to."),
        (["--from", "2026-02-02", "--to", "2026-02-02"], "--from must be before --to."),
        (
            ["--from", "2998-01-01", "--to", "2998-01-02"],
            "--from: the period is in the future, and there is nothing to report yet.",
        ),
        (["--from", "0001-01-01"], "--from must be between the years 1970 and 2999."),
        (["--lang", "de"], "--lang must be one of en, fr."),
        (["--out", "file"], "--out: the folder file cannot be written: Not a directory."),
    ],
)
def test_invalid_parameters_are_refused_with_a_sentence(
    environment: dict[str, str], tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "file").touch()
    done = catsdogs("report", *arguments, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"catsdogs: {sentence}\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"], "a report that fails leaves no empty folder"


def test_an_unknown_option_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    done = catsdogs("report", "--since", "2026-01-01", environment=environment, folder=tmp_path)
    assert done.returncode == 1  # 2 means that alerts fire


def test_a_failure_leaves_an_earlier_report_unchanged(
    environment: dict[str, str], tmp_path: Path, day: tuple[str, str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    names = [f"catsdogs-{day[0]}--{day[1]}.en.{kind}" for kind in ("html", "ipynb")]
    for name in names:
        (folder / name).write_text(OLD_CONTENT)
    unreachable = environment | {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}
    done = run_report(unreachable, tmp_path, "--from", day[0], "--to", day[1], "--lang", "en", "--out", "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert "PostgreSQL (127.0.0.1:1) cannot be reached." in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(names, OLD_CONTENT)


def test_the_report_evaluates_the_rules_and_exits_with_2_if_alerts_fire(
    environment: dict[str, str], storage: Storage, tmp_path: Path
) -> None:
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "test-1"))
    done = run_report(environment, tmp_path, "--lang", "en", "--out", "out")
    assert (done.returncode, done.stderr) == (
        2,
        "catsdogs: the report is written; the exit code is 2 as alerts fire: errors\n",
    )
    page = tmp_path / done.stdout.strip()
    assert "Alert: Many photos cannot be read" in text_of(page.read_text(encoding="utf-8"))


def test_the_same_report_may_be_written_twice_at_once(
    filled: None, environment: dict[str, str], temporary: Path, tmp_path: Path, day: tuple[str, str]
) -> None:
    long = tmp_path / ("long" * 25)
    long.mkdir()
    command = [sys.executable, "-m", "catsdogs", "report", "--lang", "fr", "--out", str(tmp_path / "o")]
    command += ["--from", day[0], "--to", day[1]]
    started = [
        subprocess.Popen(command, cwd=long, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 2
    names = {f"catsdogs-{day[0]}--{day[1]}.fr.{kind}" for kind in ("html", "ipynb")}
    assert {path.name for path in (tmp_path / "o").iterdir()} == names
    assert list(long.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_a_report_that_is_ended(
    environment: dict[str, str], temporary: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "catsdogs", "report", "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    until(lambda: list(temporary.glob("*/kernel-ipc-*")), "the kernel has no socket", timeout=120)
    kernels = psutil.Process(process.pid).children()
    process.terminate()
    assert process.communicate()[1] == ""
    assert process.returncode
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()
    assert not [kernel for kernel in kernels if kernel.is_running() and kernel.status() != psutil.STATUS_ZOMBIE]


def test_a_pdf_without_a_browser_is_refused_before_the_notebook_runs(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = catsdogs("report", "--pdf", "--out", "out", environment=environment | {"PATH": ""}, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("catsdogs: No Chromium or Chrome was found, which a PDF needs.")
    assert not (tmp_path / "out").exists()


def test_the_notebook_has_these_parameters_and_is_stored_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    [parameters] = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert re.findall(r"^(\w+) =", parameters.source, flags=re.MULTILINE) == ["start", "end", "language"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
