"""The addresses of the server, for this machine and for the machine of the kernels."""

from __future__ import annotations

import pytest

from catsdogs.errors import SettingsError
from catsdogs.server.urls import loopback_url, url_for_kernels
from catsdogs.settings import Settings


def settings(gateway: str | None, configured: str | None) -> Settings:
    return Settings(
        _env_file=None,
        CATSDOGS_GATEWAY_TOKEN="g" * 20,
        CATSDOGS_GATEWAY_URL=gateway,
        CATSDOGS_URL_FOR_KERNELS=configured,
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("localhost", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("10.0.0.7", "http://10.0.0.7:1"),
        ("fe80::1", "http://[fe80::1]:1"),
    ],
)
def test_the_address_on_this_machine(host: str, url: str) -> None:
    assert loopback_url(host, 1) == url


@pytest.mark.parametrize(
    ("gateway", "configured", "url", "expected"),
    [
        (None, None, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://localhost:8888", None, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://10.0.0.8:8888", None, "http://10.0.0.7:1", "http://10.0.0.7:1"),
        ("http://10.0.0.8:8888", "https://a.example", "http://127.0.0.1:1", "https://a.example"),
    ],
)
def test_the_address_for_kernels(gateway: str | None, configured: str | None, url: str, expected: str) -> None:
    assert url_for_kernels(settings(gateway, configured), url) == expected


def test_kernels_on_another_machine_do_not_get_a_loopback_address() -> None:
    with pytest.raises(SettingsError, match="CATSDOGS_URL_FOR_KERNELS"):
        url_for_kernels(settings("http://192.0.2.1:8888", None), "http://127.0.0.1:1")
