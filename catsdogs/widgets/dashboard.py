"""The monitoring app: KPIs, alerts, the model's health and the last predictions."""

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
from catsdogs.monitoring.figures import RecentPrediction
from catsdogs.monitoring.prediction_filter import MAX_LISTED
from catsdogs.service.interface import Service
from catsdogs.widgets.alerts_and_health import AlertsAndHealth
from catsdogs.widgets.base import log_error
from catsdogs.widgets.charts import StatisticsCharts
from catsdogs.widgets.controls import Controls
from catsdogs.widgets.kpi_tiles import KpiTiles
from catsdogs.widgets.page_header import PageHeader
from catsdogs.widgets.predictions_table import SHOWN, PredictionsTable
from catsdogs.widgets.session_language import session_language
from catsdogs.widgets.view import ViewSnapshot

MAX_AGE = timedelta(minutes=1)
"""Age at which figures are read again even if nothing was recorded: the window moves on."""

STALE = "catsdogs-stale"
"""CSS class of the dashboard while it shows figures that could not be read again."""

_log = logging.getLogger(__name__)


class Dashboard(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app as one widget.

    Parameters
    ----------
    connect
        Opens the service. After an error it is called again when the figures are read the next time.
    language
        A key of `LANGUAGES`; by default the language that the browser prefers.
    query
        Query string of the page's address, which holds the first view; by default that of Voilà's request.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None, query: str | None = None) -> None:
        self._ = _ = Translator(language or session_language())
        self._connect = connect
        self._change_token = ""
        self._read: ViewSnapshot | None = None  # what the figures are of
        self.header = PageHeader(
            _, _("How the service is doing"), _("Is it fast, are people satisfied, what did it answer last?")
        )
        query = os.environ.get("QUERY_STRING", "") if query is None else query
        self.controls = Controls(_, self, query)
        self.tiles = KpiTiles(_)
        self.charts = StatisticsCharts(_)
        self.alerts_and_health = AlertsAndHealth(_)
        self.predictions_table = PredictionsTable(_, self.controls, self.refresh, self._export)
        super().__init__(
            [
                self.header,
                self.controls,
                self.alerts_and_health.alerts,
                self.tiles,
                self.charts,
                *self.alerts_and_health.health,
                self.predictions_table,
            ]
        )
        self.add_class("catsdogs-app")
        self.add_class("catsdogs-dashboard")
        self.refresh()

    @cached_property
    def service(self) -> Service:
        """Service that the figures are read from; opened at first use."""
        return self._connect()

    @property
    def zone(self) -> tzinfo:
        """Time zone of the reader; until it is known, that of this machine."""
        return self.controls.zone or datetime.now().astimezone().tzinfo or UTC

    def refresh_if_changed(self) -> None:
        """Read the figures again where something was recorded since, or where they are older than `MAX_AGE`."""
        try:
            changed = self.service.change_token() != self._change_token
        except CatsDogsError as error:
            self._show_error(error)
            return
        now = datetime.now(UTC)
        if changed or self._read is None or now - self._read.now > MAX_AGE or self.alerts_and_health.due:
            self.refresh()
        else:
            self._show_updated(now)
            if self.alerts_and_health.alerts.degraded:  # its end changes no record
                self.alerts_and_health.show_degraded(self.service)

    def refresh(self, *, forced: bool = False) -> None:
        """Read the figures again. Where that fails, the last ones stay, and the controls show the error.

        Parameters
        ----------
        forced
            Also read those that change seldom and were read a moment ago.
        """
        controls = self.controls
        shown = self._snapshot()
        try:
            token = self.service.change_token()  # before the figures: what is recorded meanwhile changes it again
            statistics = self.service.statistics(shown.prediction_filter)
            predictions = self.service.recent_predictions(shown.prediction_filter, SHOWN)
        except CatsDogsError as error:
            self._show_error(error)
            return
        self._change_token, self._read = token, shown
        with controls.hold_sync():
            controls.offer(statistics["model_versions"])
            controls.mark_demonstration(statistics["demonstration"])
            self._show_updated(shown.now)
        self.tiles.show(statistics)
        self.charts.show(statistics, shown)
        self.predictions_table.show(predictions, shown.zone)
        self.alerts_and_health.refresh(self.service, shown, statistics["total_predictions"], forced=forced)

    def _snapshot(self) -> ViewSnapshot:
        return ViewSnapshot(self.controls.view, datetime.now(UTC), self.zone)

    def _export(self) -> tuple[ViewSnapshot, list[RecentPrediction]]:
        """Read the list that is shown, with as many predictions as a file may hold."""
        shown = self._snapshot()
        return shown, self.service.recent_predictions(shown.prediction_filter, MAX_LISTED)

    def _show_updated(self, now: datetime) -> None:
        _ = self._
        self.remove_class(STALE)
        self.controls.updated = _(
            "Updated {moment} ({zone})",
            moment=format_time(now.astimezone(self.zone), "medium", locale=_.locale),
            zone=self.zone,
        )
        self.controls.problem = ""

    def _show_error(self, error: CatsDogsError) -> None:
        log_error(_log, error)
        _ = self._
        self._change_token = ""
        about = _("No figures were read yet.")
        if self._read:
            self.add_class(STALE)
            moment = _.datetime(self._read.now.astimezone(self.zone))
            about = _("The figures below are of {moment}.", moment=moment)
            if self._read.view != self.controls.view:  # another window was chosen since
                choices = self._read.caption([], _)
                about = _("The figures below are of {moment}, for {choices}.", moment=moment, choices=choices)
        self.controls.problem = f"{_.describe(error)} {about}"
        if "service" in self.__dict__:  # it is open, so it can say what is wrong
            self.alerts_and_health.show_degraded(self.service)
