"""The table of single predictions: the latest, the least sure, or the disputed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

import traitlets

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export
from catsdogs.monitoring.charts import answer_name
from catsdogs.monitoring.figures import RecentPrediction
from catsdogs.monitoring.prediction_filter import LEAST_SURE_OF, MAX_LISTED, Listing
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.controls import Controls
from catsdogs.widgets.view import ViewSnapshot

SHOWN = 20
"""Number of rows of the table."""


class PredictionsTable(BaseWidget):
    """Shows predictions of one list, and saves them as a file.

    Parameters
    ----------
    translator
        Translates the texts.
    controls
        Controls that hold the view, and with it the list.
    refresh
        Called when another list was chosen.
    read
        Returns the view, and as many predictions of the list as a file may hold.
    """

    _esm = script("predictions_table")
    _css = style("predictions_table")

    rows: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``answer`` (as stored) and ``cells`` (texts in the order of ``columns``)."""
    known = traitlets.Bool(False).tag(sync=True)
    """Whether predictions were read; before that, no row does not mean that there is none."""
    columns: traitlets.List[str] = traitlets.List().tag(sync=True)
    listing = traitlets.Unicode().tag(sync=True)
    listings: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        translator: Translator,
        controls: Controls,
        refresh: Callable[[], None],
        read: Callable[[], tuple[ViewSnapshot, list[RecentPrediction]]],
    ) -> None:
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
        texts = {
            "title": _("Predictions"),
            "list": _("Which predictions"),
            "none": _("No such prediction in this window."),
            "csv": _("CSV"),
            "save": _("Save as CSV, at most {n} predictions", n=_.number(MAX_LISTED)),
        }
        listings = [
            (str(Listing.LATEST), _("Latest")),
            (str(Listing.LEAST_SURE), _("Least sure of the last {n}", n=_.number(LEAST_SURE_OF))),
            (str(Listing.DISPUTED), _("Reported as wrong")),
        ]
        super().__init__(translator, texts, columns=columns, listings=listings, listing=str(controls.view.listing))
        self._controls = controls
        self._refresh = refresh
        self._read = read

    def show(self, predictions: list[RecentPrediction], zone: tzinfo) -> None:
        """Show `predictions` with times of `zone`."""
        with self.hold_sync():
            self.known, self.listing = True, str(self._controls.view.listing)
            self.rows = [
                {"answer": prediction["prediction_result"], "cells": self._cells(prediction, zone)}
                for prediction in predictions
            ]

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Show another list, or send the file."""
        match message_field(content, "action", str):
            case "list":
                chosen = message_field(content, "value", str)
                if chosen not in set(Listing):
                    raise invalid_message()
                self._controls.view = replace(self._controls.view, listing=chosen)
                self._refresh()
            case "csv":
                shown, rows = self._read()
                cut = f"-{MAX_LISTED}" if len(rows) == MAX_LISTED else ""  # there may be more: the name says how many
                name = shown.file_name(f"catsdogs-{shown.view.listing}{cut}.csv")
                self.send({"file": name, "text": csv_export.predictions(rows, self._)})
            case _:
                raise invalid_message()

    def _cells(self, prediction: RecentPrediction, zone: tzinfo) -> list[str]:
        _ = self._
        sure, time = prediction["confidence"], prediction["inference_time_ms"]
        return [
            _.datetime(parse_timestamp(prediction["timestamp"]).astimezone(zone)),
            answer_name(prediction["prediction_result"], _),
            "" if sure is None else _.probability(sure, short=True),
            "" if time is None else _.milliseconds(time),
            self._opinion(prediction),
            prediction["user_comment"] or "",
            prediction["filename"] or "",
            prediction["model_version"] or "",
        ]

    def _opinion(self, prediction: RecentPrediction) -> str:
        """Return whether a person called the answer right, and the label that they gave instead."""
        _ = self._
        opinion = {1: _("Yes"), 0: _("No"), None: ""}[prediction["user_feedback"]]
        label = prediction["true_label"]
        if label is None or label == prediction["prediction_result"]:
            return opinion
        shown = _("Both") if label == "both" else answer_name(label, _)
        return f"{opinion} ({shown})" if opinion else shown
