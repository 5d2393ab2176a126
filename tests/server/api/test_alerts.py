"""The alerts of a running server: its clock evaluates the rules, and ``GET /api/alerts`` only reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.errors import InvalidImage
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.remote import Remote
from tests.storage import Storage
from tests.waiting import until


def test_the_server_evaluates_at_its_start_and_a_request_reads_what_is_stored(
    storage: Storage, environment: dict[str, str], launch: Callable[..., Any], client_of: Callable[[Any], Any]
) -> None:
    for _ in range(20):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "1.0"))
    server = launch(**{name: value for name, value in environment.items() if name.startswith("DB_")})
    ask = client_of(server)

    def alerts() -> list[dict[str, Any]]:
        answer = ask("GET", "/api/alerts")
        assert answer.status == 200
        found: list[dict[str, Any]] = answer.json()["alerts"]
        return found

    [alert] = until(alerts, "the server did not evaluate the rules")
    assert (alert["rule"], alert["state"], alert["n"]) == ("errors", "firing", 20)
    assert list_alerts(storage.database, load_rules()) == [alert]
    assert Remote(server.url, server.api_token).alerts() == [alert]
    stored = server.query("SELECT * FROM alerts")
    server.query("UPDATE alert_values SET value = 0.5 RETURNING alert_id")
    [alert] = alerts()
    assert (alert["value"], alert["worst"]) == (0.5, 0.5)  # read, not measured again
    assert server.query("SELECT * FROM alerts") == stored
    assert ask("GET", "/api/alerts?until=2026-01-01").json() == {"alerts": []}
    server.stop()
