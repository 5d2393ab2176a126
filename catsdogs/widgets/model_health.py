"""Whether the model is still good: words, tables and charts."""

from __future__ import annotations

from typing import ClassVar

import traitlets

from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export
from catsdogs.monitoring import health_texts as words
from catsdogs.monitoring.figures import ModelHealth
from catsdogs.monitoring.health_charts import CHARTS
from catsdogs.widgets.base import BaseWidget, script, style
from catsdogs.widgets.charts import BaseCharts


class HealthSummary(BaseWidget):
    """Says how good the model is, how far each signal drifted, and how the versions compare."""

    _esm = script("table", "model_health")
    _css = style("model_health")

    sentences: traitlets.List[str] = traitlets.List().tag(sync=True)
    tables: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``title``, ``columns`` and ``rows``; a row of ``kind`` and ``cells``."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Is the model still good?")})

    def show(self, health: ModelHealth, answer: str = "") -> None:
        """Say `health`; that it is of all answers, where the reader chose one `answer`."""
        _ = self._
        drift = [{"kind": str(one["reading"]), "cells": words.drift_cells(one, _)} for one in health["drift"]]
        versions = [{"kind": "", "cells": words.version_cells(one, _)} for one in health["versions"]]
        tables: list[dict[str, object]] = [
            {"title": _("Drift"), "columns": words.drift_columns(_), "rows": drift},
            {"title": _("Model versions"), "columns": words.version_columns(_), "rows": versions},
        ]
        with self.hold_sync():
            said = words.sentences(health, _)
            if answer:
                said.append(_("These figures cover all answers, whatever answer is chosen above."))
            self.sentences = [sentence for sentence in said if sentence]
            self.tables = [table for table in tables if table["rows"]]


class HealthCharts(BaseCharts[ModelHealth]):
    """Shows the charts of a model's health."""

    _css = style("charts", "model_health")

    charts = CHARTS
    tables: ClassVar = {
        "accuracy": csv_export.accuracy,
        "reliability": csv_export.reliability,
        "drift": csv_export.drift,
    }
