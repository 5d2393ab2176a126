"""Whether the model is still good: words, tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import traitlets

from catsdogs.figures import ModelHealth
from catsdogs.i18n import Translator
from catsdogs.monitoring import export
from catsdogs.monitoring import health_words as words
from catsdogs.monitoring.health_charts import CHARTS
from catsdogs.monitoring.style import config, for_page, template
from catsdogs.widgets.charts import saver_texts
from catsdogs.widgets.part import Part, field, not_understood, script, style


class HealthWords(Part):
    """Says how good the model is, how far each signal drifted, and how the versions compare."""

    _esm = script("health_words")
    _css = style("health_words")

    sentences: traitlets.List[str] = traitlets.List().tag(sync=True)
    tables: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``title``, ``columns`` and ``rows``; a row of ``kind`` and ``cells``."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Is the model still good?")})

    def show(self, health: ModelHealth) -> None:
        """Say `health`."""
        _ = self._
        drift = [{"kind": str(one["reading"]), "cells": words.drift_cells(one, _)} for one in health["drift"]]
        versions = [{"kind": "", "cells": words.version_cells(one, _)} for one in health["versions"]]
        tables: list[dict[str, object]] = [
            {"title": _("Drift"), "columns": words.drift_columns(_), "rows": drift},
            {"title": _("Model versions"), "columns": words.version_columns(_), "rows": versions},
        ]
        with self.hold_sync():
            self.sentences = [sentence for sentence in words.sentences(health, _) if sentence]
            self.tables = [table for table in tables if table["rows"]]


class HealthCharts(Part):
    """Shows the charts of a model's health, with the plotly.js that the dashboard's other charts bring."""

    _esm = script("files", "charts")
    _css = style("charts", "health_charts")

    figures: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    templates = traitlets.Dict({"light": template(), "dark": template(dark=True)}).tag(sync=True)
    config = traitlets.Dict().tag(sync=True)

    _health: ModelHealth | None = None

    def __init__(self, translator: Translator) -> None:
        super().__init__(translator, saver_texts(translator), config=config(translator))

    def show(self, health: ModelHealth, zone: tzinfo, view: str) -> None:
        """Draw `health` with the wall clock of `zone`."""
        self._health = health
        with self.hold_sync():
            self.view = view
            self.figures = [{"name": name, **for_page(chart(health, self._, zone))} for name, chart in CHARTS.items()]

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Send the figures behind a chart as a file."""
        name = field(content, "value", str)
        if field(content, "asks", str) != "csv" or name not in CHARTS or self._health is None:
            raise not_understood()
        self.send({"file": f"catsdogs-{name}.csv", "text": getattr(export, name)(self._health)})
