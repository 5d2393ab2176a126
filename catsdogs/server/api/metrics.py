"""What Prometheus reads: ``/metrics``, in its text format.

Behind the API's token, as all figures are: the operator's Prometheus has it, visitors have not. Labels
come from short lists of ours (routes, methods, answers), never from a request, so that nobody can fill
the memory or leave personal data here.
"""

from __future__ import annotations

from collections import Counter as Count
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from tornado.web import RequestHandler

from catsdogs.domain import Answer, Prediction, ServiceHealth, ServiceProblem
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.auth import Scope
from catsdogs.server.base_handler import method_of, route_of
from catsdogs.server.voila.apps import APPS

_RATINGS = {1: "satisfied", 0: "unsatisfied"}


class Metrics:
    """The counters and gauges of one server process; Prometheus adds up replicas."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, processor time, open files

        self._requests = Counter(
            "catsdogs_requests", "Requests that were answered.", ["route", "method", "status"], registry=registry
        )
        self._latency = Histogram(
            "catsdogs_request_duration_seconds", "Time from a request to its answer.", ["route"], registry=registry
        )
        self._inference = Histogram(
            "catsdogs_inference_duration_seconds",
            "Time from a photo's bytes to its probabilities.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
            registry=registry,
        )
        self._predictions = Counter("catsdogs_predictions", "Answers given, by answer.", ["answer"], registry=registry)
        self._feedback = Counter(
            "catsdogs_feedback",
            "Messages with a rating, by value; who changes their mind sends another.",
            ["value"],
            registry=registry,
        )
        for answer in Answer:  # what has not happened yet is 0, not absent
            self._predictions.labels(answer.value)
        for value in _RATINGS.values():
            self._feedback.labels(value)

        self._sessions = Gauge("catsdogs_sessions", "Open app pages.", ["app"], registry=registry)
        self._sessions_limit = Gauge("catsdogs_sessions_limit", "App pages that may be open.", registry=registry)
        self._waiting = Gauge("catsdogs_waiting", "Calls that run or wait for a thread.", registry=registry)
        self._waiting_limit = Gauge("catsdogs_waiting_limit", "Calls that may run or wait.", registry=registry)
        self._spooled = Gauge("catsdogs_spooled_records", "Records that wait for the database.", registry=registry)
        self._degraded = Gauge("catsdogs_degraded", "What does not work as it should.", ["what"], registry=registry)
        self._model = Gauge("catsdogs_model_info", "The served model.", ["version"], registry=registry)

    def requested(self, handler: RequestHandler) -> None:
        """Count a request that has been answered."""
        route = route_of(handler)
        self._requests.labels(route, method_of(handler), str(handler.get_status())).inc()
        self._latency.labels(route).observe(handler.request.request_time())

    def predicted(self, prediction: Prediction) -> None:
        """Count an answer."""
        self._predictions.labels(prediction.answer.value).inc()
        self._inference.observe(prediction.inference_time_ms / 1000)

    def failed(self) -> None:
        """Count a photo that could not be read."""
        self._predictions.labels(Answer.ERROR.value).inc()

    def rated(self, user_feedback: int) -> None:
        """Count a message with a rating: 1 satisfied, 0 not; who changes their mind sends another."""
        self._feedback.labels(_RATINGS[user_feedback]).inc()

    def note(self, server: Any, health: ServiceHealth, version: str) -> None:
        """Note how a server stands just now."""
        sessions = Count(server.kernel_manager.open_apps())
        for app in APPS:
            self._sessions.labels(app.path).set(sessions[app])
        self._sessions_limit.set(server.kernel_manager.limit)
        self._waiting.set(server.worker_pool.unfinished)
        self._waiting_limit.set(server.worker_pool.limit)
        self._spooled.set(health["spooled"])
        for what in ServiceProblem:
            self._degraded.labels(what.value).set(what in health["degraded"])
        self._model.clear()
        self._model.labels(version).set(1)

    def text(self) -> bytes:
        """Write all in Prometheus' text format."""
        return generate_latest(self._registry)


class MetricsHandler(ApiHandler):
    """``GET /metrics``."""

    operation = Operation("get", "Metrics for Prometheus", str, content_type="text/plain")
    scope = Scope.MONITOR
    limited = False  # a flood from the scraper's address must not hide itself

    async def get(self) -> None:
        """Write all metrics."""
        health = await self.server.health()
        info = await self.server.status_pool.run(self.service.model_info)
        metrics: Metrics = self.server.metrics
        metrics.note(self.server, health, info["version"])
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(metrics.text())


ROUTES: dict[str, type[ApiHandler]] = {"/metrics": MetricsHandler}
