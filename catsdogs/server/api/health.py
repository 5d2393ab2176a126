"""State of the service, for people, orchestrators and clients: health, readiness, and the served model."""

from __future__ import annotations

from catsdogs.domain import ModelInfo, ServiceHealth
from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.service.responses import Liveness, Readiness


class HealthHandler(ApiHandler):
    """``GET /health``: for people and monitoring; always 200 while the process answers."""

    operation = Operation("get", "State of the service", ServiceHealth)

    async def get(self) -> None:
        """Send the state of model and database."""
        self.write(dict(await self.server.health()))


class LivenessHandler(ApiHandler):
    """``GET /health/live``: restart the process when this does not answer."""

    operation = Operation("get", "Liveness: restart the process when this does not answer", Liveness)

    def get(self) -> None:
        """Confirm that the event loop runs."""
        self.write({"status": "alive"})


class ReadinessHandler(ApiHandler):
    """``GET /health/ready``: send requests here only while this answers 200."""

    operation = Operation("get", "Readiness: send requests here only while this answers 200", Readiness, errors=(503,))

    async def get(self) -> None:
        """Confirm that predictions work; without the database they do, and their records wait in the spool."""
        health = await self.server.health()
        if self.server.draining or not health["model_loaded"]:
            raise ServiceUnavailable(
                N_("The service is starting or stopping. Wait a moment; if it stays so, its log says why.")
            )
        self.write({"status": "ready"})


class ModelInfoHandler(ApiHandler):
    """``GET /api/info``."""

    operation = Operation("get", "The served model", ModelInfo)

    async def get(self) -> None:
        """Send the description of the served model."""
        self.write(dict(await self.server.status_pool.run(self.service.model_info)))


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/info": ModelInfoHandler,
    "/health": HealthHandler,
    "/health/live": LivenessHandler,
    "/health/ready": ReadinessHandler,
}
