"""The report of a period: its parts, each of which a cell of the notebook displays. It has no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Protocol, Self

import plotly.graph_objects as go
from IPython.display import HTML

import catsdogs
from catsdogs.alerting import texts as alert_texts
from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.datetimes import zone_name
from catsdogs.i18n import NOTHING, Translator
from catsdogs.monitoring import health_charts, health_texts
from catsdogs.monitoring.charts import CHARTS, answer_name
from catsdogs.monitoring.demonstration import demonstration_text
from catsdogs.monitoring.figures import ModelHealth, Statistics
from catsdogs.monitoring.health_verdict import health_verdict
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.reporting import markup, opening, texts
from catsdogs.reporting.period import LOCAL, check_language, cut_to_data, is_over, parse_period

FACTS_TYPE = "application/vnd.catsdogs.report+json"
"""Media type of what the program that ran the notebook needs to know: ``title`` and ``firing``."""


class ReportService(Protocol):
    """Methods of a :class:`catsdogs.service.interface.Service` that a report calls."""

    def statistics(self, prediction_filter: PredictionFilter) -> Statistics:
        """Compute the KPIs."""

    def model_health(self, prediction_filter: PredictionFilter) -> ModelHealth:
        """Compute how good the model is."""

    def alerts(self, *, since: datetime | None = None, until: datetime | None = None) -> list[Alert]:
        """List the alerts of a time window, as they were at its end."""


@dataclass(frozen=True)
class Output:
    """A part of the report in a notebook's output, for people and for the program that ran the notebook."""

    html: str
    facts: dict[str, Any]
    """The title of the report, or the names of the rules whose alerts are firing."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/html": self.html, FACTS_TYPE: self.facts}


class Report:
    """The parts of a report, each to be displayed by a cell.

    Parameters
    ----------
    statistics
        Key figures of the period; the report leaves out their comments.
    health
        Health of the model in the period.
    alerts
        Alerts that were open in the period, as they were at its end.
    start, end
        Period, in :data:`LOCAL`.
    language
        One of :data:`catsdogs.i18n.LANGUAGES`.
    """

    def __init__(
        self,
        statistics: Statistics,
        health: ModelHealth,
        alerts: Sequence[Alert],
        start: datetime,
        end: datetime,
        language: str,
    ) -> None:
        anonymous = [point | {"user_comment": None} for point in statistics["feedback"]]
        self.statistics: Statistics = statistics | {"feedback": anonymous}
        self.health, self._is_over = health, is_over(end)
        self._alerts = list(alerts)
        self.start, self.end, self.zone = start, end, LOCAL
        self._ = Translator(language)

    @classmethod
    def of(cls, service: ReportService, start: str = "", end: str = "", language: str = "en") -> Self:
        """Read the figures and the stored alerts of a period.

        The alert rules are not evaluated: without a server that does so, call
        :meth:`catsdogs.service.local.Local.evaluate_alerts` first.

        Parameters
        ----------
        service
            Service that is asked for them.
        start, end
            See :func:`parse_period`; what is before the first prediction, or in the future, is cut off.
        language
            See :func:`check_language`.

        Raises
        ------
        CatsDogsError
            A parameter is wrong (see :func:`parse_period`), or the figures cannot be read.
        """
        language = check_language(language)
        since, until = parse_period(start, end)
        first = service.statistics(PredictionFilter(None, until))["start"]
        since, until = cut_to_data(since, until, first, datetime.now(LOCAL))
        of_period = PredictionFilter(since, until, zone=zone_name(LOCAL))
        statistics, health = service.statistics(of_period), service.model_health(of_period)
        alerts = service.alerts(since=since, until=until if is_over(until) else None)
        return cls(statistics, health, alerts, since, until, language)

    def headline(self) -> Output:
        """Return the title, the period, the verdict, what changed since the period before, and the worst days."""
        _ = self._
        title, dates = _("How the service did"), texts.period_title(self.start, self.end, _)
        verdict = opening.report_verdict(self.statistics, self.health, self._alerts, _)
        parts = [f'<h1>{escape(title)}</h1><p class="period">{escape(dates)}</p>']
        if self.statistics["demonstration"]:
            parts.append(f'<p class="demonstration">{escape(demonstration_text(_))}</p>')
        parts.append(f'<p class="verdict {verdict.level}">{escape(verdict.line(_))}</p>')
        if self.statistics["total_predictions"]:
            changes = opening.changes(self.statistics, _)
            parts += [markup.heading(_("What changed")), markup.sentence_list(changes)]
        if worst_days := opening.worst_days(self.statistics, _):
            parts += [markup.heading(_("Worst days")), markup.sentence_list(worst_days)]
        return Output("".join(parts), {"title": f"{title} · {dates}"})

    def key_figures(self) -> HTML:
        """Return the key figures in sentences."""
        heading = markup.heading(self._("Key figures"))
        return markup.html(heading + markup.sentence_list(texts.key_figures(self.statistics, self._)))

    def alerts(self) -> Output:
        """Return the alerts as they are now or, if the period is over, as they were at its end."""
        _ = self._
        items = "".join(self._alert_item(alert) for alert in self._alerts)
        no_alert = _("No alert.") if self._is_over else alert_texts.no_alert(self.statistics["total_predictions"], _)
        content = f'<ul class="alerts">{items}</ul>' if items else f"<p>{escape(no_alert)}</p>"
        firing = [alert["rule"] for alert in self._alerts if alert["state"] == AlertState.FIRING]
        moment = self.end if self._is_over else datetime.now(self.zone)
        heading = markup.heading(_("Alerts, as of {moment}", moment=_.datetime(moment)))
        return Output(heading + content, {"firing": firing})

    def _alert_item(self, alert: Alert) -> str:
        _ = self._
        sentences = [
            alert_texts.description(alert, _),
            alert_texts.period(alert, _, self.zone),
            alert_texts.course(alert, _, self.zone),
            alert_texts.to_do(alert, _),
        ]
        headline = f"<strong>{escape(alert_texts.headline(alert, _))}</strong>"
        return f'<li class="{alert["state"]}">{headline}<br>{escape(" ".join(filter(None, sentences)))}</li>'

    def charts(self) -> list[go.Figure]:
        """Return all charts of the key figures."""
        return [chart(self.statistics, self._, self.zone) for chart in CHARTS.values()]

    def model(self) -> HTML:
        """Return the model's health in sentences, and its tables of drift and of versions."""
        _ = self._
        sentences = markup.sentence_list(filter(None, health_texts.sentences(self.health, _)))
        drift = [health_texts.drift_cells(signal, _) for signal in self.health["drift"]]
        versions = [health_texts.version_cells(version, _) for version in self.health["versions"]]
        tables = ((health_texts.drift_columns(_), drift), (health_texts.version_columns(_), versions))
        shown = "".join(markup.table(columns, rows) for columns, rows in tables if rows)
        verdict = health_verdict(self.health, _)
        line = f'<p class="verdict {verdict.level}">{escape(verdict.line(_))}</p>'
        return markup.html(markup.heading(_("Is the model still good?")) + line + sentences + shown)

    def model_charts(self) -> list[go.Figure]:
        """Return the charts of the model's health; none if the period has no answer."""
        if self.health["estimated"]["rate"] is None and self.health["judged"]["rate"] is None:
            return []
        return [chart(self.health, self._, self.zone) for chart in health_charts.CHARTS.values()]

    def answers(self) -> HTML:
        """Return a table with the number of each answer, and the note about the report."""
        _, total = self._, self.statistics["total_predictions"]
        rows = [
            [answer_name(answer, _), _.number(n), _.percent(n / total, short=True) if total else ""]
            for answer, n in self.statistics["answers"].items()
        ]
        table = markup.table((_("Answer"), _("Predictions"), _("Share")), rows)
        heading = markup.heading(_("Predictions and answers"))
        return markup.html(f'{heading}{table}<p class="note">{escape(self._note())}</p>')

    def _note(self) -> str:
        _ = self._
        return _(
            "Written on {moment} by catsdogs {version}. Models: {models}. Times are those of {zone}. "
            "This report holds no file name and no comment.",
            moment=_.datetime(datetime.now(self.zone)),
            version=catsdogs.__version__,
            models=", ".join(self.statistics["model_versions"]) or NOTHING,
            zone=", ".join(dict.fromkeys(moment.tzname() or "UTC" for moment in (self.start, self.end))),
        )
