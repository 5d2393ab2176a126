"""What operators read over REST: key figures, single predictions, the model's health, alerts."""

from __future__ import annotations

from catsdogs.datetimes import parse_timestamp
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.figures import ModelHealth, Statistics
from catsdogs.monitoring.prediction_filter import (
    DEFAULT_LISTED,
    HealthQuery,
    ListQuery,
    PredictionFilter,
    StatisticsQuery,
    parse_limit,
)
from catsdogs.server.api import v2
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.requests import AlertsQuery
from catsdogs.server.auth import Scope
from catsdogs.service.responses import Alerts, ChangeToken, RecentPredictions


class MonitoringHandler(ApiHandler):
    """A route with parameters in its query."""

    scope = Scope.MONITOR

    def prepare(self) -> None:
        """Refuse a misspelt parameter: the predictions that it should have left out would be counted."""
        super().prepare()
        known = self.operation.query.__annotations__
        if unknown := self.request.query_arguments.keys() - {*known, "lang"}:
            raise InvalidInput(
                "There is no parameter {unknown}. There are: {names}.", unknown=min(unknown), names=", ".join(known)
            )

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query, by name."""
        return {name: self.get_query_argument(name) for name in self.request.query_arguments}

    @property
    def prediction_filter(self) -> PredictionFilter:
        """The filter that the query describes."""
        return PredictionFilter.from_query(self.query)


class StatisticsHandler(MonitoringHandler):
    """``GET /api/statistics``."""

    operation = Operation("get", "Key figures of a time window", Statistics, query=StatisticsQuery, errors=(400,))

    async def get(self) -> None:
        """Compute the KPIs of a window."""
        self.write(dict(await self.server.database_pool.run(self.service.statistics, self.prediction_filter)))


class RecentPredictionsHandler(MonitoringHandler):
    """``GET /api/recent-predictions``."""

    operation = Operation(
        "get",
        "Single predictions: the latest, the least sure or the disputed",
        RecentPredictions,
        query=ListQuery,
        errors=(400,),
    )

    async def get(self) -> None:
        """List predictions."""
        limit = parse_limit(self.query.get("limit", str(DEFAULT_LISTED)))
        rows = await self.server.database_pool.run(self.service.recent_predictions, self.prediction_filter, limit)
        if self.is_v2_compatible:
            numbers = await self.server.database_pool.run(self.server.service.v2_numbers, [row["id"] for row in rows])
            rows = [v2.recent_prediction(row, numbers.get(row["id"])) for row in rows]
        self.write({"predictions": rows, "count": len(rows)})


class ChangeTokenHandler(ApiHandler):
    """``GET /api/change-token``."""

    operation = Operation("get", "A text that changes whenever anything is recorded", ChangeToken)
    scope = Scope.MONITOR

    async def get(self) -> None:
        """Send the token, which differs from an earlier one if the figures are to be read again."""
        self.write({"change_token": await self.server.database_pool.run(self.service.change_token)})


class ModelHealthHandler(MonitoringHandler):
    """``GET /api/model-health``."""

    operation = Operation(
        "get",
        "Quality of the model: accuracy with and without labels, reliability, drift, and its versions side by side",
        ModelHealth,
        query=HealthQuery,
        errors=(400,),
    )

    async def get(self) -> None:
        """Measure how good the answers of a window are."""
        self.write(dict(await self.server.database_pool.run(self.service.model_health, self.prediction_filter)))


class AlertsHandler(MonitoringHandler):
    """``GET /api/alerts``."""

    operation = Operation("get", "Alerts by the rules", Alerts, query=AlertsQuery, errors=(400,))

    async def get(self) -> None:
        """List the stored alerts of a time window; nothing is evaluated or written."""
        window = {name: parse_timestamp(self.query[name], name) for name in ("since", "until") if name in self.query}
        self.write({"alerts": await self.server.database_pool.run(self.service.alerts, **window)})


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/statistics": StatisticsHandler,
    "/api/recent-predictions": RecentPredictionsHandler,
    "/api/change-token": ChangeTokenHandler,
    "/api/model-health": ModelHealthHandler,
    "/api/alerts": AlertsHandler,
}
