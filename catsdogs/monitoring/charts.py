"""Plotly figures of a :class:`~catsdogs.monitoring.figures.Statistics`, for the dashboard, the report and the notebook.

Each takes the statistics, a translator and the reader's time zone, and draws without a database or pandas.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta, tzinfo
from math import floor, log10

import plotly.graph_objects as go

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import Translator
from catsdogs.monitoring.chart_style import LATENCY, add_placeholder, band, figure, plain, translucent
from catsdogs.monitoring.figures import FeedbackPoint, Statistics
from catsdogs.monitoring.time_axis import TimeAxis
from catsdogs.palette import BAD, CAT, DOG, GOOD, NEITHER
from catsdogs.stats import wilson_interval

MAX_SHARE_POINTS = 16
"""Largest number of points of a curve of shares: fewer than others have, so that each has more predictions."""
MIN_INTERVAL_COUNT = 10
"""Smallest number of predictions whose interval the axis is scaled for: with fewer, it is too wide."""


def inference_time(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw mean, median, p95 and p99 of the inference time over time, in milliseconds."""
    fig = figure(_("Inference time"), _)
    timeline = statistics["timeline"]
    if statistics["inference_time_ms"]["mean"] is None:
        return add_placeholder(fig, _("No successful prediction in this window."))
    axis = _time_axis(statistics, _, zone)
    moments = axis.places
    axis.add_spans(fig)
    p50, p95, p99 = ([bucket[key] for bucket in timeline] for key in ("p50", "p95", "p99"))
    for low, high, name, opacity in ((p50, p95, _("Median to p95"), 0.36), (p95, p99, _("p95 to p99"), 0.2)):
        fig.add_scatter(
            **band(moments, low, high),
            name=name,
            fillcolor=translucent(LATENCY, opacity),
            line={"color": translucent(LATENCY, opacity), "width": 3},
        )
    for key, name in (("p99", _("p99")), ("p95", _("p95")), ("mean", _("Mean")), ("p50", _("Median"))):
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
    return axis.draw(fig)


def answers(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw how many predictions there were over time, by answer."""
    fig = figure(_("Predictions and answers"), _)
    timeline = statistics["timeline"]
    if not statistics["total_predictions"]:
        return add_placeholder(fig, _("No prediction in this window."))
    axis = _time_axis(statistics, _, zone)
    axis.add_spans(fig)
    series = (
        ("cat", _("Cat"), CAT),
        ("dog", _("Dog"), DOG),
        ("neither", _("Neither"), NEITHER),
        ("errors", _("Error"), BAD),
    )
    for key, name, colour in series:
        fig.add_bar(
            x=axis.places,
            y=[bucket[key] for bucket in timeline],  # type: ignore[literal-required]
            width=axis.bar_width,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y:,}",
        )
    fig.update_layout(barmode="stack")
    few = max(bucket["predictions"] for bucket in timeline) <= 5
    fig.update_yaxes(title_text=_("predictions"), rangemode="tozero", tickformat=",~d", dtick=1 if few else None)
    return axis.draw(fig)


def satisfaction_split(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:  # noqa: ARG001
    """Draw how many people were satisfied and how many were not."""
    fig = figure(_("Satisfied or not"), _)
    satisfaction = statistics["satisfaction"]
    if satisfaction["rate"] is None:
        return add_placeholder(fig, _("No feedback in this window."))
    fig.add_pie(
        labels=[_("Satisfied"), _("Unsatisfied")],
        values=[satisfaction["satisfied"], satisfaction["unsatisfied"]],
        # a slice of nobody has no place for its figure, which would lie on the legend
        text=[_.number(n) if n else "" for n in (satisfaction["satisfied"], satisfaction["unsatisfied"])],
        marker={"colors": [GOOD, BAD]},
        hole=0.68,
        sort=False,
        direction="clockwise",
        texttemplate="%{text}",
        hovertemplate="%{label}: %{value:,}<extra></extra>",
    )
    fig.add_annotation(
        text=_.percent(satisfaction["rate"], short=True),
        x=0.5,
        y=0.5,
        showarrow=False,
        font={"size": 24, "weight": 600},
    )
    return fig


def satisfaction_rate(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw the share of satisfied people over time, with its 95 % Wilson interval."""
    fig = figure(_("Satisfaction over time"), _)
    if not statistics["satisfaction"]["n"]:
        return add_placeholder(fig, _("No feedback in this window."))
    timeline = statistics["timeline"]
    satisfied = [bucket["satisfied"] for bucket in timeline]
    n = [bucket["satisfied"] + bucket["unsatisfied"] for bucket in timeline]
    axis = _time_axis(statistics, _, zone)
    _draw_share(fig, axis, _, satisfied, n, _("Satisfied"), GOOD)
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    fig.update_yaxes(range=[0, 1.03], tickvals=ticks, ticktext=[_.percent(tick, digits=0) for tick in ticks])
    return axis.draw(fig)


def error_rate(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Draw the share of photos that could not be read over time, with its 95 % Wilson interval."""
    fig = figure(_("Errors over time"), _)
    if not statistics["total_predictions"]:
        return add_placeholder(fig, _("No prediction in this window."))
    if statistics["error_rate"] is None:
        return add_placeholder(fig, _("Only of all answers together"))
    timeline = statistics["timeline"]
    errors, n = ([bucket[key] for bucket in timeline] for key in ("errors", "predictions"))
    axis = _time_axis(statistics, _, zone)
    top = _draw_share(fig, axis, _, errors, n, _("Errors"), BAD)
    step = _round_step(top)
    digits = max(0, -2 - floor(log10(step) + 1e-9))
    ticks = [place * step for place in range(int(min(1, 1.1 * top) / step + 1e-9) + 1)]
    fig.update_yaxes(
        range=[0, min(1.03, 1.1 * top)], tickvals=ticks, ticktext=[_.percent(tick, digits) for tick in ticks]
    )
    return axis.draw(fig)


def _round_step(top: float) -> float:
    """Return the step of an axis from 0 to `top` with about five ticks: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(top / 5))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= top / 5 * (1 - 1e-9))


def _draw_share(
    fig: go.Figure,
    axis: TimeAxis,
    _: Translator,
    parts: list[int],
    wholes: list[int],
    name: str,
    colour: str,
) -> float:
    """Draw a share of each bucket, pooled to at most :data:`MAX_SHARE_POINTS`, with its interval.

    Returns
    -------
    float
        Largest upper end of an interval of at least :data:`MIN_INTERVAL_COUNT` predictions.
    """
    pooled = -(-len(parts) // MAX_SHARE_POINTS)  # number of buckets for each point
    starts = range(0, len(parts), pooled)
    part, n = ([sum(counts[start : start + pooled]) for start in starts] for counts in (parts, wholes))
    pooled_axis = axis.pooled(pooled)
    moments = pooled_axis.places
    pooled_axis.add_spans(fig)
    ends = [wilson_interval(successes, total) or (None, None) for successes, total in zip(part, n, strict=True)]
    shares = [successes / total if total else None for successes, total in zip(part, n, strict=True)]
    fig.add_scatter(
        **band(moments, [low for low, _high in ends], [high for _low, high in ends]),
        name=_("95% interval"),
        fillcolor=translucent(colour),
        line={"color": translucent(colour), "width": 3},
    )
    fig.add_scatter(
        x=moments,
        y=shares,
        customdata=[
            ["" if share is None else _.percent(share, short=True), _.number(total)]
            for share, total in zip(shares, n, strict=True)
        ],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate="%{customdata[0]} (n = %{customdata[1]})",
    )
    narrow = [
        high for (_low, high), total in zip(ends, n, strict=True) if high is not None and total >= MIN_INTERVAL_COUNT
    ]
    return max(narrow or [high for _low, high in ends if high is not None], default=1.0)


def feedback(statistics: Statistics, _: Translator, zone: tzinfo = UTC) -> go.Figure:
    """Scatter the feedbacks over time and confidence; prediction and comment show under the pointer."""
    points, n = statistics["feedback"], statistics["satisfaction"]["n"]
    latest = _("Feedback: the latest {shown} of {n}", shown=_.number(len(points)), n=_.number(n))
    fig = figure(latest if len(points) < n else _("Feedback"), _)
    if not points:
        return add_placeholder(fig, _("No feedback in this window."))
    axis = _time_axis(statistics, _, zone)
    for opinion, name, colour, symbol in ((1, _("Satisfied"), GOOD, "circle"), (0, _("Unsatisfied"), BAD, "x")):
        chosen = [point for point in points if point["user_feedback"] == opinion]
        fig.add_scatter(
            x=[axis.place(parse_timestamp(point["timestamp"])) for point in chosen],
            y=[point["confidence"] for point in chosen],
            text=[_hover_text(point, _, zone) for point in chosen],
            name=name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.75},
            hovertemplate="%{text}<extra></extra>",
        )
    ticks = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    fig.update_yaxes(
        title_text=_("confidence"),
        range=[0.48, 1.02],  # an answer less sure than 50 % would be another answer
        tickvals=ticks,
        ticktext=[_.percent(tick, digits=0) for tick in ticks],
    )
    return axis.draw(fig).update_layout(hovermode="closest")


CHARTS: dict[str, Callable[[Statistics, Translator, tzinfo], go.Figure]] = {
    "inference_time": inference_time,
    "answers": answers,
    "satisfaction_split": satisfaction_split,
    "satisfaction_rate": satisfaction_rate,
    "error_rate": error_rate,
    "feedback": feedback,
}
"""All charts, in the order in which they are shown."""


def answer_name(answer: str, _: Translator) -> str:
    """Return the name of an answer as stored in ``prediction_result``."""
    names = {"cat": _("Cat"), "dog": _("Dog"), "neither": _("Neither"), "error": _("Error")}
    return names.get(answer, answer)


def _hover_text(point: FeedbackPoint, _: Translator, zone: tzinfo) -> str:
    answer = answer_name(point["prediction_result"], _)
    if point["confidence"] is not None:
        answer += f" ({_.probability(point['confidence'], short=True)})"
    moment = _.datetime(parse_timestamp(point["timestamp"]).astimezone(zone))
    comment = point["user_comment"]
    return "<br>".join([moment, answer, *([plain(comment)] if comment else [])])


def _time_axis(statistics: Statistics, _: Translator, zone: tzinfo) -> TimeAxis:
    starts = [parse_timestamp(bucket["start"]) for bucket in statistics["timeline"]]
    return TimeAxis(starts, timedelta(seconds=statistics["bucket_seconds"]), zone, _)
