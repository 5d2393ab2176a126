"""The key figures, one tile for each."""

from __future__ import annotations

import traitlets

from catsdogs.i18n import NBSP, NOTHING, Translator
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.trends import trends
from catsdogs.widgets.base import BaseWidget, script, style

NO_TREND = {"arrow": "", "trend": "", "tone": ""}


class KpiTiles(BaseWidget):
    """Shows the key figures of a window."""

    _esm = script("kpi_tiles")
    _css = style("kpi_tiles")

    tiles: traitlets.List[dict[str, str]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``label``, ``figure``, ``detail``, ``arrow``, ``trend`` and ``tone``."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(translator, {"title": _("Key figures")})

    def show(self, statistics: Statistics) -> None:
        """Show the figures of `statistics`."""
        changes = trends(statistics, self._)
        tiles = key_figures(statistics, self._)
        for tile in tiles:
            trend = changes.get(tile["name"])
            tile.update({"arrow": trend.arrow, "trend": trend.words, "tone": trend.tone} if trend else NO_TREND)
        self.tiles = tiles


def key_figures(statistics: Statistics, _: Translator) -> list[dict[str, str]]:
    """Return ``name``, ``label``, ``figure`` and ``detail`` of each key figure, as texts."""
    figures = [
        ("total", _("Predictions"), _.number(statistics["total_predictions"]), _answers(statistics, _)),
        (
            "latency",
            _("Mean inference time"),
            _milliseconds(statistics["inference_time_ms"]["mean"], _),
            _latency(statistics, _),
        ),
        (
            "satisfaction",
            _("Satisfied people"),
            _share(statistics["satisfaction"]["rate"], _),
            _satisfaction_interval(statistics, _),
        ),
        (
            "errors",
            _("Errors"),
            _share(statistics["error_rate"], _),
            _.plural("{n} photo could not be read", "{n} photos could not be read", statistics["answers"]["error"]),
        ),
        (
            "consent",
            _("Consent given"),
            _share(statistics["consent_rate"], _),
            _.plural("{n} prediction with consent", "{n} predictions with consent", statistics["rgpd_consents"]),
        ),
    ]
    return [dict(zip(("name", "label", "figure", "detail"), figure, strict=True)) for figure in figures]


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
        return _("No prediction yet.")
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
        return _("No feedback yet")
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
