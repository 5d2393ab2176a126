"""The addresses of the server, for this machine and for the machine of the kernels."""

from __future__ import annotations

import pytest

from catsdogs.errors import SettingsError
from catsdogs.server.urls import PREFIX_HEADER, loopback_url, relative_reference, take_prefix, url_for_kernels
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


@pytest.mark.parametrize(
    ("base_url", "trusted", "named", "path", "expected", "prefix"),
    [
        ("", False, "", "/info", "/info", ""),
        ("/pets", False, "", "/pets/info?lang=fr", "/info?lang=fr", "/pets"),
        ("/pets", False, "", "/info", "/info", "/pets"),
        ("/pets", False, "", "/petshop", "/petshop", "/pets"),
        ("/pets", False, "", "/pets", "/", "/pets"),
        ("/pets", False, "", "/pets?lang=fr", "/?lang=fr", "/pets"),
        ("/pets", True, "/forged", "/pets/info", "/info", "/pets"),
        ("", True, "/pets/", "/info", "/info", "/pets"),
        ("", True, "/pets", "/pets/info", "/info", "/pets"),
        ("", False, "/forged", "/info", "/info", ""),
        ("", True, "//evil.example", "/info", "/info", ""),
        ("", True, "javascript:alert(1)", "/info", "/info", ""),
        ("", True, "/a/../b", "/info", "/info", ""),
    ],
)
def test_where_a_request_arrives_its_path_loses_the_prefix(
    base_url: str, trusted: bool, named: str, path: str, expected: str, prefix: str
) -> None:
    given = Settings(_env_file=None, CATSDOGS_BASE_URL=base_url, CATSDOGS_BEHIND_PROXY=trusted)
    headers = {PREFIX_HEADER: named} if named else {}
    assert take_prefix(given, path, headers) == expected
    assert headers.get(PREFIX_HEADER, "") == prefix


@pytest.mark.parametrize(
    ("here", "path", "reference"),
    [
        ("/", "/info", "./info"),
        ("/monitoring", "/login?x=1", "./login?x=1"),
        ("/logout", "/", "./"),
        ("/info/", "/info", "../info"),
        ("/voila/render/monitoring.ipynb", "/login", "../../login"),
    ],
)
def test_redirects_are_relative(here: str, path: str, reference: str) -> None:
    assert relative_reference(here, path) == reference
