"""Make the report of a period: run its notebook, and write the page, the executed notebook and a PDF."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from catsdogs import files
from catsdogs.datetimes import iso
from catsdogs.errors import CatsDogsError, SettingsError
from catsdogs.extras import install_command
from catsdogs.i18n import N_, Translator
from catsdogs.reporting.page import displayed_outputs, render_page
from catsdogs.reporting.pdf import find_chromium, print_page
from catsdogs.reporting.period import check_language, parse_period
from catsdogs.reporting.report import ALERTS_TYPE


@dataclass(frozen=True)
class PublishedReport:
    """Files of a report, and the alerts in it."""

    files: list[Path]
    """Paths of the files; the page is the first."""
    firing: list[str]
    """Names of the rules whose alerts are firing."""


def publish(start: str, end: str, language: str, folder: Path, *, pdf: bool = False) -> PublishedReport:
    """Make the report of a period.

    All files are written to a temporary folder and moved once they are complete, so that a failure leaves an earlier
    report as it was.

    Parameters
    ----------
    start, end
        See :func:`catsdogs.reporting.period.parse_period`.
    language
        One of :data:`catsdogs.i18n.LANGUAGES`.
    folder
        Folder of ``catsdogs-START--END.html`` and ``.ipynb``; it is created if it is missing.
    pdf
        Whether to make a ``.pdf``, too.

    Raises
    ------
    InvalidInput
        A date or the language is wrong.
    SettingsError
        Packages are missing, the folder cannot be written, or there is no browser to make the PDF.
    CatsDogsError
        The notebook failed; the message has the reason.
    """
    since, until = parse_period(start, end)
    parameters = {"start": iso(since), "end": iso(until), "language": check_language(language)}
    name = f"catsdogs-{_format_for_file_name(since)}--{_format_for_file_name(until)}"
    chromium = find_chromium() if pdf else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as draft_folder:
            html, executed, printed = (Path(draft_folder) / f"{name}.{kind}" for kind in ("html", "ipynb", "pdf"))
            notebook = _execute(executed, parameters)
            _remove_folders(notebook, executed)
            html.write_text(render_page(notebook, name, Translator(language)), encoding="utf-8")
            if chromium:
                print_page(html, printed, chromium)
            complete = [html, executed, *([printed] if chromium else [])]
            for file in complete:
                files.move_into_place(file, folder / file.name)
    except OSError as error:
        raise SettingsError(
            "The folder {folder} cannot be written: {reason}.", folder=folder, reason=error.strerror
        ) from error
    return PublishedReport([folder / file.name for file in complete], _firing_rules(notebook))


def _execute(executed: Path, parameters: dict[str, str]) -> Any:
    try:
        import papermill
        from papermill.exceptions import PapermillExecutionError
    except ImportError as error:
        raise SettingsError(
            "A report needs more packages. Run: {command}", command=install_command("report")
        ) from error
    from traitlets.config import Config

    try:
        return papermill.execute_notebook(
            files.notebooks() / "jobs" / "report.ipynb",
            executed,
            parameters,
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            # opens no port; a kernel on TCP prints a warning, which cron would mail
            config=Config(KernelManager={"transport": "ipc"}),
            # at the end it is interrupted, which it logs as an error on a busy machine
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        raise CatsDogsError(N_("The report could not be made: {reason}"), reason=error.evalue) from error


def _remove_folders(notebook: Any, executed: Path) -> None:
    """Reduce the paths that papermill has noted to file names: a report does not show the folders of this machine."""
    from papermill.iorw import write_ipynb

    noted = notebook.metadata.papermill
    for name in ("input_path", "output_path"):
        noted[name] = Path(noted[name]).name
    write_ipynb(notebook, str(executed))


def _firing_rules(notebook: Any) -> list[str]:
    return [rule for data in displayed_outputs(notebook) if ALERTS_TYPE in data for rule in data[ALERTS_TYPE]["firing"]]


def _format_for_file_name(moment: datetime) -> str:
    """Return the date, and the time unless it is midnight, with seconds and microseconds only if they are not 0."""
    if moment.time() == time.min:
        return f"{moment:%Y-%m-%d}"
    fraction = ".%f" if moment.microsecond else ""
    return moment.strftime("%Y-%m-%dT%H%M" + (f"%S{fraction}" if moment.second or fraction else ""))
