"""The key figures, each with what it takes to read it rightly."""

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
        self.tiles = key_figures(statistics, self._)


def key_figures(statistics: Statistics, _: Translator) -> list[dict[str, str]]:
    """Say the key figures in words, in the order a reader wants them."""
    total, failed = statistics["total_predictions"], statistics["answers"]["error"]
    answers = statistics["answers"]
    latency, satisfaction = statistics["inference_time_ms"], statistics["satisfaction"]
    figures = [
        (
            "total",
            _("Predictions"),
            _.number(total),
            _(
                "{cats} cat · {dogs} dog · {neither} neither",
                cats=_.number(answers["cat"]),
                dogs=_.number(answers["dog"]),
                neither=_.number(answers["neither"]),
            ),
        ),
        (
            "latency",
            _("Mean inference time"),
            _milliseconds(latency["mean"], _),
            _("No prediction yet.")
            if latency["mean"] is None
            else _(
                "min {least} · max {most} · p95 {p95}",
                least=_milliseconds(latency["min"], _),
                most=_milliseconds(latency["max"], _),
                p95=_milliseconds(latency["p95"], _),
            ),
        ),
        ("satisfaction", _("Satisfied people"), _share(satisfaction["rate"], _), _certainty(statistics, _)),
        (
            "errors",
            _("Errors"),
            _share(statistics["error_rate"], _),
            _.plural("{n} photo could not be read", "{n} photos could not be read", failed),
        ),
        (
            "consent",
            _("Consent given"),
            _share(statistics["consent_rate"], _),
            _.plural("{n} prediction with consent", "{n} predictions with consent", statistics["rgpd_consents"]),
        ),
    ]
    moved = trends(statistics, _)
    tiles = [dict(zip(("name", "label", "figure", "detail"), figure, strict=True)) for figure in figures]
    for tile in tiles:
        trend = moved.get(tile["name"])
        said = {"arrow": trend.arrow, "trend": trend.words, "tone": trend.tone} if trend else NO_TREND
        tile.update(said)
    return tiles


def _certainty(statistics: Statistics, _: Translator) -> str:
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
    return NOTHING if value is None else _.percent(value)
