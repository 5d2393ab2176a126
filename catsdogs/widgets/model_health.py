"""Whether the model is still good: a verdict, sentences, tables and charts."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export, health_texts
from catsdogs.monitoring.figures import ModelHealth
from catsdogs.monitoring.health_charts import CHARTS
from catsdogs.monitoring.health_verdict import health_verdict
from catsdogs.widgets.base import BaseWidget, script, style
from catsdogs.widgets.charts import BaseCharts


class HealthSummary(BaseWidget):
    """Shows how accurate the model is, how far each signal has drifted, and how the versions compare."""

    _esm = script("model_health")
    _css = style("model_health")

    verdict = traitlets.Unicode().tag(sync=True)
    """The verdict in one line."""
    level = traitlets.Unicode().tag(sync=True)
    """Its :class:`~catsdogs.monitoring.verdict.Level`."""
    sentences: traitlets.List[str] = traitlets.List().tag(sync=True)
    tables: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``title``, ``columns`` and ``rows``; a row of ``kind`` and ``cells``."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Is the model still good?")})

    def show(self, health: ModelHealth, answer: str = "") -> None:
        """Show sentences and tables about `health`.

        Parameters
        ----------
        health
            Figures of all answers.
        answer
            Answer that the reader chose elsewhere on the page; a sentence then says that it does not apply here.
        """
        _ = self._
        drift = [
            {"kind": str(signal["reading"]), "cells": health_texts.drift_cells(signal, _)} for signal in health["drift"]
        ]
        versions = [{"kind": "", "cells": health_texts.version_cells(version, _)} for version in health["versions"]]
        tables: list[dict[str, object]] = [
            {"title": _("Drift"), "columns": health_texts.drift_columns(_), "rows": drift},
            {"title": _("Model versions"), "columns": health_texts.version_columns(_), "rows": versions},
        ]
        verdict = health_verdict(health, _)
        with self.hold_sync():
            self.verdict, self.level = verdict.line(_), verdict.level
            sentences = health_texts.sentences(health, _)
            if answer:
                sentences.append(_("These figures cover all answers, whatever answer is chosen above."))
            self.sentences = [sentence for sentence in sentences if sentence]
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

    def _versions(self, shown: ModelHealth) -> list[str]:
        return [figures["model_version"] for figures in shown["versions"]]

    def _file(self, table: str, shown: ModelHealth) -> str:
        return csv_export.health_file_name(table, shown)
