"""How often a client may ask, and who counts as one client."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from catsdogs.server.limits import CLIENTS, RateLimit, TooManyRequests


def test_a_client_has_its_events_and_no_more():
    limit = RateLimit(3, 60, "later")
    for _ in range(3):
        limit.take("a")
    with pytest.raises(TooManyRequests, match="later") as refused:
        limit.take("a")
    assert 1 <= refused.value.retry_after <= 60
    limit.take("b")
    limit.forget("a")
    limit.take("a")


def test_a_window_ends():
    limit = RateLimit(1, 0.02, "later")
    limit.take("a")
    time.sleep(0.03)
    limit.take("a")


def test_a_flood_from_many_addresses_does_not_fill_the_memory():
    limit = RateLimit(2, 60, "later")
    for number in range(2 * CLIENTS):
        limit.take(str(number))
    assert len(limit) <= CLIENTS
    last = str(2 * CLIENTS - 1)
    limit.take(last)
    with pytest.raises(TooManyRequests):
        limit.take(last)


@pytest.fixture(scope="module")
def limited(launch):
    """A server behind a proxy, which believes what that says."""
    server = launch(CATSDOGS_REQUESTS_PER_MINUTE="5", CATSDOGS_BEHIND_PROXY="true")
    yield server
    server.stop()


def test_programs_are_limited_by_address_wherever_they_ask(limited, client_of):
    client = client_of(limited)

    def ask(address, path="/api/recent-predictions"):
        return client("GET", path, headers={"X-Real-IP": address})

    paths = ["/api/recent-predictions", "/api/statistics", "/metrics"]
    assert [ask("203.0.113.1", paths[n % 3]).status for n in range(7)] == [200] * 5 + [429] * 2
    refused = ask("203.0.113.1")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["detail"]
    assert ask("203.0.113.2").status == 200
    assert client("GET", "/health", headers={"X-Real-IP": "203.0.113.1"}).status == 200, "probes are not limited"


def test_each_request_has_a_name_that_a_proxy_may_give(limited, server, client, client_of):
    named = {"X-Request-ID": "0123456789abcdef"}
    assert client_of(limited)("GET", "/health", headers=named).headers["X-Request-ID"] == "0123456789abcdef"
    hostile = {"X-Request-ID": "jane doe"}
    assert client_of(limited)("GET", "/health", headers=hostile).headers["X-Request-ID"] != "jane doe"
    answers = [client("GET", path, headers=named) for path in ("/health", "/", "/nothing", "/api/nothing")]
    names = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(names) == 4
    assert "0123456789abcdef" not in names
    assert "GET /health 200" in server.log.read_text()
    assert answers[0].headers["X-Request-ID"] in server.log.read_text()


def test_a_flood_of_health_checks_is_answered(server):
    """A probe must not fail because others ask too."""
    with urllib3.PoolManager(maxsize=20) as http, ThreadPoolExecutor(20) as pool:
        asked = pool.map(lambda _: http.request("GET", f"{server.url}/health/ready", retries=False).status, range(300))
        assert set(asked) == {200}
