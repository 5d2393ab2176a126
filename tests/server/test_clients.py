"""The name of a client, and a proxy that the server is not set up for."""

from __future__ import annotations

import pytest

from catsdogs.server.clients import client_name
from tests.server.client import Client
from tests.serving import RunningServer


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
def test_an_ipv6_client_is_named_by_its_network(address: str, name: str) -> None:
    assert client_name(address) == name


def test_a_proxy_that_is_not_set_up_is_logged_once(server: RunningServer, client: Client) -> None:
    for _ in range(2):
        client("GET", "/api/statistics", headers={"X-Forwarded-For": "203.0.113.1"})
    assert server.log.read_text().count("set CATSDOGS_BEHIND_PROXY=true") == 1
