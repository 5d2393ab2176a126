"""The addresses of the server: for browsers, which may see it under a prefix, for this machine and for kernels.

A proxy may show the server under a path such as ``/pets``, its prefix. Some proxies take the prefix away before they
pass a request on, others do not: both work. :func:`take_prefix` is where a request arrives; from there on, its path has
no prefix, and handlers put it before the addresses that they write.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from urllib.parse import urlsplit

from catsdogs.errors import SettingsError
from catsdogs.settings import Settings, path_prefix

PREFIX_HEADER = "X-Forwarded-Prefix"
"""Header of a proxy's requests, with the prefix. From :func:`take_prefix` on, it holds the prefix that applies."""


def take_prefix(settings: Settings, path: str, headers: MutableMapping[str, str]) -> str:
    """Return the path of a request without the prefix, which stays in its headers.

    The prefix is that of CATSDOGS_BASE_URL, else the one that a trusted proxy names.
    """
    named = headers.pop(PREFIX_HEADER, "")
    prefix = settings.base_url
    if not prefix and settings.behind_proxy:
        prefix = path_prefix(named) or ""
    if not prefix:
        return path
    headers[PREFIX_HEADER] = prefix
    rest = path.removeprefix(prefix)
    if rest == path or rest[:1] not in {"", "/", "?"}:
        return path
    return rest if rest.startswith("/") else f"/{rest}"


def relative_reference(here: str, path: str) -> str:
    """Return how the page at the path `here` refers to `path`, both without the prefix.

    For redirects: jupyter-server-proxy puts the prefix before an address that begins with a slash, even if it has it.
    """
    return ("../" * (here.count("/") - 1) or "./") + path.removeprefix("/")


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
