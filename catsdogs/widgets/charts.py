"""The charts of the dashboard, drawn by plotly.js.

:class:`plotly.graph_objects.FigureWidget` is not used: each one sends its own copy of plotly.js over the websocket
(25 MB for five, and 37 to 52 MiB more memory in the kernel), and its colours do not follow a light or dark page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any, ClassVar, Generic, TypeVar

import plotly.graph_objects as go
import traitlets

from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export
from catsdogs.monitoring.chart_style import config, for_page, plain, template
from catsdogs.monitoring.charts import CHARTS
from catsdogs.monitoring.figures import Statistics
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.view import ViewSnapshot

LINE = 130
"""Largest number of characters in a line of a picture's caption."""

F = TypeVar("F", bound=Mapping[str, object])


def _plotly_script() -> str:
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


class BaseCharts(BaseWidget, Generic[F]):
    """Shows charts of figures of type `F`, and updates them in place; the page or one of its widgets has plotly.js."""

    _esm = script("charts")
    _css = style("charts")

    figures: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``data`` and ``layout``, as plotly.js takes them."""
    view = traitlets.Unicode().tag(sync=True)
    """Key of the view: as long as it stays the same, the charts keep the reader's zoom and hidden series."""
    templates = traitlets.Dict({"light": template(), "dark": template(dark=True)}).tag(sync=True)
    config = traitlets.Dict().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    """Text on a saved picture that describes the view; with ``<br>`` at the end of a line."""
    suffix = traitlets.Unicode().tag(sync=True)
    """End of a file's name that describes the view."""

    charts: ClassVar[Mapping[str, Callable[..., go.Figure]]]
    """Functions that make the charts, by name; each takes the figures, a translator and a time zone."""
    tables: ClassVar[Mapping[str, Callable[..., str]]]
    """Functions that write the figures of the charts as CSV, by name of the chart."""

    _shown: tuple[F, ViewSnapshot] | None = None

    def __init__(self, translator: Translator) -> None:
        _ = translator
        texts = {"csv": _("CSV"), "save_csv": _("Save as CSV"), "png": _("PNG"), "save_png": _("Save as PNG")}
        own = {
            "modeBarButtons": [["resetScale2d"]]
        }  # the widget has its own button to save a picture, with title and caption
        super().__init__(translator, texts, config=config(translator) | own)

    def show(self, shown: F, snapshot: ViewSnapshot) -> None:
        """Draw the charts of the figures `shown` in a view."""
        self._shown = shown, snapshot
        with self.hold_sync():
            self.view = snapshot.key
            self.caption = plain(snapshot.caption(self._versions(shown), self._), width=LINE)
            self.suffix = snapshot.suffix
            self.figures = [
                {"name": name, **for_page(chart(shown, self._, snapshot.zone))} for name, chart in self.charts.items()
            ]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Send the figures of a chart as a file."""
        write = self.tables.get(message_field(content, "chart", str))
        if message_field(content, "action", str) != "csv" or write is None or self._shown is None:
            raise invalid_message()
        shown, snapshot = self._shown
        self.send({"file": snapshot.file_name(self._file(write.__name__, shown)), "text": write(shown, self._)})

    def _versions(self, shown: F) -> list[str]:
        """Return the model versions that answered in the view."""
        raise NotImplementedError

    def _file(self, table: str, shown: F) -> str:  # noqa: ARG002
        return f"catsdogs-{table}.csv"


class StatisticsCharts(BaseCharts[Statistics]):
    """Shows the charts of a window's statistics; this widget brings plotly.js, where the page has not."""

    _esm = script("charts", before=_plotly_script)

    charts = CHARTS
    tables: ClassVar = {name: csv_export.feedback if name == "feedback" else csv_export.timeline for name in CHARTS}

    def _versions(self, shown: Statistics) -> list[str]:
        return shown["model_versions"]

    def _file(self, table: str, shown: Statistics) -> str:
        return csv_export.file_name(table, shown)
