"""The key figures, one tile for each."""

from __future__ import annotations

from datetime import date

import traitlets
from babel.dates import format_date

from catsdogs.i18n import NBSP, NOTHING, Translator
from catsdogs.monitoring.figures import Statistics, WorstDay
from catsdogs.monitoring.trends import figure_names, trends
from catsdogs.widgets.base import BaseWidget, script, style

NO_TREND = {"arrow": "", "trend": "", "tone": ""}


class KpiTiles(BaseWidget):
    """Shows the key figures of a window."""

    _esm = script("kpi_tiles")
    _css = style("kpi_tiles")

    tiles: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``label``, ``figure``, ``detail``, ``worst`` (the worst day), ``arrow``, ``trend``
    and ``tone``."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Key figures")})

    def show(self, statistics: Statistics) -> None:
        """Show the figures of `statistics`."""
        changes = trends(statistics, self._)
        worst = worst_days(statistics, self._)
        tiles = key_figures(statistics, self._)
        for tile in tiles:
            trend = changes.get(tile["name"])
            tile["worst"] = worst.get(tile["name"], "")
            tile.update({"arrow": trend.arrow, "trend": trend.words, "tone": trend.tone} if trend else NO_TREND)
        self.tiles = tiles


def key_figures(statistics: Statistics, _: Translator) -> list[dict[str, str]]:
    """Return ``name``, ``label``, ``figure`` and ``detail`` of each key figure, as texts."""
    figures = [
        ("total", _.number(statistics["total_predictions"]), _answers(statistics, _)),
        ("latency", _milliseconds(statistics["inference_time_ms"]["mean"], _), _latency(statistics, _)),
        ("satisfaction", _share(statistics["satisfaction"]["rate"], _), _satisfaction_interval(statistics, _)),
        ("errors", _share(statistics["error_rate"], _), _errors(statistics, _)),
        (
            "consent",
            _share(statistics["consent_rate"], _),
            _.plural("{n} prediction with consent", "{n} predictions with consent", statistics["rgpd_consents"]),
        ),
    ]
    names = figure_names(_)
    return [
        {"name": name, "label": names[name], "figure": figure, "detail": detail} for name, figure, detail in figures
    ]


def worst_days(statistics: Statistics, _: Translator) -> dict[str, str]:
    """Return the worst day of each key figure that has one, as texts; none of a short window."""
    found = statistics["worst_days"]
    if found is None:
        return {}
    days = {"latency": found["latency"], "satisfaction": found["satisfaction"], "errors": found["errors"]}
    return {name: _worst_day(day, name == "latency", _) for name, day in days.items() if day}


def _worst_day(worst: WorstDay, is_time: bool, _: Translator) -> str:
    value = _milliseconds(worst["value"], _) if is_time else _.percent(worst["value"], short=True)
    day = format_date(date.fromisoformat(worst["day"]), format="medium", locale=_.locale)
    text = _("Worst day: {value} on {day}, n = {n}", value=value, day=day, n=_.number(worst["n"]))
    return text.replace(" = ", f"{NBSP}={NBSP}")


def _errors(statistics: Statistics, _: Translator) -> str:
    if statistics["error_rate"] is None and statistics["total_predictions"]:
        return _("Only of all answers together")
    return _.plural("{n} photo could not be read", "{n} photos could not be read", statistics["answers"]["error"])


def _answers(statistics: Statistics, _: Translator) -> str:
    answers = statistics["answers"]
    counts = (
        _.plural("{n} cat", "{n} cats", answers["cat"]),
        _.plural("{n} dog", "{n} dogs", answers["dog"]),
        _.plural("{n} neither", "{n} neither", answers["neither"]),
    )
    return " · ".join(counts)


def _latency(statistics: Statistics, _: Translator) -> str:
    latency = statistics["inference_time_ms"]
    if latency["mean"] is None:
        return _("No successful prediction in this window.")
    return _(
        "min {least} · max {most} · p95 {p95}",
        least=_milliseconds(latency["min"], _),
        most=_milliseconds(latency["max"], _),
        p95=_milliseconds(latency["p95"], _),
    )


def _satisfaction_interval(statistics: Statistics, _: Translator) -> str:
    satisfaction = statistics["satisfaction"]
    low, high = satisfaction["low"], satisfaction["high"]
    if low is None or high is None:
        return _("No feedback in this window.")
    return _(
        "95% interval {low} to {high}, n = {n}",
        low=_.percent(low),
        high=_.percent(high),
        n=_.number(satisfaction["n"]),
    ).replace(" = ", f"{NBSP}={NBSP}")


def _milliseconds(value: float | None, _: Translator) -> str:
    return NOTHING if value is None else _.milliseconds(value).replace(" ", NBSP)


def _share(value: float | None, _: Translator) -> str:
    return NOTHING if value is None else _.percent(value, short=True)
