"""Run the report's notebook, and keep what it shows as one HTML page, as the executed notebook, and on paper."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, time
from html import escape
from pathlib import Path
from typing import Any

from catsdogs import files
from catsdogs.errors import CatsDogsError, SettingsError
from catsdogs.i18n import N_, Translator
from catsdogs.reporting.pdf import find_chromium, print_page
from catsdogs.reporting.period import language_of, period
from catsdogs.reporting.report import ALERTS

FIGURE = "application/vnd.plotly.v1+json"

_STYLE = """
:root { color-scheme: light; }
body { max-width: 60rem; margin: 2.5rem auto; padding: 0 1rem; background: #fff; color: #1d1d22;
       font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.875rem; line-height: 1.2; letter-spacing: -.02em; margin: 0; }
h2 { font-size: 1rem; margin: 1.25rem 0 .5rem; break-after: avoid; }
.period { color: #5d6068; margin: .25rem 0 1.25rem; }
.words { list-style: none; margin: 0 0 1.5rem; padding: 1rem 1.25rem; border-radius: 1rem; background: #f5f1ea;
         print-color-adjust: exact; }
.words li + li { margin-top: .375rem; }
.alerts { list-style: none; margin: .5rem 0 1.5rem; padding: 0; }
.alerts li { margin: .5rem 0; padding: .625rem 1rem; border-left: .375rem solid #009e73; border-radius: .5rem;
             background: #f5f1ea; break-inside: avoid; print-color-adjust: exact; }
.alerts .firing { border-color: #a3290f; background: #fdeee9; }
.alerts .pending { border-color: #b8860b; }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem 1.5rem; }
.figures > :last-child:nth-child(odd) { grid-column: 1 / -1; }
.figure { min-width: 0; break-inside: avoid; }
.box { overflow-x: auto; margin-bottom: 1.25rem; break-inside: avoid; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .375rem 1.5rem .375rem 0; border-bottom: 1px solid #e4e0d9; text-align: right; }
th:first-child { text-align: left; }
tbody th { font-weight: 400; }
td { white-space: nowrap; }
thead th { color: #5d6068; font-weight: 600; font-size: .9rem; }
.note { color: #5d6068; font-size: .875rem; margin: 1.5rem 0 0; }
@media (max-width: 40rem) { .figures { grid-template-columns: minmax(0, 1fr); } }
.paper body { width: 180mm; margin: 0; padding: 0; font-size: .8125rem; }
.paper h1 { font-size: 1.5rem; }
.paper h2 { margin: .625rem 0 .25rem; }
.paper .words { padding: .625rem 1rem; margin-bottom: .75rem; }
.paper .figures { gap: .25rem 1.5rem; }
.paper th, .paper td { padding: .25rem 1rem .25rem 0; white-space: normal; }
@page { size: A4; margin: 13mm 15mm; }
@media print { body { margin: 0; padding: 0; } .box { overflow: visible; } .modebar { display: none; } }
"""

_FIT = """
for (const event of ["load", "beforeprint", "afterprint"]) addEventListener(event, () => {
  const paper = document.documentElement.classList.toggle("paper", event === "beforeprint");
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const height = (plot.dataset.height ??= plot._fullLayout.height);
    const alone = plot.matches(".figures > :last-child:nth-child(odd) *");
    plot.parentElement.style.height = `${paper && !alone ? height * 0.78 : height}px`;
    delete plot.layout.height;
    Plotly.relayout(plot, { autosize: true });
  }
});
"""
"""Charts are as wide as their place: only the whole page knows it, and paper is another width, which counts only after
they were drawn for it; lower there, so that sheets are full."""


@dataclass(frozen=True)
class Published:
    """What became of a report."""

    files: list[Path]
    """The page first."""
    firing: list[str]
    """Names of the rules whose alerts fire."""


def publish(start: str, end: str, language: str, folder: Path, *, pdf: bool = False) -> Published:
    """Make the report of a period.

    Everything is written aside and renamed when it is complete: a failure leaves what was there.

    Parameters
    ----------
    start, end
        See :func:`catsdogs.reporting.period.period`.
    language
        Of :data:`catsdogs.i18n.LANGUAGES`.
    folder
        Where ``catsdogs-START--END.html`` and ``.ipynb`` go; made where it is missing.
    pdf
        Whether there is to be a ``.pdf``, too.

    Raises
    ------
    InvalidInput
        A date or the language is wrong.
    SettingsError
        The folder cannot be written, or there is no browser for the PDF.
    CatsDogsError
        The notebook failed; its sentence says why.
    """
    since, until = period(start, end)
    parameters = {"start": since.isoformat(), "end": until.isoformat(), "language": language_of(language)}
    name = f"catsdogs-{_stamp(since)}--{_stamp(until)}"
    chromium = find_chromium() if pdf else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as aside:
            made, executed, paper = (Path(aside) / f"{name}.{kind}" for kind in ("html", "ipynb", "pdf"))
            notebook = _execute(executed, parameters)
            _forget_places(notebook, executed)
            made.write_text(page(notebook, name, Translator(language)), encoding="utf-8")
            if chromium:
                print_page(made, paper, chromium)
            complete = [made, executed, *([paper] if chromium else [])]
            for file in complete:
                files.move_into_place(file, folder / file.name)
    except OSError as error:
        raise SettingsError(
            "The folder {folder} cannot be written: {reason}.", folder=folder, reason=error.strerror
        ) from error
    return Published([folder / file.name for file in complete], _firing(notebook))


def _execute(executed: Path, parameters: dict[str, str]) -> Any:
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    try:
        return papermill.execute_notebook(
            files.notebooks() / "jobs" / "report.ipynb",
            executed,
            parameters,
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            config=Config(KernelManager={"transport": "ipc"}),  # no port; a kernel on TCP complains to cron's mail
            # it is interrupted before it is stopped, and on a busy machine it calls that an error
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        raise CatsDogsError(N_("The report could not be made: {reason}"), reason=error.evalue) from error


def _forget_places(notebook: Any, executed: Path) -> None:
    """Leave the names of the files that papermill read and wrote, without the folders of this machine."""
    from papermill.iorw import write_ipynb

    said = notebook.metadata.papermill
    for name in ("input_path", "output_path"):
        said[name] = Path(said[name]).name
    write_ipynb(notebook, str(executed))


def _shown(notebook: Any) -> list[dict[str, Any]]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.data for cell in cells for output in cell.outputs if "data" in output]


def _firing(notebook: Any) -> list[str]:
    return [rule for data in _shown(notebook) if ALERTS in data for rule in data[ALERTS]["firing"]]


def page(notebook: Any, name: str, _: Translator) -> str:
    """Join what an executed notebook shows into one page that asks nothing of the network.

    Parameters
    ----------
    notebook
        Its outputs are HTML and Plotly figures; anything else is left out.
    name
        The page's title.
    """
    from plotly.offline import get_plotlyjs

    body, figures = [], False
    for data in _shown(notebook):
        if (FIGURE in data) != figures:  # figures that follow each other share a grid
            figures = not figures
            body.append('<div class="figures">' if figures else "</div>")
        body.append(_figure(data[FIGURE], _) if FIGURE in data else data.get("text/html", ""))
    if figures:
        body.append("</div>")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{_.language}">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            # what stands here runs; nothing may be fetched, whatever a library would like
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
            " script-src 'unsafe-inline'; img-src data: blob:\">",
            f"<title>{escape(name)}</title><style>{_STYLE}</style>",
            f"<script>{get_plotlyjs()}{_FIT}</script></head><body>",
            *body,
            "</body></html>",
        ]
    )


def _figure(content: dict[str, Any], _: Translator) -> str:
    import plotly.graph_objects as go
    import plotly.io

    from catsdogs.monitoring.chart_style import config

    fig = go.Figure(data=content["data"], layout=content["layout"])
    title = fig.layout.title.text or ""
    fig.update_layout(title_text="", margin_t=36)  # the page writes it: no legend can grow into it
    drawn = plotly.io.to_html(fig, config=config(_), full_html=False, include_plotlyjs=False)
    return f'<div class="figure"><h2>{escape(title)}</h2>{drawn}</div>'


def _stamp(moment: datetime) -> str:
    """Make a file name of a moment: the date, and the time where it is not midnight, no finer than it needs."""
    if moment.time() == time.min:
        return f"{moment:%Y-%m-%d}"
    fraction = ".%f" if moment.microsecond else ""
    return moment.strftime("%Y-%m-%dT%H%M" + (f"%S{fraction}" if moment.second or fraction else ""))
