"""The list of alerts: what happened, since when, and what to do."""

from __future__ import annotations

from datetime import tzinfo

import traitlets

from catsdogs.alerting import problem_texts, texts
from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.domain import ServiceProblem
from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, script, style


class AlertList(BaseWidget):
    """Shows the alerts, the most urgent first, and what is degraded in the service."""

    _esm = script("alert_list")
    _css = style("alert_list")

    alerts: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``rule``, ``state`` (as stored), and the texts ``badge title happened when to_do``."""
    none = traitlets.Unicode().tag(sync=True)
    """Sentence where there is no alert."""
    watched = traitlets.Unicode().tag(sync=True)
    """Sentence on the alerts that are pending."""
    known = traitlets.Bool(False).tag(sync=True)
    """Whether the alerts were read; before that, an empty list does not mean that there is no alert."""
    degraded: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Sentences on what is degraded in the service."""
    problem = traitlets.Unicode().tag(sync=True)
    """Why the alerts could not be read now; otherwise empty."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Alerts")})

    def show_degraded(self, degraded: list[ServiceProblem]) -> None:
        """Show what is degraded in the service."""
        self.degraded = [problem_texts.sentence(found, self._) for found in degraded]

    def show(self, alerts: list[Alert], zone: tzinfo, predictions: int) -> None:
        """Show `alerts` with times of `zone`; where there is none, the number of predictions says what that means."""
        _ = self._
        with self.hold_sync():
            self.known, self.problem, self.none = True, "", texts.no_alert(predictions, _)
            self.watched = texts.watched(sum(alert["state"] == AlertState.PENDING for alert in alerts), _)
            self.alerts = [
                {
                    "rule": alert["rule"],
                    "state": str(alert["state"]),
                    "badge": texts.state_name(alert, _),
                    "title": texts.title(alert, _),
                    "happened": f"{texts.description(alert, _)} {texts.course(alert, _, zone)}",
                    "when": texts.period(alert, _, zone),
                    "to_do": texts.to_do(alert, _),
                }
                for alert in alerts
            ]

    def show_error(self, error: CatsDogsError) -> None:
        """Show why the alerts could not be read; the alerts shown before stay."""
        self.problem = self._.describe(error)
