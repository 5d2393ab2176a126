"""Plotly figures of the model's health, for the dashboard, the report and the notebook.

They draw a :class:`~catsdogs.monitoring.figures.ModelHealth`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta, tzinfo

import plotly.graph_objects as go

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import Translator
from catsdogs.monitoring.chart_style import add_placeholder, band, figure, lines, translucent
from catsdogs.monitoring.drift_limits import MODERATE_PSI, STRONG_PSI
from catsdogs.monitoring.figures import Accuracy, Drift, DriftLevel, ModelHealth, ReferenceKind
from catsdogs.monitoring.health_texts import level_name, sample_size, signal_name
from catsdogs.monitoring.time_axis import TimeAxis
from catsdogs.palette import BAD, DOG, GOOD, NEITHER

CUT_BAR_MARK = "→"
"""Mark at the end of a bar that is longer than the axis."""

MIN_BAR_COUNT = 30
"""Smallest number of judged answers of a filled mark in the reliability diagram."""

_TICKS = (0, 0.2, 0.4, 0.6, 0.8, 1.0)
_COLOURS = {DriftLevel.TOO_FEW: NEITHER, DriftLevel.NONE: GOOD, DriftLevel.MODERATE: "#B8860B", DriftLevel.STRONG: BAD}


def accuracy(health: ModelHealth, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw how many answers were right over time: as judged, with its interval, and as estimated without labels."""
    fig = figure(_sampled(_("Right answers over time"), health["estimated_from"], health["estimated_of"], _), _)
    timeline = health["timeline"]
    if health["estimated"]["rate"] is None and health["judged"]["rate"] is None:
        return add_placeholder(fig, _("No answer in this window."))
    starts = [parse_timestamp(bucket["start"]) for bucket in timeline]
    axis = TimeAxis(starts, timedelta(seconds=health["bucket_seconds"]), zone, _)
    moments = axis.places
    judged = [bucket["judged"] for bucket in timeline]
    fig.add_scatter(
        **band(moments, [one["low"] for one in judged], [one["high"] for one in judged]),
        name=_("95% interval"),
        fillcolor=translucent(GOOD),
        line={"color": translucent(GOOD), "width": 3},
    )
    series = ((_("Judged by people"), judged, GOOD), (_("Estimated (CBPE)"), [b["estimated"] for b in timeline], DOG))
    for name, found, colour in series:
        fig.add_scatter(
            x=moments,
            y=[one["rate"] for one in found],
            customdata=[_rate_text(one, _) for one in found],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 5},
            hovertemplate="%{customdata}",
        )
    lowest = min((one["rate"] for _name, found, _c in series for one in found if one["rate"] is not None), default=0.0)
    bottom = max(tick for tick in _TICKS[:-1] if tick <= max(0.0, lowest - 0.05))
    axis.add_spans(fig, level=bottom)
    _percent_axis(fig.update_yaxes, _, bottom)
    return axis.draw(fig)


def reliability(health: ModelHealth, _: Translator, zone: tzinfo = UTC) -> go.Figure:  # noqa: ARG001
    """Draw the reliability diagram: how often answers were right, by how sure the model was."""
    fig = figure(_sampled(_("Reliability of the probabilities"), health["judged"]["n"], health["judged_of"], _), _)
    bins = health["reliability"]
    if not bins:
        return add_placeholder(fig, _("Nobody judged an answer in this window."))
    fig.add_scatter(
        x=[0.5, 1], y=[0.5, 1], mode="lines", name=_("As it should be"), hoverinfo="skip",
        line={"color": NEITHER, "width": 1, "dash": "dot"},
    )  # fmt: skip
    rates = [one["rate"] or 0.0 for one in bins]
    fig.add_scatter(
        x=[one["confidence"] for one in bins],
        y=rates,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [(one["high"] or rate) - rate for one, rate in zip(bins, rates, strict=True)],
            "arrayminus": [rate - (one["low"] or 0.0) for one, rate in zip(bins, rates, strict=True)],
            "color": GOOD,
            "thickness": 1.2,
        },
        customdata=[_rate_text(one, _) for one in bins],
        name=lines(_("Judged by people, 95% interval")),
        mode="markers",
        marker={
            "color": GOOD,
            "size": 8,
            # hollow where they are few, and the place is mostly chance
            "symbol": ["circle" if one["n"] >= MIN_BAR_COUNT else "circle-open" for one in bins],
        },
        hovertemplate="%{customdata}<extra></extra>",
    )
    ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    fig.update_xaxes(
        title_text=_("confidence"), range=[0.48, 1.02], tickvals=ticks, ticktext=[_.percent(t, digits=0) for t in ticks]
    )
    _percent_axis(fig.update_yaxes, _, 0.0)
    return fig


def drift(health: ModelHealth, _: Translator, zone: tzinfo = UTC) -> go.Figure:  # noqa: ARG001
    """Draw how far each signal moved from the model's reference, with the limits of the usual reading."""
    version = health["model_version"]
    title = _("Drift of model {version}", version=version) if version else _("Drift")
    fig = figure(_sampled(title, health["estimated_from"], health["estimated_of"], _), _)
    found = health["drift"]
    if not any(one["n"] for one in found):
        reasons = {
            ReferenceKind.NO_CARD: _("This machine does not have the model's card."),
            ReferenceKind.NONE: _("The model's card has no reference."),
        }
        nothing = _("Nothing to compare in this window.")
        reason = reasons.get(ReferenceKind(health["reference_kind"]), nothing) if version else nothing
        return add_placeholder(fig, reason)
    shown = 4 * STRONG_PSI  # what is beyond is as strong as can be: its bar ends with an arrow
    names = [signal_name(one["signal"], _) for one in found]
    # of few photos the index is mostly chance: a bar would be read as drift
    read = [0.0 if one["reading"] == DriftLevel.TOO_FEW else one["psi"] for one in found]
    said = [_drift_text(one, _) for one in found]
    fig.add_bar(
        # the figure stands below the name: beside a long bar a phone has no room for it
        y=[f"{lines(name, width=18)}<br><b>{words}</b>" for name, words in zip(names, said, strict=True)],
        x=[min(psi, shown) for psi in read],
        text=[CUT_BAR_MARK if psi > shown else "" for psi in read],
        textposition="inside",
        insidetextanchor="end",
        insidetextfont={"color": "white", "size": 14},
        textangle=0,
        orientation="h",
        marker={"color": [_COLOURS[DriftLevel(one["reading"])] for one in found]},
        hovertemplate="%{y}<extra></extra>",
        showlegend=False,
    )
    for limit in (MODERATE_PSI, STRONG_PSI):
        fig.add_vline(x=limit, line={"color": NEITHER, "width": 1, "dash": "dot"})
    fig.update_yaxes(autorange="reversed", showgrid=False)
    ticks = (0, MODERATE_PSI, STRONG_PSI, 2 * STRONG_PSI, 3 * STRONG_PSI, shown)  # the limits can be read off
    # a phone has no room for "0.00" beside "0.10": Plotly would turn all of them, over the text below
    texts = ["0", *(_.number(tick, digits=2) for tick in ticks[1:])]
    fig.update_xaxes(range=[0, shown * 1.02], tickvals=ticks, ticktext=texts, tickangle=0)
    legend = [
        _(
            "stability index (PSI): from {moderate} moderate, above {strong} strong",
            moderate=_.number(MODERATE_PSI, digits=2),
            strong=_.number(STRONG_PSI, digits=2),
        )
    ]
    if any(psi > shown for psi in read):
        legend.append(_("{arrow} longer than drawn", arrow=CUT_BAR_MARK))
    return _add_note_below(fig, "<br>".join(lines(part, width=40) for part in legend)).update_layout(height=400)


CHARTS: dict[str, Callable[[ModelHealth, Translator, tzinfo], go.Figure]] = {
    "accuracy": accuracy,
    "reliability": reliability,
    "drift": drift,
}
"""All charts, in the order in which they are shown."""


def _sampled(title: str, n: int, total: int, _: Translator) -> str:
    """Say in the title of a chart that its figures are those of a sample."""
    return title if n >= total else f"{title} ({sample_size(n, total, _)})"


def _drift_text(one: Drift, _: Translator) -> str:
    level = level_name(one["reading"], _)
    return level if one["reading"] == DriftLevel.TOO_FEW else f"{_.number(one['psi'], digits=2)} · {level}"


def _rate_text(one: Accuracy, _: Translator) -> str:
    return "" if one["rate"] is None else f"{_.percent(one['rate'], short=True)} (n = {_.number(one['n'])})"


def _add_note_below(fig: go.Figure, text: str) -> go.Figure:
    """Add a text below the horizontal axis, at its right end: a centred axis title is cut off on a short axis."""
    fig.add_annotation(
        text=text, x=1, y=0, xref="paper", yref="paper", xanchor="right", yanchor="top", yshift=-26, align="right",
        showarrow=False,
    )  # fmt: skip
    return fig.update_layout(margin={"b": 36 + 16 * (text.count("<br>") + 1)})


def _percent_axis(update: Callable[..., object], _: Translator, bottom: float) -> None:
    update(range=[bottom - 0.02, 1.03], tickvals=_TICKS, ticktext=[_.percent(tick, digits=0) for tick in _TICKS])
