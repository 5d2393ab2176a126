"""The report of a period: what a person reads in the morning, without anything personal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from html import escape
from typing import Protocol, Self

import plotly.graph_objects as go
from babel.dates import format_date, format_time
from IPython.display import HTML

import catsdogs
from catsdogs.alerting import texts
from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.alerting.listing import alerts_as_of
from catsdogs.i18n import NOTHING, Translator
from catsdogs.monitoring import health_charts
from catsdogs.monitoring import health_texts as words
from catsdogs.monitoring.charts import CHARTS, answer_name
from catsdogs.monitoring.figures import ModelHealth, Statistics
from catsdogs.reporting.period import LOCAL, is_over, language_of, period

ALERTS = "application/vnd.catsdogs.alerts+json"
"""Kind of output that tells whoever ran the notebook which rules fire."""


class Figures(Protocol):
    """What a report asks for, see :class:`catsdogs.service.interface.Service`."""

    def statistics(self, *, start: datetime | None = None, end: datetime | None = None) -> Statistics:
        """Compute the KPIs."""

    def model_health(self, *, start: datetime | None = None, end: datetime | None = None) -> ModelHealth:
        """Say how good the model is."""

    def alerts(self, *, since: datetime | None = None) -> list[Alert]:
        """Check the rules of the alerts."""


@dataclass(frozen=True)
class ShownAlerts:
    """The alerts as a page shows them, and as a program reads them."""

    html: str
    firing: list[str]

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/html": self.html, ALERTS: {"firing": self.firing}}


class Report:
    """The parts of a report, each to be displayed by a cell.

    Parameters
    ----------
    statistics
        Of the period; comments are left out of it.
    health
        Of the model, in the period.
    alerts
        Of now, and what was resolved since the period began. Where that is over, they are told as at its end.
    start, end
        The period, in :data:`LOCAL`.
    language
        Of `LANGUAGES`.
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
        self.health, self._over = health, is_over(end)
        self._alerts = alerts_as_of(alerts, end) if self._over else list(alerts)
        self.start, self.end, self.zone = start, end, LOCAL
        self._ = Translator(language)

    @classmethod
    def of(cls, service: Figures, start: str = "", end: str = "", language: str = "en") -> Self:
        """Read the figures of a period.

        Parameters
        ----------
        service
            Gives the figures.
        start, end
            See :func:`period`.
        language
            See :func:`language_of`.

        Raises
        ------
        CatsDogsError
            A parameter is wrong (see :func:`period`), or the figures cannot be read.
        """
        language = language_of(language)
        since, until = period(start, end)
        statistics = service.statistics(start=since, end=until)
        health = service.model_health(start=since, end=until)
        return cls(statistics, health, service.alerts(since=since), since, until, language)

    def headline(self) -> HTML:
        """Say the period and the key figures in words."""
        _ = self._
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences())
        title = escape(_("How the service did"))
        return _html(f'<h1>{title}</h1><p class="period">{escape(self.title())}</p><ul class="words">{items}</ul>')

    def title(self) -> str:
        """Say the period; one that ends at midnight does not reach the next day."""
        _ = self._
        end = self.end - timedelta(days=1) if self.end.time() == time.min else self.end
        if self.start.time() == time.min and end == self.start:
            return self._day(self.start)
        return _("From {start} to {end}", start=self._day(self.start), end=self._day(end))

    def sentences(self) -> list[str]:
        """Say the key figures."""
        _, figures = self._, self.statistics
        total, failed = figures["total_predictions"], figures["answers"]["error"]
        if not total:
            return [_("Nobody sent a photo in this period.")]
        return [
            _.plural("{n} photo was sent.", "{n} photos were sent.", total)
            + " "
            + (
                _.plural("{n} of them could not be read", "{n} of them could not be read", failed)
                + f" ({_.percent(failed / total)})."
                if failed
                else _("All of them could be read.")
            ),
            *self._latency(),
            *self._satisfaction(),
            _(
                "{share} came with consent to keep file name and comment.",
                share=_.percent(figures["consent_rate"] or 0),
            ),
        ]

    def _latency(self) -> list[str]:
        _, latency = self._, self.statistics["inference_time_ms"]
        said = {
            name: _.milliseconds(value)
            for name, value in (("mean", latency["mean"]), ("min", latency["min"]), ("max", latency["max"]))
            if value is not None
        }
        if not said:
            return []
        return [_("An answer took {mean} on average, from {min} to {max}.", **said)]

    def _satisfaction(self) -> list[str]:
        _, satisfaction = self._, self.statistics["satisfaction"]
        rate, low, high = satisfaction["rate"], satisfaction["low"], satisfaction["high"]
        if rate is None or low is None or high is None:
            return [_("Nobody said whether an answer was right.")]
        return [
            _(
                "{rate} of those who said whether the answer was right were satisfied: {satisfied} of {n} "
                "(95% interval: {low} to {high}).",
                rate=_.percent(rate),
                satisfied=_.number(satisfaction["satisfied"]),
                n=_.number(satisfaction["n"]),
                low=_.percent(low),
                high=_.percent(high),
            )
        ]

    def alerts(self) -> ShownAlerts:
        """Say whether someone must act: what fires now or, where the period is over, at its end."""
        _ = self._
        items = "".join(self._alert(alert) for alert in self._alerts)
        none = escape(_("No alert.") if self._over else _("No alert: nothing needs you now."))
        said = f'<ul class="alerts">{items}</ul>' if items else f"<p>{none}</p>"
        firing = [alert["rule"] for alert in self._alerts if alert["state"] == AlertState.FIRING]
        moment = self.end if self._over else datetime.now(self.zone)
        heading = _("Alerts, as of {moment}", moment=_.datetime(moment))
        return ShownAlerts(_heading(heading) + said, firing)

    def _alert(self, alert: Alert) -> str:
        _ = self._
        lines = [texts.description(alert, _), texts.period(alert, _, self.zone)]
        if alert["resolved_at"] is None:
            lines.append(texts.to_do(alert, _))
        head = f"<strong>{escape(texts.headline(alert, _))}</strong>"
        return f'<li class="{alert["state"]}">{head}<br>{escape(" ".join(lines))}</li>'

    def charts(self) -> list[go.Figure]:
        """Draw all charts."""
        return [chart(self.statistics, self._, self.zone) for chart in CHARTS.values()]

    def model(self) -> HTML:
        """Say whether the model is still good."""
        _ = self._
        said = "".join(f"<li>{escape(sentence)}</li>" for sentence in words.sentences(self.health, _) if sentence)
        drift = [words.drift_cells(one, _) for one in self.health["drift"]]
        versions = [words.version_cells(one, _) for one in self.health["versions"]]
        tables = ((words.drift_columns(_), drift), (words.version_columns(_), versions))
        shown = "".join(_table(columns, rows) for columns, rows in tables if rows)
        return _html(_heading(_("Is the model still good?")) + f'<ul class="words">{said}</ul>{shown}')

    def model_charts(self) -> list[go.Figure]:
        """Draw the model's health; nothing where there is no answer."""
        if self.health["estimated"]["rate"] is None and self.health["judged"]["rate"] is None:
            return []
        return [chart(self.health, self._, self.zone) for chart in health_charts.CHARTS.values()]

    def answers(self) -> HTML:
        """Count the answers."""
        _, total = self._, self.statistics["total_predictions"]
        rows = [
            [answer_name(answer, _), _.number(n), _.percent(n / total) if total else ""]
            for answer, n in self.statistics["answers"].items()
        ]
        table = _table((_("Answer"), _("Predictions"), _("Share")), rows)
        heading = _heading(_("Predictions and answers"))
        return _html(f'{heading}{table}<p class="note">{escape(self._made())}</p>')

    def _made(self) -> str:
        _ = self._
        return _(
            "Written on {moment} by catsdogs {version}. Models: {models}. Times are those of {zone}. "
            "This report holds no file name and no comment.",
            moment=_.datetime(datetime.now(self.zone)),
            version=catsdogs.__version__,
            models=", ".join(self.statistics["model_versions"]) or NOTHING,
            zone=", ".join(dict.fromkeys(moment.tzname() or "UTC" for moment in (self.start, self.end))),
        )

    def _day(self, moment: datetime) -> str:
        day = format_date(moment, format="long", locale=self._.locale)
        return (
            day if moment.time() == time.min else f"{day}, {format_time(moment, format='short', locale=self._.locale)}"
        )


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    # a table wider than a phone is moved in its box, by keys too
    return f"<div class='box' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _html(markup: str) -> HTML:
    return HTML(markup)  # type: ignore[no-untyped-call]  # IPython's has no types
