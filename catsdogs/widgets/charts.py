"""The charts, drawn by plotly.js in one part.

Not :class:`plotly.graph_objects.FigureWidget`: each of those brings its own copy of plotly.js over the websocket (five
of them 25 MB, and 37 to 52 MiB more in the kernel), and its colours cannot follow the reader's light or dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from importlib import resources

import traitlets

from catsdogs.figures import Statistics
from catsdogs.i18n import Translator
from catsdogs.monitoring import export
from catsdogs.monitoring.charts import CHARTS
from catsdogs.monitoring.style import config, for_page, template
from catsdogs.widgets.part import Part, field, not_understood, script, style

_PLOTLY_JS = (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def saver_texts(_: Translator) -> dict[str, str]:
    """Name the buttons that save what a chart shows."""
    return {"csv": _("CSV"), "save_csv": _("Save as CSV"), "png": _("PNG"), "save_png": _("Save as PNG")}


class Charts(Part):
    """Shows all charts of a window, and updates them in place."""

    _esm = _PLOTLY_JS + script("files", "charts")
    _css = style("charts")

    figures: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``data`` and ``layout``, as plotly.js takes them."""
    view = traitlets.Unicode().tag(sync=True)
    """Names what is looked at: as long as it stays, so does what the reader zoomed to or hid."""
    templates = traitlets.Dict({"light": template(), "dark": template(dark=True)}).tag(sync=True)
    config = traitlets.Dict().tag(sync=True)

    _statistics: Statistics | None = None

    def __init__(self, translator: Translator) -> None:
        super().__init__(translator, saver_texts(translator), config=config(translator))

    def show(self, statistics: Statistics, zone: tzinfo, view: str) -> None:
        """Draw `statistics` with the wall clock of `zone`."""
        self._statistics = statistics
        with self.hold_sync():
            self.view = view
            self.figures = [
                {"name": name, **for_page(chart(statistics, self._, zone))} for name, chart in CHARTS.items()
            ]

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Send the figures behind a chart as a file."""
        name = field(content, "value", str)
        if field(content, "asks", str) != "csv" or name not in CHARTS or self._statistics is None:
            raise not_understood()
        kind = "feedback" if name == "feedback" else "timeline"
        self.send({"file": f"catsdogs-{kind}.csv", "text": getattr(export, kind)(self._statistics)})
