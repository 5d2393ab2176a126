"""The HTML page of an executed notebook: what it displays, in one file that loads nothing else."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import Any

from catsdogs.i18n import Translator

PLOTLY_TYPE = "application/vnd.plotly.v1+json"
"""Media type of a Plotly figure in a notebook's outputs."""


def displayed_outputs(notebook: Any) -> list[dict[str, Any]]:
    """Return what the code cells of an executed notebook display, by media type."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.data for cell in cells for output in cell.outputs if "data" in output]


def render_page(notebook: Any, title: str, _: Translator) -> str:
    """Join the outputs of an executed notebook into one page that requests nothing from the network.

    Parameters
    ----------
    notebook
        Executed notebook. HTML and Plotly figures are shown; outputs of other types are left out.
    title
        Title of the page, which is also at the foot of each printed sheet.
    """
    from plotly.offline import get_plotlyjs

    body, figures = [], False
    for data in displayed_outputs(notebook):
        if (PLOTLY_TYPE in data) != figures:  # consecutive figures share a grid
            figures = not figures
            body.append('<div class="figures">' if figures else "</div>")
        body.append(_render_figure(data[PLOTLY_TYPE], _) if PLOTLY_TYPE in data else data.get("text/html", ""))
    if figures:
        body.append("</div>")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{_.language}">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            # scripts of this file may run, and nothing may be loaded
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
            " script-src 'unsafe-inline'; img-src data: blob:\">",
            f"<title>{escape(title)}</title><style>{_read('page.css')}\n{_title_on_paper(title)}</style>",
            f"<script>{get_plotlyjs()}\n{_read('page.js')}</script></head><body>",
            *body,
            "</body></html>",
        ]
    )


def _title_on_paper(title: str) -> str:
    """Return the style that writes the title at the foot of each sheet."""
    written = "".join(letter if letter.isalnum() or letter == " " else f"\\{ord(letter):x} " for letter in title)
    return f'@page {{ @bottom-left {{ content: "{written}"; }} }}'


def _render_figure(content: dict[str, Any], _: Translator) -> str:
    import plotly.graph_objects as go
    import plotly.io

    from catsdogs.monitoring.chart_style import config

    fig = go.Figure(data=content["data"], layout=content["layout"])
    title = fig.layout.title.text or ""
    fig.update_layout(title_text="", margin_t=36)  # a heading of the page, which no legend can overlap
    drawn = plotly.io.to_html(fig, config=config(_), full_html=False, include_plotlyjs=False)
    return f'<div class="figure"><h2>{escape(title)}</h2>{drawn}</div>'


def _read(name: str) -> str:
    return (resources.files("catsdogs.reporting") / name).read_text(encoding="utf-8")
