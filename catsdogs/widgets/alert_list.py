"""The alerts: what happened, since when, and what to do."""

from __future__ import annotations

from datetime import tzinfo

import traitlets

from catsdogs.alerting import texts
from catsdogs.alerting.alert import Alert
from catsdogs.domain import ServiceProblem
from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, script, style


class AlertList(BaseWidget):
    """Shows what an operator should look at, the most pressing first."""

    _esm = script("alert_list")
    _css = style("alert_list")

    alerts: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``rule``, ``state`` (as stored), and the words ``badge title happened when to_do``."""
    known = traitlets.Bool(False).tag(sync=True)
    """Whether the rules were checked: before, that there is no alert means nothing."""

    degraded: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Sentences on what does not work as it should."""
    problem = traitlets.Unicode().tag(sync=True)
    """Why the alerts could not be read now; otherwise empty."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Alerts"), "none": _("No alert: nothing to do now.")})

    def show(self, alerts: list[Alert], degraded: list[ServiceProblem], zone: tzinfo) -> None:
        """Show `alerts` with the wall clock of `zone`, and what does not work as it should."""
        _ = self._
        with self.hold_sync():
            self.known, self.problem = True, ""
            self.degraded = [texts.problem(found, _) for found in degraded]
            self.alerts = [
                {
                    "rule": alert["rule"],
                    "state": str(alert["state"]),
                    "badge": texts.state_name(alert, _),
                    "title": texts.title(alert, _),
                    "happened": texts.description(alert, _),
                    "when": texts.period(alert, _, zone),
                    "to_do": texts.to_do(alert, _),
                }
                for alert in alerts
            ]

    def show_error(self, error: CatsDogsError) -> None:
        """Show why the alerts could not be read; the alerts shown before stay."""
        self.problem = self._.describe(error)
