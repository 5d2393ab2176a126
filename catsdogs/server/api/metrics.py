"""Metrics for Prometheus: ``/metrics``, in its text format.

The route needs the API's token, as all figures do: the operator's Prometheus has it, visitors do not. Labels
come from fixed lists (routes, methods, answers), never from a request, so that no client can fill the memory
or leave personal data in the metrics.
"""

from __future__ import annotations

from collections import Counter as Count
from functools import partial
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
            "catsdogs_requests", "Requests answered.", ["route", "method", "status"], registry=registry
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
        self._confidence = Histogram(
            "catsdogs_confidence",
            "Probability of each answer, as people are told it.",
            ["answer"],
            buckets=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
            registry=registry,
        )
        self._feedback = Counter(
            "catsdogs_feedback",
            "Messages with a rating, by value; a person who changes their mind sends another.",
            ["value"],
            registry=registry,
        )
        for answer in Answer:  # a counter of nothing yet is 0, not absent
            self._predictions.labels(answer.value)
            if answer is not Answer.ERROR:
                self._confidence.labels(answer.value)
        for value in _RATINGS.values():
            self._feedback.labels(value)

        gauge = partial(Gauge, registry=registry)
        self._sessions = gauge("catsdogs_sessions", "Open app pages.", ["app"])
        self._sessions_away = gauge("catsdogs_sessions_away", "Sessions kept for pages that lost their connection.")
        self._sessions_limit = gauge("catsdogs_sessions_limit", "Sessions that there may be.")
        self._waiting = gauge("catsdogs_waiting", "Calls that run or wait for a thread, by pool of threads.", ["pool"])
        self._waiting_limit = gauge("catsdogs_waiting_limit", "Calls that may run or wait, by pool.", ["pool"])
        self._spooled = gauge("catsdogs_spooled_records", "Records that wait for the database.")
        self._set_aside = gauge("catsdogs_set_aside_records", "Records that could not be stored, and were set aside.")
        self._degraded = gauge("catsdogs_degraded", "What does not work as it should.", ["what"])
        self._model = gauge("catsdogs_model_info", "The served model.", ["version"])

    def count_request(self, handler: RequestHandler) -> None:
        """Count a request and its duration, when its response is sent."""
        route = route_of(handler)
        self._requests.labels(route, method_of(handler), str(handler.get_status())).inc()
        self._latency.labels(route).observe(handler.request.request_time())

    def count_prediction(self, prediction: Prediction) -> None:
        """Count a prediction, its inference time and its confidence."""
        self._predictions.labels(prediction.answer.value).inc()
        self._inference.observe(prediction.inference_time_ms / 1000)
        self._confidence.labels(prediction.answer.value).observe(prediction.probability)

    def count_unreadable_photo(self) -> None:
        """Count a photo that could not be read."""
        self._predictions.labels(Answer.ERROR.value).inc()

    def count_rating(self, user_feedback: int) -> None:
        """Count a message with a rating: 1 satisfied, 0 not. A person who changes their mind sends another."""
        self._feedback.labels(_RATINGS[user_feedback]).inc()

    def update_gauges(self, server: Any, health: ServiceHealth, version: str) -> None:
        """Set the gauges to the current state of the server."""
        sessions = Count(server.kernel_manager.open_apps())
        for app in APPS:
            self._sessions.labels(app.path).set(sessions[app])
        self._sessions_away.set(server.kernel_manager.count_away())
        self._sessions_limit.set(server.kernel_manager.limit)
        for name, pool in (("predictions", server.worker_pool), ("figures", server.database_pool)):
            self._waiting.labels(name).set(pool.unfinished)
            self._waiting_limit.labels(name).set(pool.limit)
        self._spooled.set(health["spooled"])
        self._set_aside.set(health["set_aside"])
        for problem in ServiceProblem:
            self._degraded.labels(problem.value).set(problem in health["degraded"])
        self._model.clear()
        self._model.labels(version).set(1)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class MetricsHandler(ApiHandler):
    """``GET /metrics``."""

    operation = Operation("get", "Metrics for Prometheus", str, content_type="text/plain")
    scope = Scope.MONITOR
    limited = False  # the scraper must see a flood of requests from its own address

    async def get(self) -> None:
        """Send all metrics."""
        health = await self.server.health()
        info = await self.server.status_pool.run(self.service.model_info)
        metrics: Metrics = self.server.metrics
        metrics.update_gauges(self.server, health, info["version"])
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(metrics.exposition())


ROUTES: dict[str, type[ApiHandler]] = {"/metrics": MetricsHandler}
