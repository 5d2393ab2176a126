"""The addresses of the server, for this machine and for the machine of the kernels."""

from __future__ import annotations

from urllib.parse import urlsplit

from catsdogs.errors import SettingsError
from catsdogs.settings import Settings


def loopback_url(host: str, port: int) -> str:
    """Return the address by which this machine itself reaches a server that listens on `host`."""
    # "::" is IPv6 alone: its socket does not take IPv4
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def url_for_kernels(settings: Settings, url: str) -> str:
    """Return the address by which kernels reach the server, whose address on this machine is `url`.

    Raises
    ------
    SettingsError
        `url` is a loopback address, and the kernels run on another machine.
    """
    if not settings.gateway_url:
        return url
    if settings.url_for_kernels:
        return settings.url_for_kernels
    if _is_loopback(url) and not _is_loopback(settings.gateway_url):
        raise SettingsError(
            "Kernels on {gateway} cannot reach this server at {url}. Set CATSDOGS_URL_FOR_KERNELS to where they can.",
            gateway=settings.gateway_url,
            url=url,
        )
    return url


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
