"""What the dashboard says beside its figures: whether someone must act, and whether the model is still good."""

from __future__ import annotations

import logging
import time

from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import ModelHealth
from catsdogs.service.interface import Service
from catsdogs.widgets.alert_list import AlertList
from catsdogs.widgets.model_health import HealthCharts, HealthSummary
from catsdogs.widgets.view import View, ViewSnapshot

FRESH_SECONDS = 30.0
"""The model's health changes little with every photo: it is read again after so long, or of something else."""

_log = logging.getLogger(__name__)


class HealthPanel:
    """The parts, and when they are read again."""

    def __init__(self, translator: Translator) -> None:
        self.alerts = AlertList(translator)
        self.summary, self.charts = HealthSummary(translator), HealthCharts(translator)
        self.health = (self.summary, self.charts)
        self._read: tuple[View, ModelHealth] | None = None
        self._read_at = 0.0
        self._behind = False

    @property
    def due(self) -> bool:
        """Whether something was recorded that was not read yet, and it is time to read it."""
        return self._behind and time.monotonic() - self._read_at >= FRESH_SECONDS

    def refresh(self, service: Service, shown: ViewSnapshot, *, forced: bool = False) -> None:
        """Read alerts again, and the model's health where it is time; where that fails, the last ones stay.

        That alerts cannot be read is said where they are: that there is none would be a lie.

        Parameters
        ----------
        forced
            Read all: a person wants to know it now.
        """
        try:
            self.alerts.show(service.alerts(), service.health()["degraded"], shown.zone)
        except CatsDogsError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            self.alerts.show_error(error)
        of_all = shown.of_all_answers()
        try:
            health = self._health(service, of_all, forced=forced)
        except CatsDogsError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            return
        self.summary.show(health, answer=shown.view.answer)
        self.charts.show(health, of_all)

    def _health(self, service: Service, shown: ViewSnapshot, *, forced: bool) -> ModelHealth:
        """Give what was read a moment ago, unless it is of another view or had nothing to say."""
        if self._read is not None and not forced:
            view, health = self._read
            fresh = time.monotonic() - self._read_at < FRESH_SECONDS
            if view == shown.view and fresh and health["judged"]["n"]:
                self._behind = True
                return health
        health = service.model_health(shown.prediction_filter)
        self._read, self._read_at, self._behind = (shown.view, health), time.monotonic(), False
        return health
