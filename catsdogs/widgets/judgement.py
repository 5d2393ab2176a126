"""What the dashboard says beside its figures: whether someone must act, and whether the model is still good."""

from __future__ import annotations

import logging
import time
from datetime import tzinfo
from typing import Any

from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.service import Service
from catsdogs.widgets.alerts import Alerts
from catsdogs.widgets.model_health import HealthCharts, HealthWords

FRESH_SECONDS = 30.0
"""Neither changes with every photo: they are read again after so long, or when something else is looked at."""

_log = logging.getLogger(__name__)


class Judgement:
    """The parts, and when they are read again."""

    def __init__(self, translator: Translator) -> None:
        self.alerts = Alerts(translator)
        self.words, self.charts = HealthWords(translator), HealthCharts(translator)
        self.health = (self.words, self.charts)
        self._view = ""
        self._read_at = 0.0

    def refresh(self, service: Service, chosen: dict[str, Any], zone: tzinfo, view: str) -> None:
        """Read alerts and model health again, where it is time; where that fails, the last ones stay.

        That alerts cannot be read is said where they are: that there is none would be a lie.

        Parameters
        ----------
        chosen
            The window and model version, as :meth:`catsdogs.service.Service.statistics` takes them.
        view
            Names what is looked at.
        """
        now = time.monotonic()
        if view == self._view and now - self._read_at < FRESH_SECONDS:
            return
        wanted = {name: chosen[name] for name in ("start", "end", "model_version")}
        try:
            self.alerts.show(service.alerts(), service.health()["degraded"], zone)
        except CatsDogsError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            self.alerts.could_not(error)
        try:
            health = service.model_health(**wanted)
        except CatsDogsError as error:
            _log.warning("%s: %s", type(error).__name__, error)
            return
        self._view, self._read_at = view, now
        self.words.show(health)
        self.charts.show(health, zone, view)
