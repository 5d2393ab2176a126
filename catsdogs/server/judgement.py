"""Whether the model is still good, and whether someone must act: model health and alerts over REST."""

from __future__ import annotations

from typing import Any

from catsdogs.server.api import Api, Monitoring


class ModelHealth(Monitoring):
    """``GET /api/model-health``."""

    async def get(self) -> None:
        """Say how good the answers of a window are."""
        wanted: dict[str, Any] = self.slice()
        del wanted["answer"]  # accuracy among answers of one kind would be another figure
        self.write(dict(await self.server.work.run(self.service.model_health, **wanted)))


class Alerts(Monitoring):
    """``GET /api/alerts``."""

    async def get(self) -> None:
        """Check the rules, and list what is firing, pending, or was resolved since."""
        since = self._moment("since")
        self.write({"alerts": await self.server.work.run(self.service.alerts, since=since)})


ROUTES: dict[str, type[Api]] = {"/api/model-health": ModelHealth, "/api/alerts": Alerts}
