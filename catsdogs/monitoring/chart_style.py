"""The common style of the charts: templates for light and dark pages, dates and numbers in the reader's language."""

from __future__ import annotations

from html import escape
from itertools import groupby
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go
from babel.dates import get_month_names

from catsdogs.i18n import Translator

LATENCY = "#8250DF"
"""Colour of inference times; those of the palette stand for answers and ratings."""

_INK = {False: "#1F2937", True: "#E5E7EB"}
_FAINT = {False: "#E5E7EB", True: "#374151"}
_QUIET = {False: "#6B7280", True: "#9CA3AF"}
_PAPER = {False: "#FFFFFF", True: "#1F2430"}


def template(*, dark: bool = False) -> dict[str, Any]:
    """Return the Plotly template, with a transparent background."""
    axis = {
        "gridcolor": _FAINT[dark],
        "linecolor": _FAINT[dark],
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 12}},
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12, "color": _INK[dark]},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 12, "l": 8},
                "font": {"size": 15, "weight": 600},
            },
            "margin": {"l": 8, "r": 12, "t": 72, "b": 8},
            "height": 320,
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "traceorder": "normal",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": _QUIET[dark], "activecolor": _INK[dark]},
            "hoverlabel": {"bgcolor": _PAPER[dark], "bordercolor": _FAINT[dark], "font": {"color": _INK[dark]}},
            "hoverlabel_align": "left",
            "xaxis": {**axis, "showgrid": False, "ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"},
            "yaxis": axis,
            "bargap": 0.08,
        }
    }


def config(_: Translator) -> dict[str, Any]:
    """Return Plotly's configuration: without its logo, and with dates and numbers in the reader's language."""
    names = {width: list(get_month_names(width, locale=_.locale).values()) for width in ("wide", "abbreviated")}
    return {
        "displaylogo": False,
        "responsive": True,
        "modeBarButtons": [["toImage", "resetScale2d"]],
        "locale": _.language,
        "locales": {
            _.language: {
                "format": {
                    "months": names["wide"],
                    "shortMonths": names["abbreviated"],
                }
            }
        },
    }


def figure(title: str, _: Translator) -> go.Figure:
    """Return an empty figure in the common style."""
    symbols = _.locale.number_symbols["latn"]
    return go.Figure(
        layout={
            "template": template(),
            "title": {"text": title},
            "separators": symbols["decimal"] + symbols["group"],
        }
    )


def for_page(fig: go.Figure) -> dict[str, Any]:
    """Return the parts of a figure for a page that writes the title itself, and chooses the template and the height.

    Returns
    -------
    dict
        ``title``, ``data`` and ``layout``, ready for JSON.
    """
    drawn = fig.to_plotly_json()
    layout = drawn["layout"]
    layout["margin"] = layout.get("margin", {}) | {"t": 36}
    del layout["template"]
    layout.pop("height", None)
    return {"title": layout.pop("title")["text"], "data": drawn["data"], "layout": layout}


def add_placeholder(fig: go.Figure, sentence: str) -> go.Figure:
    """Add `sentence` to a figure without data, in place of its axes."""
    fig.add_annotation(
        text=sentence, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, opacity=0.7, font_size=14
    )
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    return fig


def lines(text: str, width: int = 34) -> str:
    """Wrap a text into lines that fit on a phone; the text is not escaped."""
    return "<br>".join(wrap(text, width, break_long_words=False, break_on_hyphens=False))


def plain(text: str, width: int = 48, most: int = 240) -> str:
    """Escape and wrap text that a user wrote: Plotly would interpret tags and TeX in it.

    Parameters
    ----------
    width
        Largest number of characters in a line.
    most
        Largest number of characters; the rest becomes an ellipsis.
    """
    shown = text if len(text) <= most else text[: most - 1] + "…"
    rows = wrap(shown, width, break_long_words=True)
    return "<br>".join(escape(row, quote=False).replace("$", "&#36;") for row in rows)


def band(moments: list[str], low: list[float | None], high: list[float | None]) -> dict[str, object]:
    """Return the trace of a band: a closed outline for each run without a gap, as a fill between lines bridges gaps."""
    x: list[str | None] = []
    y: list[float | None] = []
    triples = zip(moments, low, high, strict=True)
    for present, group in groupby(triples, key=lambda triple: triple[1] is not None):
        if present:
            run = list(group)
            x += [moment for moment, _low, _high in (*run, *reversed(run))] + [None]
            y += [bottom for _moment, bottom, _high in run] + [top for _moment, _low, top in reversed(run)] + [None]
    return {"x": x, "y": y, "mode": "lines", "fill": "toself", "hoverinfo": "skip"}


def translucent(colour: str, opacity: float = 0.22) -> str:
    """Return a colour of the palette (``#RRGGBB``) with an opacity."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
