"""The sentences that open a report: the verdict, what changed, and the worst days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from babel.dates import format_date

from catsdogs.alerting import texts as alert_texts
from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import ModelHealth, Statistics, WorstDay
from catsdogs.monitoring.health_verdict import health_verdict
from catsdogs.monitoring.trends import Trend, TrendTone, figure_names, trends
from catsdogs.monitoring.verdict import Level, Reason, Verdict, worst

NO_CHANGE = "="
"""Arrow of a trend that is no clear change."""


def report_verdict(statistics: Statistics, health: ModelHealth, alerts: Sequence[Alert], _: Translator) -> Verdict:
    """Judge the service in a period: by its alerts, by what became worse, and by the model's health."""
    if not statistics["total_predictions"]:
        otherwise = Verdict(Level.UNKNOWN, [_("Nobody sent a photo in this period.")])
    else:
        otherwise = Verdict(Level.GOOD, [_("No alert fired, and no figure became clearly worse.")])
    return worst(_reasons(statistics, health, alerts, _), otherwise)


def changes(statistics: Statistics, _: Translator) -> list[str]:
    """Return what changed clearly against the period of the same length before."""
    if statistics["previous"] is None or not statistics["previous"]["total_predictions"]:
        return [_("There is nothing to compare with: no photo was sent in the period of the same length before.")]
    found = [
        _describe_change(name, trend, _) for name, trend in trends(statistics, _).items() if trend.arrow != NO_CHANGE
    ]
    return found or [_("No figure changed clearly against the period of the same length before.")]


def _describe_change(name: str, trend: Trend, _: Translator) -> str:
    """Name a figure, its value in the period, and what it was before."""
    return _("{figure}: {now} · {change}", figure=figure_names(_)[name], now=trend.now, change=trend.words)


def worst_days(statistics: Statistics, _: Translator) -> list[str]:
    """Return which days were worst, for a period of more than two days."""
    found = statistics["worst_days"]
    return [] if found is None else list(_worst_days(found["latency"], found["errors"], found["satisfaction"], _))


def _worst_days(
    latency: WorstDay | None, errors: WorstDay | None, satisfaction: WorstDay | None, _: Translator
) -> Iterator[str]:
    if latency:
        mean = _.milliseconds(latency["value"])
        yield _("Slowest day: {day}, with {mean} on average.", day=_format_day(latency, _), mean=mean)
    if errors:
        day, share = _format_day(errors, _), _.percent(errors["value"])
        yield _.plural(
            "Day with most errors: {day}, when {share} of {n} photo could not be read.",
            "Day with most errors: {day}, when {share} of {n} photos could not be read.",
            errors["n"],
            day=day,
            share=share,
        )
    if satisfaction:
        day, share = _format_day(satisfaction, _), _.percent(satisfaction["value"])
        yield _.plural(
            "Least satisfied day: {day}, when {share} of {n} person was satisfied.",
            "Least satisfied day: {day}, when {share} of {n} people were satisfied.",
            satisfaction["n"],
            day=day,
            share=share,
        )


def _format_day(day: WorstDay, _: Translator) -> str:
    return format_date(date.fromisoformat(day["day"]), format="long", locale=_.locale)


def _reasons(statistics: Statistics, health: ModelHealth, alerts: Sequence[Alert], _: Translator) -> Iterator[Reason]:
    for alert in alerts:
        title = alert_texts.title(alert, _)
        if alert["state"] == AlertState.FIRING:
            yield Reason(Level.BAD, _("Alert: {title}.", title=title))
        elif alert["state"] == AlertState.RESOLVED:
            yield Reason(Level.WATCH, _("Resolved: {title}.", title=title))
    for name, trend in trends(statistics, _).items():
        if trend.tone == TrendTone.BAD:
            yield Reason(Level.WATCH, f"{_describe_change(name, trend, _)}.")
    of_model = health_verdict(health, _)
    if of_model.level in (Level.BAD, Level.WATCH):
        yield from (Reason(of_model.level, sentence) for sentence in of_model.sentences)
