"""What operators read over REST: key figures, single predictions, the model's health, alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from catsdogs.datetimes import read_moment
from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_
from catsdogs.monitoring.figures import Listing, ModelHealth, Statistics
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.requests import AlertsQuery, FilterQuery, HealthQuery, ListQuery
from catsdogs.server.auth import Scope
from catsdogs.service.responses import Alerts, News, RecentPredictions


class MonitoringHandler(ApiHandler):
    """A route that reads predictions of a window, a model version and an answer."""

    scope = Scope.MONITOR
    parameters: ClassVar[tuple[str, ...]] = ("start", "end", "model_version", "answer")
    """Of the query. A misspelt one is refused: what it should have left out would be counted."""

    def prepare(self) -> None:
        """Refuse a parameter that does not exist."""
        super().prepare()
        if unknown := self.request.query_arguments.keys() - {*self.parameters, "lang"}:
            raise InvalidInput(
                N_("There is no parameter {unknown}. There are: {names}."),
                unknown=min(unknown),
                names=", ".join(self.parameters),
            )

    def slice(self) -> dict[str, Any]:
        """Read which predictions are asked for; the service checks the values."""
        return {
            "start": self._moment("start"),
            "end": self._moment("end"),
            "model_version": self.get_query_argument("model_version", "") or None,
            "answer": self.get_query_argument("answer", None),
        }

    def _moment(self, name: str) -> datetime | None:
        text = self.get_query_argument(name, None)
        if text is None:
            return None
        try:
            return read_moment(text)  # in UTC: PostgreSQL knows no offset beyond 16 hours
        except ValueError:
            raise InvalidInput(
                N_("{name} must be a moment in ISO 8601, like 2026-01-31T12:00:00Z."), name=name
            ) from None


class StatisticsHandler(MonitoringHandler):
    """``GET /api/statistics``."""

    operation = Operation("get", "Key figures of a time window", Statistics, query=FilterQuery, errors=(400,))

    async def get(self) -> None:
        """Compute the KPIs of a window."""
        self.write(dict(await self.server.worker_pool.run(self.service.statistics, **self.slice())))


class RecentPredictionsHandler(MonitoringHandler):
    """``GET /api/recent-predictions``."""

    operation = Operation(
        "get",
        "Single predictions: the latest, the least sure or the disputed",
        RecentPredictions,
        query=ListQuery,
        errors=(400,),
    )
    parameters = ("limit", "list", *MonitoringHandler.parameters)

    async def get(self) -> None:
        """List predictions."""
        text = self.get_query_argument("limit", "10")
        if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 1000):
            raise InvalidInput(N_("limit must be a whole number from 1 to 1000."))
        listing = self.get_query_argument("list", Listing.LATEST)
        rows = await self.server.worker_pool.run(
            self.service.recent_predictions, int(text), listing=listing, **self.slice()
        )
        self.write({"predictions": rows, "count": len(rows)})


class NewsHandler(ApiHandler):
    """``GET /api/news``."""

    operation = Operation("get", "A text that changes whenever anything is recorded", News)
    scope = Scope.MONITOR

    async def get(self) -> None:
        """Say whether it is worth while to read the figures again."""
        self.write({"news": await self.server.worker_pool.run(self.service.news)})


class ModelHealthHandler(MonitoringHandler):
    """``GET /api/model-health``."""

    operation = Operation(
        "get",
        "Quality of the model: accuracy with and without labels, reliability, drift, and its versions side by side",
        ModelHealth,
        query=HealthQuery,
        errors=(400,),
    )
    parameters = MonitoringHandler.parameters[:3]  # accuracy among answers of one kind would be another figure

    async def get(self) -> None:
        """Say how good the answers of a window are."""
        wanted: dict[str, Any] = self.slice()
        del wanted["answer"]
        self.write(dict(await self.server.worker_pool.run(self.service.model_health, **wanted)))


class AlertsHandler(MonitoringHandler):
    """``GET /api/alerts``."""

    operation = Operation("get", "Alerts by the rules", Alerts, query=AlertsQuery, errors=(400,))
    parameters = ("since",)

    async def get(self) -> None:
        """List the stored alerts: firing, pending, or resolved since; nothing is evaluated or written."""
        since = self._moment("since")
        self.write({"alerts": await self.server.worker_pool.run(self.service.alerts, since=since)})


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/statistics": StatisticsHandler,
    "/api/recent-predictions": RecentPredictionsHandler,
    "/api/news": NewsHandler,
    "/api/model-health": ModelHealthHandler,
    "/api/alerts": AlertsHandler,
}
