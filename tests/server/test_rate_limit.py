"""How often a client may ask, and who counts as one client."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from catsdogs.server.clients import client_name
from catsdogs.server.rate_limit import MAX_CLIENTS, RateLimit, TooManyRequests


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
    for number in range(2 * MAX_CLIENTS):
        limit.take(str(number))
    assert len(limit) <= MAX_CLIENTS
    last = str(2 * MAX_CLIENTS - 1)
    limit.take(last)
    with pytest.raises(TooManyRequests):
        limit.take(last)


def test_programs_are_limited_by_address_wherever_they_ask(behind_proxy, client_of):
    client = client_of(behind_proxy)

    def ask(address, path="/api/recent-predictions", **headers):
        return client("GET", path, headers={"X-Forwarded-For": address, **headers})

    paths = ["/api/recent-predictions", "/api/statistics"]
    assert [ask("203.0.113.1", paths[n % 2]).status for n in range(7)] == [200] * 5 + [429] * 2
    refused = ask("203.0.113.1")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["detail"]
    assert ask("203.0.113.2").status == 200
    assert ask("203.0.113.1", **{"X-Real-IP": "203.0.113.99"}).status == 429, "a client may have set it"
    assert ask("203.0.113.99, 203.0.113.1").status == 429, "the proxy's own entry is the last"
    for path in ("/health", "/metrics"):
        assert ask("203.0.113.1", path).status == 200, "probes and Prometheus see a flood from their own address"
    assert [ask(f"2001:db8::{n}").status for n in range(6)] == [200] * 5 + [429]
    assert ask("2001:db8:0:1::1").status == 200


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_client_has_a_network(address, name):
    assert client_name(address) == name


def test_an_operator_hears_once_of_a_proxy_that_is_not_set(small_server, client_of):
    for _ in range(2):
        client_of(small_server)("GET", "/api/statistics", headers={"X-Forwarded-For": "203.0.113.1"})
    assert small_server.log.read_text().count("set CATSDOGS_BEHIND_PROXY=true") == 1


def test_each_request_has_a_name_that_a_proxy_may_give(behind_proxy, server, client, client_of):
    named = {"X-Request-ID": "0123456789abcdef"}
    assert client_of(behind_proxy)("GET", "/health", headers=named).headers["X-Request-ID"] == "0123456789abcdef"
    hostile = {"X-Request-ID": "jane doe"}
    assert client_of(behind_proxy)("GET", "/health", headers=hostile).headers["X-Request-ID"] != "jane doe"
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
