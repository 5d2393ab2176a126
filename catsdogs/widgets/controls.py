"""What is looked at: the window of time, the model version, the answer, and how fresh it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

import traitlets

from catsdogs.domain import Answer
from catsdogs.i18n import Translator
from catsdogs.monitoring.charts import answer_name
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.view import CUSTOM, DEFAULT_WINDOW, WINDOWS, View, parse_bound

PERIOD_SECONDS = 3
"""Seconds after which a visible page asks again whether anything changed."""


class Figures(Protocol):
    """What the controls are for."""

    def refresh(self, *, forced: bool = False) -> None:
        """Read the figures of what is chosen now; `forced`, all of them."""

    def refresh_if_changed(self) -> None:
        """Read them where anything was recorded since."""


class Controls(BaseWidget):
    """Lets the reader choose, and keeps the choice in the page's address.

    Parameters
    ----------
    figures
        Refreshed when something was chosen, and when the page asks whether anything changed.
    query
        Of the page's address: what to begin with.
    """

    _esm = script("controls")
    _css = style("controls")

    window = traitlets.Unicode(DEFAULT_WINDOW).tag(sync=True)
    windows: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)
    model_version = traitlets.Unicode("").tag(sync=True)
    """Empty for all."""
    model_versions: traitlets.List[str] = traitlets.List().tag(sync=True)
    answer = traitlets.Unicode("").tag(sync=True)
    """Empty for all."""
    answers: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)
    address = traitlets.Dict().tag(sync=True)
    """Parameters of the page's address; what is empty is left out of it."""
    updated = traitlets.Unicode("").tag(sync=True)
    """When the figures were read, in words."""
    notice = traitlets.Unicode("").tag(sync=True)
    """What in the address was not understood; empty where nothing."""
    problem = traitlets.Unicode("").tag(sync=True)
    """Why the figures are not fresh; empty where they are."""
    period = traitlets.Int(PERIOD_SECONDS * 1000).tag(sync=True)

    zone: tzinfo | None = None
    """The reader's time zone, as soon as the page has said it."""

    def __init__(
        self,
        translator: Translator,
        figures: Figures,
        query: str = "",
    ) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "window": _("Window"),
                "from": _("From"),
                "to": _("To"),
                "show": _("Show"),
                "model": _("Model"),
                "all_models": _("All models"),
                "answer": _("Answer"),
                "live": _("Live"),
                "refresh": _("Refresh"),
            },
            windows=[
                ("1h", _("1 hour")),
                ("24h", _("24 hours")),
                ("7d", _("7 days")),
                ("30d", _("30 days")),
                ("all", _("All")),
                (CUSTOM, _("From … to …")),
            ],
            answers=[("", _("All answers")), *((str(answer), answer_name(answer, _)) for answer in Answer)],
        )
        self._figures = figures
        self._go_to(query)

    @property
    def view(self) -> View:
        """What is looked at."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        self._view = view
        with self.hold_sync():
            self.window, self.model_version, self.answer = view.window, view.model_version, view.answer
            self.address = view.address()
            self.notice = ""

    def offer(self, model_versions: list[str]) -> None:
        """Let the reader choose among `model_versions`; the one that is chosen stays."""
        self.model_versions = sorted({*model_versions, self.model_version} - {""})

    def _go_to(self, query: str) -> None:
        """Look at what an address says."""
        view, wrong = View.of_address(query)
        self.view = view
        if wrong:
            self.notice = self._(
                "The address holds something that is not understood: {names}. The usual is shown in its place.",
                names=", ".join(wrong),
            )

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Take a choice, and look again."""
        view, forced = self.view, False
        match message_field(content, "action", str):
            case "window":
                self.view = _windowed(view, _one_of([*WINDOWS, CUSTOM], message_field(content, "value", str)))
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
            case "address":  # the reader went back to an earlier view
                self._go_to(message_field(content, "value", str).removeprefix("?"))
            case "refresh":
                forced = True
            case "poll":
                self._figures.refresh_if_changed()
                return
            case _:
                raise invalid_message()
        self._figures.refresh(forced=forced)


def _windowed(view: View, window: str) -> View:
    """Choose a window; two moments begin as those of the window before, in whole minutes."""
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
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such name, or no such file
        raise invalid_message() from None
