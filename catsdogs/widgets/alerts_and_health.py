"""Alerts and the model's health on the dashboard: when they are read again, and what happens where that fails."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import ModelHealth
from catsdogs.service.interface import Service
from catsdogs.widgets.alert_list import AlertList
from catsdogs.widgets.base import log_error
from catsdogs.widgets.model_health import HealthCharts, HealthSummary
from catsdogs.widgets.view import View, ViewSnapshot

FRESH_SECONDS = 30.0
"""Seconds after which the model's health is read again; it changes slowly."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of a window that is open at its start."""

_log = logging.getLogger(__name__)


class AlertsAndHealth:
    """The widgets of alerts and of the model's health, and when their figures are read again."""

    def __init__(self, translator: Translator) -> None:
        self.alerts = AlertList(translator)
        self.summary, self.charts = HealthSummary(translator), HealthCharts(translator)
        self.health = (self.summary, self.charts)
        self._read: tuple[View, ModelHealth] | None = None
        self._read_at = 0.0
        self._is_outdated = False

    @property
    def due(self) -> bool:
        """Whether the health is outdated and may be read again."""
        return self._is_outdated and time.monotonic() - self._read_at >= FRESH_SECONDS

    def show_degraded(self, service: Service) -> None:
        """Show what is degraded in the service, from its health alone: the database may be away."""
        try:
            self.alerts.show_degraded(service.health()["degraded"])
        except CatsDogsError as error:
            log_error(_log, error)

    def refresh(self, service: Service, shown: ViewSnapshot, predictions: int, *, forced: bool = False) -> None:
        """Read the alerts again, and the model's health where it is old; where that fails, the last ones stay.

        An error of the alerts is shown in their list, which would otherwise look as if there were none.

        Parameters
        ----------
        shown
            Alerts are listed that were open in its time window.
        predictions
            Number of predictions in that window.
        forced
            Also read the health where it was read a moment ago.
        """
        self.show_degraded(service)
        window = shown.prediction_filter
        start = window.start or EARLIEST
        try:
            self.alerts.show(service.alerts(since=start, until=window.end), shown.zone, predictions)
        except CatsDogsError as error:
            log_error(_log, error)
            self.alerts.show_error(error)
        of_all = shown.of_all_answers()
        try:
            health = self._health(service, of_all, forced=forced)
        except CatsDogsError as error:
            log_error(_log, error)
            return
        self.summary.show(health, answer=shown.view.answer)
        self.charts.show(health, of_all)

    def _health(self, service: Service, shown: ViewSnapshot, *, forced: bool) -> ModelHealth:
        """Return the health read a moment ago, unless it is of another view or had no figures."""
        if self._read is not None and not forced:
            view, health = self._read
            fresh = time.monotonic() - self._read_at < FRESH_SECONDS
            if view == shown.view and fresh and health["judged"]["n"]:
                self._is_outdated = True
                return health
        health = service.model_health(shown.prediction_filter)
        self._read, self._read_at, self._is_outdated = (shown.view, health), time.monotonic(), False
        return health
