"""The addresses at which this machine and others reach the server."""

from __future__ import annotations

from urllib.parse import urlsplit

from catsdogs.errors import SettingsError
from catsdogs.settings import Settings


def loopback_url(host: str, port: int) -> str:
    """Give the address at which this machine itself reaches a server that listens on `host`."""
    # "::" is IPv6 alone: its socket does not take IPv4
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def url_for_kernels(settings: Settings, url: str) -> str:
    """Give the address at which kernels reach the server that this machine reaches at `url`.

    Raises
    ------
    SettingsError
        Kernels on another machine would look for it on theirs.
    """
    if not settings.gateway_url:
        return url
    if settings.url_for_kernels:
        return settings.url_for_kernels
    if _is_here(url) and not _is_here(settings.gateway_url):
        raise SettingsError(
            "Kernels on {gateway} cannot reach this server at {url}. Set CATSDOGS_URL_FOR_KERNELS to where they can.",
            gateway=settings.gateway_url,
            url=url,
        )
    return url


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
