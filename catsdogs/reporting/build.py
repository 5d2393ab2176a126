"""Make the report of a period: run its notebook, and write the page, the executed notebook and a PDF."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import psutil

from catsdogs import files
from catsdogs.datetimes import iso
from catsdogs.errors import CatsDogsError, SettingsError
from catsdogs.extras import install_command
from catsdogs.i18n import N_, Translator
from catsdogs.reporting.page import displayed_outputs, render_page
from catsdogs.reporting.pdf import find_chromium, print_page
from catsdogs.reporting.period import NOTEBOOK_NAMES, ParameterNames, check_language, parse_period
from catsdogs.reporting.report import FACTS_TYPE

LONGEST_TEMPORARY_FOLDER = 60
"""Longest path of a temporary folder whose sockets have a path that is short enough."""


@dataclass(frozen=True)
class PublishedReport:
    """Files of a report, and the alerts in it."""

    files: list[Path]
    """Paths of the files; the page is the first."""
    firing: list[str]
    """Names of the rules whose alerts are firing."""


def publish(
    start: str,
    end: str,
    language: str,
    folder: Path,
    *,
    pdf: bool = False,
    names: ParameterNames = NOTEBOOK_NAMES,
    prepare: Callable[[], object] | None = None,
) -> PublishedReport:
    """Make the report of a period.

    All files are made in a private temporary folder, and copied once they are complete, so that a failure leaves an
    earlier report as it was, and makes no folder. The temporary one is removed in the end, also after SIGTERM.

    Parameters
    ----------
    start, end
        See :func:`catsdogs.reporting.period.parse_period`.
    language
        One of :data:`catsdogs.i18n.LANGUAGES`.
    folder
        Folder of ``catsdogs-START--END.LANGUAGE.html`` and ``.ipynb``; it is created if it is missing.
    pdf
        Whether to make a ``.pdf``, too.
    names
        What the caller calls the parameters, for messages about wrong ones.
    prepare
        Called before the folder is created.

    Raises
    ------
    InvalidInput
        A date or the language is wrong.
    SettingsError
        Packages are missing, the folder cannot be written, or there is no browser to make the PDF.
    CatsDogsError
        The notebook failed; the message has the reason.
    """
    since, until = parse_period(start, end, names=names)
    parameters = {"start": iso(since), "end": iso(until), "language": check_language(language, names)}
    stem = f"catsdogs-{_format_for_file_name(since)}--{_format_for_file_name(until)}.{language}"
    chromium = find_chromium() if pdf else None
    with _writing_to(folder, names):
        existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        tempfile.TemporaryFile(dir=existing).close()
    with _scratch_folder() as scratch:
        html, executed, printed = (scratch / f"{stem}.{kind}" for kind in ("html", "ipynb", "pdf"))
        notebook = _execute(executed, parameters)
        _remove_folders(notebook, executed)
        facts = _facts(notebook)
        html.write_text(render_page(notebook, facts["title"], Translator(language)), encoding="utf-8")
        if chromium:
            print_page(html, printed, chromium)
        complete = [html, executed, *([printed] if chromium else [])]
        if prepare:
            prepare()
        with _writing_to(folder, names):
            _copy(complete, folder)
    return PublishedReport([folder / file.name for file in complete], facts["firing"])


def _copy(complete: Sequence[Path], folder: Path) -> None:
    """Copy all files to a folder, or none: then the folder is not there either, unless it was before.

    Raises
    ------
    OSError
    """
    missing = [path for path in (folder.absolute(), *folder.absolute().parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as drafts:
            for file in complete:
                stream = drafts.enter_context(files.atomic_write(folder / file.name))
                stream.write(file.read_bytes())
                stream.flush()  # before the first one is complete, all must have found room
    except OSError:
        for path in missing:
            with suppress(OSError):  # another report is written to it now
                path.rmdir()
        raise


@contextmanager
def _writing_to(folder: Path, names: ParameterNames) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            "{name}: the folder {folder} cannot be written: {reason}.",
            name=names.folder,
            folder=folder,
            reason=error.strerror,
        ) from error


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Create a private folder, and remove it in the end, also where SIGTERM ends the program."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # the path of a socket may have 107 characters
    parent = "/tmp" if len(tempfile.gettempdir()) > LONGEST_TEMPORARY_FOLDER else None  # noqa: S108 (a private folder in it)
    with tempfile.TemporaryDirectory(prefix="catsdogs-report-", dir=parent) as folder:
        os.environ["IPYTHONDIR"] = folder  # the home folder of a scheduler's user may not be writable
        yield Path(folder)


def _execute(executed: Path, parameters: dict[str, str]) -> Any:
    try:
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError
    except ImportError as error:
        raise SettingsError(
            "A report needs more packages. Run: {command}", command=install_command("report")
        ) from error
    from traitlets.config import Config

    # In a thread, where nbclient has no handlers of signals: they would leave a kernel that has just been started.
    with ThreadPoolExecutor(1) as thread:
        execution = thread.submit(
            papermill.execute_notebook,
            files.notebooks() / "jobs" / "report.ipynb",
            executed,
            parameters,
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            # opens no port; a kernel on TCP prints a warning, which cron would mail
            config=Config(
                KernelManager={"transport": "ipc", "connection_file": str(executed.with_name("kernel.json"))}
            ),
            # at the end it is interrupted, which it logs as an error on a busy machine
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
        try:
            return execution.result()
        except PapermillExecutionError as error:
            raise CatsDogsError(N_("The report could not be made: {reason}"), reason=error.evalue) from error
        except DeadKernelError as error:
            raise CatsDogsError(N_("The report was not made: the process that makes it was ended.")) from error
        finally:
            logging.getLogger("papermill").disabled = not execution.done()  # it would log the end of the kernel
            while not execution.done():  # the program is being ended
                _kill_kernel(executed.parent)
                wait([execution], timeout=0.1)


def _kill_kernel(scratch: Path) -> None:
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any(str(scratch) in argument for argument in child.cmdline()):
                child.kill()


def _remove_folders(notebook: Any, executed: Path) -> None:
    """Reduce the paths that papermill has noted to file names: a report does not show the folders of this machine."""
    from papermill.iorw import write_ipynb

    noted = notebook.metadata.papermill
    for name in ("input_path", "output_path"):
        noted[name] = Path(noted[name]).name
    write_ipynb(notebook, str(executed))


def _facts(notebook: Any) -> dict[str, Any]:
    """Return what the parts of the report say to this program."""
    return {
        name: fact
        for data in displayed_outputs(notebook)
        if FACTS_TYPE in data
        for name, fact in data[FACTS_TYPE].items()
    }


def _format_for_file_name(moment: datetime) -> str:
    """Return the date, and the time unless it is midnight, with seconds and microseconds only if they are not 0."""
    if moment.time() == time.min:
        return f"{moment:%Y-%m-%d}"
    fraction = ".%f" if moment.microsecond else ""
    return moment.strftime("%Y-%m-%dT%H%M" + (f"%S{fraction}" if moment.second or fraction else ""))
