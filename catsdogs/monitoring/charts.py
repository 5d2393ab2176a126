"""Plotly figures of a :class:`~catsdogs.domain.Statistics`, for the dashboard, the report and the notebook.

Each takes the statistics, a translator and the reader's time zone, and draws without a database or pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby

import plotly.graph_objects as go

from catsdogs.domain import Bucket, FeedbackPoint, Statistics
from catsdogs.i18n import Translator
from catsdogs.monitoring.intervals import wilson
from catsdogs.monitoring.style import LATENCY, figure, plain, say_empty
from catsdogs.palette import BAD, CAT, DOG, GOOD, NEITHER

MAX_RATES = 16
"""Points of the satisfaction curve: fewer, so that each stands on more opinions."""


def inference_time(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw mean, median and p95 of the inference time over time, in milliseconds."""
    fig = figure(_("Inference time"), _)
    timeline = statistics["timeline"]
    if statistics["inference_time_ms"]["mean"] is None:
        return say_empty(fig, _("No successful prediction in this window."))
    moments = _moments(timeline, zone)
    fig.add_scatter(
        **_band(moments, [bucket["p50"] for bucket in timeline], [bucket["p95"] for bucket in timeline]),
        name=_("Median to p95"),
        fillcolor=_translucent(LATENCY),
        line={"color": _translucent(LATENCY), "width": 3},
    )
    for key, name in (("p95", _("p95")), ("mean", _("Mean")), ("p50", _("Median"))):
        drawn = key == "mean"  # the others are the edges of the band: they only answer the pointer
        fig.add_scatter(
            x=moments,
            y=[bucket[key] for bucket in timeline],  # type: ignore[literal-required]
            name=name,
            mode="lines+markers" if drawn else "lines",
            line={"color": LATENCY, "width": 2 if drawn else 0},
            marker={"size": 4},
            hovertemplate="%{y:,.1f} ms",
            showlegend=drawn,
        )
    fig.update_yaxes(title_text=_("milliseconds"), rangemode="tozero")
    return _over_time(fig, statistics, zone)


def answers(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw how many predictions there were over time, by answer."""
    fig = figure(_("Predictions and answers"), _)
    timeline = statistics["timeline"]
    if not statistics["total_predictions"]:
        return say_empty(fig, _("No prediction in this window."))
    moments = _moments(timeline, zone)
    series = (
        ("cat", _("Cat"), CAT),
        ("dog", _("Dog"), DOG),
        ("neither", _("Neither"), NEITHER),
        ("errors", _("Error"), BAD),
    )
    for key, name, colour in series:
        fig.add_bar(
            x=moments,
            y=[bucket[key] for bucket in timeline],  # type: ignore[literal-required]
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y:,}",
        )
    fig.update_layout(barmode="stack")
    few = max(bucket["predictions"] for bucket in timeline) <= 5
    fig.update_yaxes(title_text=_("predictions"), rangemode="tozero", tickformat=",~d", dtick=1 if few else None)
    return _over_time(fig, statistics, zone)


def satisfaction_split(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:  # noqa: ARG001
    """Draw how many people were satisfied and how many were not."""
    fig = figure(_("Satisfied or not"), _)
    satisfaction = statistics["satisfaction"]
    if satisfaction["rate"] is None:
        return say_empty(fig, _("No feedback in this window."))
    fig.add_pie(
        labels=[_("Satisfied"), _("Unsatisfied")],
        values=[satisfaction["satisfied"], satisfaction["unsatisfied"]],
        marker={"colors": [GOOD, BAD]},
        hole=0.68,
        sort=False,
        direction="clockwise",
        texttemplate="%{value:,}",
        hovertemplate="%{label}: %{value:,}<extra></extra>",
    )
    fig.add_annotation(
        text=_.percent(satisfaction["rate"]), x=0.5, y=0.5, showarrow=False, font={"size": 24, "weight": 600}
    )
    return fig


def satisfaction_rate(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw the share of satisfied people over time, with its 95 % Wilson interval."""
    fig = figure(_("Satisfaction over time"), _)
    if not statistics["satisfaction"]["n"]:
        return say_empty(fig, _("No feedback in this window."))
    timeline = statistics["timeline"]
    together = -(-len(timeline) // MAX_RATES)
    groups = [timeline[place : place + together] for place in range(0, len(timeline), together)]
    moments = _moments([group[0] for group in groups], zone)
    satisfied = [sum(bucket["satisfied"] for bucket in group) for group in groups]
    n = [sum(bucket["satisfied"] + bucket["unsatisfied"] for bucket in group) for group in groups]
    ends = [wilson(good, opinions) or (None, None) for good, opinions in zip(satisfied, n, strict=True)]
    rates = [good / opinions if opinions else None for good, opinions in zip(satisfied, n, strict=True)]
    fig.add_scatter(
        **_band(moments, [low for low, _high in ends], [high for _low, high in ends]),
        name=_("95 % interval"),
        fillcolor=_translucent(GOOD),
        line={"color": _translucent(GOOD), "width": 3},
    )
    fig.add_scatter(
        x=moments,
        y=rates,
        customdata=[
            ["" if rate is None else _.percent(rate), _.number(opinions)]
            for rate, opinions in zip(rates, n, strict=True)
        ],
        name=_("Satisfied"),
        mode="lines+markers",
        line={"color": GOOD, "width": 2},
        marker={"size": 5},
        hovertemplate="%{customdata[0]} (n = %{customdata[1]})",
    )
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    fig.update_yaxes(range=[0, 1.03], tickvals=ticks, ticktext=[_.percent(tick, digits=0) for tick in ticks])
    return _over_time(fig, statistics, zone)


def feedback(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Scatter the feedbacks over time and confidence; prediction and comment show under the pointer."""
    fig = figure(_("Feedback"), _)
    points = statistics["feedback"]
    if not points:
        return say_empty(fig, _("No feedback in this window."))
    for opinion, name, colour, symbol in ((1, _("Satisfied"), GOOD, "circle"), (0, _("Unsatisfied"), BAD, "x")):
        chosen = [point for point in points if point["user_feedback"] == opinion]
        fig.add_scatter(
            x=[_wall_clock(datetime.fromisoformat(point["timestamp"]), zone) for point in chosen],
            y=[point["confidence"] for point in chosen],
            text=[_under_pointer(point, _) for point in chosen],
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.75},
            hovertemplate="%{x|%-d %b %Y, %H:%M}<br>%{text}<extra></extra>",
        )
    ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    fig.update_yaxes(
        title_text=_("confidence"),
        range=[0.48, 1.02],  # an answer less sure than 50 % would be another answer
        tickvals=ticks,
        ticktext=[_.percent(tick, digits=0) for tick in ticks],
    )
    return _over_time(fig, statistics, zone).update_layout(hovermode="closest")


CHARTS: dict[str, Callable[[Statistics, Translator, tzinfo], go.Figure]] = {
    "inference_time": inference_time,
    "answers": answers,
    "satisfaction_split": satisfaction_split,
    "satisfaction_rate": satisfaction_rate,
    "feedback": feedback,
}
"""All charts, in the order a reader wants them."""


def answer_name(answer: str, _: Translator) -> str:
    """Say an answer as stored in ``prediction_result``."""
    names = {"cat": _("Cat"), "dog": _("Dog"), "neither": _("Neither"), "error": _("Error")}
    return names.get(answer, answer)


def _under_pointer(point: FeedbackPoint, _: Translator) -> str:
    answer = answer_name(point["prediction_result"], _)
    if point["confidence"] is not None:
        answer += f" ({_.percent(point['confidence'])})"
    comment = point["user_comment"]
    return f"{answer}<br>{plain(comment)}" if comment else answer


def _over_time(fig: go.Figure, statistics: Statistics, zone: tzinfo) -> go.Figure:
    """Let the time axis show the whole window, so that a gap is seen as one."""
    timeline = statistics["timeline"]
    margin = timedelta(seconds=statistics["bucket_seconds"]) * 0.6
    first, last = (datetime.fromisoformat(timeline[place]["start"]) for place in (0, -1))
    fig.update_xaxes(
        type="date",
        range=[_wall_clock(first - margin, zone), _wall_clock(last + margin, zone)],
        hoverformat="%-d %b %Y, %H:%M",
    )
    return fig.update_layout(hovermode="x unified")


def _moments(buckets: Sequence[Bucket], zone: tzinfo) -> list[str]:
    return [_wall_clock(datetime.fromisoformat(bucket["start"]), zone) for bucket in buckets]


def _wall_clock(moment: datetime, zone: tzinfo) -> str:
    """Give the wall clock's time in `zone`; Plotly knows no time zones."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat()


def _band(moments: list[str], low: list[float | None], high: list[float | None]) -> dict[str, object]:
    """Give one closed outline for each run without a gap: filling between two lines would bridge gaps."""
    x: list[str | None] = []
    y: list[float | None] = []
    triples = zip(moments, low, high, strict=True)
    for present, group in groupby(triples, key=lambda triple: triple[1] is not None):
        if present:
            run = list(group)
            x += [moment for moment, _low, _high in (*run, *reversed(run))] + [None]
            y += [bottom for _moment, bottom, _high in run] + [top for _moment, _low, top in reversed(run)] + [None]
    return {"x": x, "y": y, "mode": "lines", "fill": "toself", "hoverinfo": "skip"}


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.22)"
