"""Rate limits, in themselves and in the server."""

from __future__ import annotations

import time

import pytest
import urllib3

from catsdogs.server.rate_limit import MAX_CLIENTS, RateLimit, TooManyRequests
from tests.server.client import Client
from tests.serving import RunningServer


def test_a_client_has_its_events_and_no_more() -> None:
    limit = RateLimit(3, 60, "later")
    for _ in range(3):
        limit.count("a")
    with pytest.raises(TooManyRequests, match="later") as refused:
        limit.count("a")
    assert 1 <= refused.value.retry_after <= 60
    limit.count("b")
    limit.reset("a")
    limit.count("a")


def test_a_check_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limit = RateLimit(2, 60, "later")
    for _ in range(5):
        limit.check("a")
    limit.count("a")
    limit.check("a")
    limit.count("a")
    for _ in range(5):
        with pytest.raises(TooManyRequests, match="later"):
            limit.check("a")
    now = 60.0
    limit.check("a")


def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    limit = RateLimit(1, 60, "later")
    limit.count("a")
    now = 59.9
    with pytest.raises(TooManyRequests):
        limit.count("a")
    now = 60.0
    limit.count("a")


def test_requests_from_many_addresses_do_not_fill_the_memory() -> None:
    limit = RateLimit(2, 60, "later")
    for number in range(2 * MAX_CLIENTS):
        limit.count(str(number))
    assert len(limit) <= MAX_CLIENTS
    last = str(2 * MAX_CLIENTS - 1)
    limit.count(last)
    with pytest.raises(TooManyRequests):
        limit.count(last)


def test_programs_are_limited_by_address_on_all_routes_together(behind_proxy: RunningServer) -> None:
    client = Client(behind_proxy)

    def ask(address: str, path: str = "/api/recent-predictions", **headers: str) -> urllib3.BaseHTTPResponse:
        return client("GET", path, headers={"X-Forwarded-For": address, **headers})

    paths = ["/api/recent-predictions", "/api/statistics"]
    assert [ask("203.0.113.1", paths[n % 2]).status for n in range(7)] == [200] * 5 + [429] * 2
    refused = ask("203.0.113.1")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["detail"]
    assert ask("203.0.113.2").status == 200
    assert ask("203.0.113.1", **{"X-Real-IP": "203.0.113.99"}).status == 429, "a client may set this header"
    assert ask("203.0.113.99, 203.0.113.1").status == 429, "the last entry is the proxy's own"
    for path in ("/health", "/metrics"):
        assert ask("203.0.113.1", path).status == 200, "also for a client that is limited"
    assert [ask(f"2001:db8::{n}").status for n in range(6)] == [200] * 5 + [429]
    assert ask("2001:db8:0:1::1").status == 200
