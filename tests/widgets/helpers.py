"""Helpers of the tests of the widgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from catsdogs.records.predictions import PredictionRecord
from catsdogs.widgets.base import BaseWidget
from catsdogs.widgets.dashboard import Dashboard
from catsdogs.widgets.photo_form import PhotoForm

Received = list[tuple[dict[str, Any], list[bytes]]]

Predict = Callable[..., PredictionRecord]
"""Store a prediction of some age."""

Rows = Callable[[], list[dict[str, Any]]]
"""Return the rows of the predictions, oldest first."""

OpenApp = Callable[..., Dashboard]
"""Open the dashboard: ``open_app(language, query)``."""

NAME = "<img src=x onerror=alert(1)>.jpg"
"""File name that would run a script if it were taken for markup."""

NOT_UNDERSTOOD = "The page sent something that was not understood. Reload it and try again."


class Send(Protocol):
    """Send a message to a widget as the browser does; return the error message of the reply, or ""."""

    def __call__(self, widget: BaseWidget, content: dict[str, Any], *buffers: bytes) -> str: ...


def about(form: PhotoForm, **content: object) -> dict[str, object]:
    """Return a message of a form about the photo that it shows."""
    return {**content, "feedback_id": form.photo.get("feedback_id", "")}


def tiles(app: Dashboard) -> dict[str, str]:
    """Return the figures of the tiles by name."""
    return {tile["name"]: tile["figure"] for tile in app.tiles.tiles}


def details(app: Dashboard) -> dict[str, str]:
    """Return the details of the tiles by name."""
    return {tile["name"]: tile["detail"].replace("\N{NO-BREAK SPACE}", " ") for tile in app.tiles.tiles}


def chart(app: Dashboard, name: str) -> dict[str, Any]:
    """Return title, data and layout of a chart."""
    return next(figure for figure in app.charts.figures if figure["name"] == name)
