"""The tiles of the dashboard, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from catsdogs.i18n import Translator
from catsdogs.widgets.kpi_tiles import worst_days
from tests.widgets.helpers import OpenApp, Predict, details, tiles


def test_the_tiles_show_the_figures_of_the_window(busy: None, open_app: OpenApp) -> None:
    app = open_app()
    assert tiles(app) == {
        "total": "4",
        "latency": "414.2\N{NO-BREAK SPACE}ms",
        "satisfaction": "50.0%",
        "errors": "25.0%",
        "consent": "25.0%",
    }
    assert details(app)["total"] == "1 cat · 1 dog · 1 neither"
    assert details(app)["latency"].startswith("min 2.0 ms · max 1,234.5 ms · p95 ")
    assert details(app)["satisfaction"] == "95% interval 9.5% to 90.5%, n = 2"  # Wilson's, of 1 in 2
    assert details(app)["errors"] == "1 photo could not be read"


def test_figures_are_formatted_in_the_language(busy: None, open_app: OpenApp) -> None:
    app = open_app("fr")
    assert tiles(app)["latency"] == "414,2\N{NO-BREAK SPACE}ms"
    assert "1\N{NARROW NO-BREAK SPACE}234,5" in details(app)["latency"]


def test_a_tile_shows_the_worst_day_of_a_long_window() -> None:
    day: Any = {"day": "2026-11-08", "value": 0.25, "n": 40}
    statistics: Any = {"worst_days": {"latency": day | {"value": 41.25}, "errors": None, "satisfaction": day}}
    assert worst_days(statistics, Translator("en")) == {
        "latency": "Worst day: 41.2\N{NO-BREAK SPACE}ms on Nov 8, 2026, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}40",
        "satisfaction": "Worst day: 25.0% on Nov 8, 2026, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}40",
    }
    assert worst_days({"worst_days": None}, Translator("fr")) == {}  # type: ignore[typeddict-item]


def test_there_is_no_error_rate_where_an_answer_is_chosen(busy: None, open_app: OpenApp) -> None:
    app = open_app(query="answer=cat")
    assert (tiles(app)["errors"], details(app)["errors"]) == ("–", "Only of all answers together")


def test_a_tile_shows_its_trend(busy: None, predict: Predict, open_app: OpenApp) -> None:
    for _ in range(8):
        predict(timedelta(days=10))
    app = open_app()
    assert [(tile["name"], tile["arrow"], tile["tone"]) for tile in app.tiles.tiles] == [
        ("total", "↓", "plain"),
        ("latency", "=", "plain"),
        ("satisfaction", "", ""),
        ("errors", "=", "plain"),
        ("consent", "=", "plain"),
    ]
    assert app.tiles.tiles[0]["trend"] == "8 in the period before"
