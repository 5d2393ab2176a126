"""The monitoring app: is the service fast, are people satisfied, what did it answer last."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

import ipywidgets
from babel.dates import format_time

from catsdogs.errors import CatsDogsError
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Listing, RecentPrediction
from catsdogs.service.interface import Service
from catsdogs.widgets.charts import StatisticsCharts
from catsdogs.widgets.controls import Controls
from catsdogs.widgets.health_panel import HealthPanel
from catsdogs.widgets.kpi_tiles import KpiTiles
from catsdogs.widgets.page_header import PageHeader
from catsdogs.widgets.predictions_table import EXPORTED, SHOWN, PredictionsTable
from catsdogs.widgets.seen import Seen
from catsdogs.widgets.session_language import session_language

OLDEST = timedelta(minutes=1)
"""Age at which figures are read again even without news: the window moves on."""

_log = logging.getLogger(__name__)


class Dashboard(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app, as one widget.

    Parameters
    ----------
    connect
        Gives the service. Until it succeeds, it is called each time the figures are read.
    language
        Of `LANGUAGES`; by default what the reader's browser asks for.
    query
        Of the page's address, which says what to begin with; by default that of Voilà's request.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None, query: str | None = None) -> None:
        self._ = _ = Translator(language or session_language())
        self._connect = connect
        self._news = ""
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self.header = PageHeader(
            _, _("How the service is doing"), _("Is it fast, are people satisfied, what did it answer last?")
        )
        query = os.environ.get("QUERY_STRING", "") if query is None else query
        self.controls = Controls(_, self, query)
        self.tiles = KpiTiles(_)
        self.charts = StatisticsCharts(_)
        self.health_panel = HealthPanel(_)
        self.predictions_table = PredictionsTable(_, self.controls, self.refresh, self._export)
        super().__init__(
            [
                self.header,
                self.controls,
                self.health_panel.alerts,
                self.tiles,
                self.charts,
                *self.health_panel.health,
                self.predictions_table,
            ]
        )
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

    def look_for_news(self) -> None:
        """Read the figures again where something was recorded since, or where they are old."""
        try:
            has_news = self.service.news() != self._news
        except CatsDogsError as error:
            self._could_not(error)
            return
        now = datetime.now(UTC)
        if has_news or now - self._read_at > OLDEST or self.health_panel.due:
            self.refresh()
        else:
            self._say_fresh(now)

    def refresh(self, *, forced: bool = False) -> None:
        """Read the figures again. Where that fails, the last ones stay, with a sentence that says why.

        Parameters
        ----------
        forced
            Read all of them, those too that were read a moment ago and seldom change.
        """
        controls = self.controls
        seen = self._seen()
        try:
            news = self.service.news()  # before the figures: what comes meanwhile is news again
            statistics = self.service.statistics(**seen.chosen)
            predictions = self._list(seen, SHOWN)
        except CatsDogsError as error:
            self._could_not(error)
            return
        self._news, self._read_at = news, seen.now
        with controls.hold_sync():
            controls.offer(statistics["model_versions"])
            self._say_fresh(seen.now)
        self.tiles.show(statistics)
        self.charts.show(statistics, seen)
        self.predictions_table.show(predictions, seen.zone)
        self.health_panel.refresh(self.service, seen, forced=forced)

    def _seen(self) -> Seen:
        return Seen(self.controls.view, datetime.now(UTC), self.zone)

    def _list(self, seen: Seen, limit: int) -> list[RecentPrediction]:
        return self.service.recent_predictions(limit, listing=Listing(seen.view.listing), **seen.chosen)

    def _export(self) -> tuple[Seen, list[RecentPrediction]]:
        """Give the list that is shown, as long as a file may be."""
        seen = self._seen()
        return seen, self._list(seen, EXPORTED)

    def _say_fresh(self, now: datetime) -> None:
        _ = self._
        self.controls.updated = _(
            "Updated {moment}", moment=format_time(now.astimezone(self.zone), "medium", locale=_.locale)
        )
        self.controls.problem = ""

    def _could_not(self, error: CatsDogsError) -> None:
        _log.warning("%s: %s", type(error).__name__, error, exc_info=error.__cause__)
        self._news = ""
        self.controls.problem = self._.describe(error)
