"""The last predictions, as a table of text."""

from __future__ import annotations

from datetime import datetime, tzinfo

import traitlets

from catsdogs.domain import RecentPrediction
from catsdogs.i18n import Translator
from catsdogs.monitoring.charts import answer_name
from catsdogs.widgets.part import Part, script, style


class Recent(Part):
    """Shows the last predictions, newest first."""

    _esm = script("recent")
    _css = style("recent")

    rows: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``answer`` (as stored) and ``cells`` (in words, in the order of ``columns``)."""
    columns: traitlets.List[str] = traitlets.List().tag(sync=True)

    def __init__(self, translator: Translator) -> None:
        _ = translator
        columns = [
            _("When"),
            _("Answer"),
            _("Confidence"),
            _("Time"),
            _("Right?"),
            _("Comment"),
            _("File"),
            _("Model"),
        ]
        texts = {"title": _("Last predictions"), "none": _("No prediction yet.")}
        super().__init__(translator, texts, columns=columns)

    def show(self, predictions: list[RecentPrediction], zone: tzinfo) -> None:
        """Show `predictions` with the wall clock of `zone`."""
        self.rows = [
            {"answer": prediction["prediction_result"], "cells": self._cells(prediction, zone)}
            for prediction in predictions
        ]

    def _cells(self, prediction: RecentPrediction, zone: tzinfo) -> list[str]:
        _ = self._
        opinions = {1: _("Yes"), 0: _("No"), None: ""}
        cat, dog, time = prediction["proba_cat"], prediction["proba_dog"], prediction["inference_time_ms"]
        sure = None if cat is None or dog is None or prediction["prediction_result"] == "neither" else max(cat, dog)
        return [
            _.datetime(datetime.fromisoformat(prediction["timestamp"]).astimezone(zone)),
            answer_name(prediction["prediction_result"], _),
            "" if sure is None else _.percent(sure),
            "" if time is None else _.milliseconds(time),
            opinions[prediction["user_feedback"]],
            prediction["user_comment"] or "",
            prediction["filename"] or "",
            prediction["model_version"] or "",
        ]
