"""The monitoring app: is the service fast, are people satisfied, what did it answer last."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import cached_property

import ipywidgets
from babel.dates import format_time

from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.service import Service
from catsdogs.widgets.charts import Charts
from catsdogs.widgets.controls import WINDOWS, Controls
from catsdogs.widgets.masthead import Masthead
from catsdogs.widgets.recent import Recent
from catsdogs.widgets.tiles import Tiles
from catsdogs.widgets.visitor import visitor_language

RECENT = 20
"""Rows of the table."""

_log = logging.getLogger(__name__)


class Dashboard(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app, as one widget.

    Parameters
    ----------
    connect
        Gives the service. Until it succeeds, it is called each time the figures are read.
    language
        Of `LANGUAGES`; by default what the reader's browser asks for.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None) -> None:
        self._ = _ = Translator(language or visitor_language())
        self._connect = connect
        self.masthead = Masthead(
            _, _("How the service is doing"), _("Is it fast, are people satisfied, what did it answer last?")
        )
        self.controls = Controls(_, self.refresh)
        self.tiles = Tiles(_)
        self.charts = Charts(_)
        self.recent = Recent(_)
        super().__init__([self.masthead, self.controls, self.tiles, self.charts, self.recent])
        self.add_class("catsdogs-app")
        self.add_class("catsdogs-dashboard")
        self.refresh()

    @cached_property
    def service(self) -> Service:
        """What answers."""
        return self._connect()

    @property
    def zone(self) -> tzinfo:
        """The reader's time zone; until it is known, this machine's."""
        return self.controls.zone or datetime.now().astimezone().tzinfo or UTC

    def refresh(self) -> None:
        """Read the figures again. Where that fails, the last ones stay, with a sentence that says why."""
        _, controls = self._, self.controls
        now = datetime.now(UTC)
        length = WINDOWS[controls.window]
        try:
            statistics = self.service.statistics(
                start=None if length is None else now - length, model_version=controls.model_version or None
            )
            predictions = self.service.recent_predictions(RECENT)
        except CatsDogsError as error:
            _log.warning("%s: %s", type(error).__name__, error, exc_info=error.__cause__)
            controls.problem = _.describe(error)
            return
        with controls.hold_sync():
            controls.offer(statistics["model_versions"])
            controls.updated = _(
                "Updated {moment}", moment=format_time(now.astimezone(self.zone), "medium", locale=_.locale)
            )
            controls.problem = ""
        self.tiles.show(statistics)
        self.charts.show(statistics, self.zone, view=f"{controls.window} {controls.model_version}")
        self.recent.show(predictions, self.zone)
