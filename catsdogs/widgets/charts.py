"""The charts, drawn by plotly.js in one part.

Not :class:`plotly.graph_objects.FigureWidget`: each of those brings its own copy of plotly.js over the websocket (five
of them 25 MB, and 37 to 52 MiB more in the kernel), and its colours cannot follow the reader's light or dark page.
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

_PLOTLY_JS = (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")

LINE = 130
"""Characters of a line of a picture's caption."""

F = TypeVar("F", bound=Mapping[str, object])


class BaseCharts(BaseWidget, Generic[F]):
    """Shows charts of some figures, and updates them in place; draws with the plotly.js that one part brings."""

    _esm = script("files", "charts")
    _css = style("charts")

    figures: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``data`` and ``layout``, as plotly.js takes them."""
    view = traitlets.Unicode().tag(sync=True)
    """Names what is looked at: as long as it stays, so does what the reader zoomed to or hid."""
    templates = traitlets.Dict({"light": template(), "dark": template(dark=True)}).tag(sync=True)
    config = traitlets.Dict().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    """What is looked at, in words, for a picture that leaves the page; with ``<br>`` where a line is full."""
    suffix = traitlets.Unicode().tag(sync=True)
    """What is looked at, for the name of a file."""

    charts: ClassVar[Mapping[str, Callable[..., go.Figure]]]
    """By name; each takes the figures, a translator and a time zone."""
    tables: ClassVar[Mapping[str, Callable[..., str]]]
    """What writes the figures behind each chart as CSV."""

    _shown: tuple[F, ViewSnapshot] | None = None

    def __init__(self, translator: Translator) -> None:
        _ = translator
        savers = {"csv": _("CSV"), "save_csv": _("Save as CSV"), "png": _("PNG"), "save_png": _("Save as PNG")}
        own = {"modeBarButtons": [["resetScale2d"]]}  # a picture is saved by the part's button, with title and caption
        super().__init__(translator, savers, config=config(translator) | own)

    def show(self, shown: F, snapshot: ViewSnapshot) -> None:
        """Draw the figures of a view."""
        self._shown = shown, snapshot
        with self.hold_sync():
            self.view = snapshot.key
            self.caption = plain(snapshot.caption(self._), width=LINE)
            self.suffix = snapshot.suffix
            self.figures = [
                {"name": name, **for_page(chart(shown, self._, snapshot.zone))} for name, chart in self.charts.items()
            ]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Send the figures behind a chart as a file."""
        write = self.tables.get(message_field(content, "chart", str))
        if message_field(content, "action", str) != "csv" or write is None or self._shown is None:
            raise invalid_message()
        shown, snapshot = self._shown
        self.send({"file": snapshot.file_name(self._file(write.__name__, shown)), "text": write(shown)})

    def _file(self, table: str, shown: F) -> str:  # noqa: ARG002
        return f"catsdogs-{table}.csv"


class StatisticsCharts(BaseCharts[Statistics]):
    """Shows all charts of a window."""

    _esm = _PLOTLY_JS + script("files", "charts")

    charts = CHARTS
    tables: ClassVar = {name: csv_export.feedback if name == "feedback" else csv_export.timeline for name in CHARTS}

    def _file(self, table: str, shown: Statistics) -> str:
        return csv_export.file_name(table, shown)
