"""The controls of the dashboard: time window, model version and answer, and when the figures were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

import traitlets

from catsdogs.datetimes import YEARS, is_time_zone
from catsdogs.domain import Answer
from catsdogs.i18n import Translator
from catsdogs.monitoring.charts import answer_name
from catsdogs.monitoring.demonstration import demonstration_text
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.view import CUSTOM, DEFAULT_WINDOW, WINDOWS, View, parse_bound

PERIOD_SECONDS = 3
"""Seconds after which a visible page asks again whether anything changed."""


class Refreshable(Protocol):
    """What shows the figures that the controls choose."""

    def refresh(self, *, forced: bool = False) -> None:
        """Read the figures of the current view; with `forced`, also those that are read seldom."""

    def refresh_if_changed(self) -> None:
        """Read the figures where anything was recorded since they were read."""


class Controls(BaseWidget):
    """Lets the reader choose what the dashboard shows, and keeps the choices in the page's address.

    Parameters
    ----------
    translator
        Translates the texts.
    figures
        Refreshed when something was chosen, and when the page asks whether anything changed.
    query
        Query string of the page's address, which holds the first view.
    """

    _esm = script("controls")
    _css = style("controls")

    window = traitlets.Unicode(DEFAULT_WINDOW).tag(sync=True)
    windows: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)
    """Name and label of each window."""
    model_version = traitlets.Unicode("").tag(sync=True)
    """Model version chosen; empty for all."""
    model_versions: traitlets.List[str] = traitlets.List().tag(sync=True)
    answer = traitlets.Unicode("").tag(sync=True)
    """Answer chosen; empty for all."""
    answers: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)
    """Name and label of each answer."""
    address = traitlets.Dict().tag(sync=True)
    """Parameters of the page's address; empty ones are left out of it."""
    updated = traitlets.Unicode("").tag(sync=True)
    """Text that says when the figures were read."""
    notice = traitlets.Unicode("").tag(sync=True)
    """Text that names wrong parameters of the address; empty without any."""
    demonstration = traitlets.Unicode("").tag(sync=True)
    """Text that says that the figures contain demonstration data; empty where they do not."""
    problem = traitlets.Unicode("").tag(sync=True)
    """Why the figures could not be read; empty where they could."""
    period = traitlets.Int(PERIOD_SECONDS * 1000).tag(sync=True)
    """`PERIOD_SECONDS` in milliseconds."""
    limits = traitlets.List([f"{YEARS[0]}-01-02T00:00:00", f"{YEARS[-1]}-12-30T23:59:59"]).tag(sync=True)
    """Earliest and latest local time that can be entered: in every time zone, one of `YEARS` in UTC."""

    zone: tzinfo | None = None
    """Time zone of the reader, as soon as the page has sent it."""

    def __init__(self, translator: Translator, figures: Refreshable, query: str = "") -> None:
        _ = translator
        answers = [("", _("All answers")), *((str(answer), answer_name(answer, _)) for answer in Answer)]
        super().__init__(translator, _texts(_), windows=_window_labels(_), answers=answers)
        self._figures = figures
        self._read_address(query)

    @property
    def view(self) -> View:
        """Current choices; setting them updates the page and its address."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view
        with self.hold_sync():
            self.window, self.model_version, self.answer = view.window, view.model_version, view.answer
            self.address = view.address()
            self.notice = ""

    def offer(self, model_versions: list[str]) -> None:
        """Offer these model versions, and the one that is chosen now."""
        self.model_versions = sorted({*model_versions, self.model_version} - {""})

    def mark_demonstration(self, shown: bool) -> None:
        """Say whether the figures contain demonstration data."""
        self.demonstration = demonstration_text(self._) if shown else ""

    def _read_address(self, query: str) -> None:
        """Show the view of an address."""
        view, wrong = View.of_address(query)
        self.view = view
        if wrong:
            self.notice = self._(
                "The address has parameters that are not understood: {names}. The default is shown instead.",
                names=", ".join(wrong),
            )

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Change the view or the time zone as the reader chose, and refresh the figures."""
        view, forced = self.view, False
        match message_field(content, "action", str):
            case "window":
                self.view = _with_window(view, _one_of([*WINDOWS, CUSTOM], message_field(content, "value", str)))
            case "period":
                self.view = view.between(*_moments(message_field(content, "value", list)))
            case "model":
                self.view = replace(
                    view, model_version=_one_of(["", *self.model_versions], message_field(content, "value", str))
                )
            case "answer":
                self.view = replace(view, answer=_one_of(["", *Answer], message_field(content, "value", str)))
            case "zone":
                self.zone = _zone(message_field(content, "value", str))
            case "address":  # the reader went back or forward in the browser's history
                self._read_address(message_field(content, "value", str).removeprefix("?"))
            case "refresh":
                forced = True
            case "poll":
                self._figures.refresh_if_changed()
                return
            case _:
                raise invalid_message()
        self._figures.refresh(forced=forced)


def _texts(_: Translator) -> dict[str, str]:
    return {
        "window": _("Window"),
        "from": _("From"),
        "to": _("To"),
        "show": _("Show"),
        "model": _("Model"),
        "all_models": _("All models"),
        "answer": _("Answer"),
        "live": _("Live"),
        "refresh": _("Refresh"),
    }


def _window_labels(_: Translator) -> list[tuple[str, str]]:
    return [
        ("1h", _("1 hour")),
        ("24h", _("24 hours")),
        ("7d", _("7 days")),
        ("30d", _("30 days")),
        ("all", _("All")),
        (CUSTOM, _("From … to …")),
    ]


def _with_window(view: View, window: str) -> View:
    """Choose a window; a custom one begins with the bounds of the window before, in whole minutes."""
    if window != CUSTOM:
        return replace(view, window=window, start=None, end=None)
    if view.window == CUSTOM:
        return view
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    start, _end = view.bounds(minute)
    return view.between(start, minute + timedelta(minutes=1))


def _moments(value: list[object]) -> tuple[datetime | None, datetime | None]:
    if len(value) != 2:
        raise invalid_message()
    start, end = (
        parse_bound(text, name) if isinstance(text, str) else None
        for text, name in zip(value, ("from", "to"), strict=True)
    )
    return start, end


def _one_of(known: object, value: str) -> str:
    if value not in known:  # type: ignore[operator]
        raise invalid_message()
    return value


def _zone(name: str) -> ZoneInfo:
    if not is_time_zone(name):
        raise invalid_message()
    return ZoneInfo(name)
