"""The name under which rate limits count a client: the address of its connection, or the one that our proxy reports."""

from __future__ import annotations

import logging
from ipaddress import IPv6Network, ip_address

from tornado.httputil import HTTPServerRequest

logger = logging.getLogger(__name__)

NETWORK_BITS = 64
"""Length of the IPv6 prefix that names a client, who may use all the addresses that begin with it."""


class Clients:
    """Names the clients of requests.

    Parameters
    ----------
    behind_proxy
        Whether the server is set up to believe a proxy.
    """

    def __init__(self, behind_proxy: bool) -> None:
        self._warns_of_proxy = not behind_proxy

    def name_of(self, request: HTTPServerRequest) -> str:
        """Return the name of a request's client; log once that a proxy seems to hide the clients."""
        if self._warns_of_proxy and "X-Forwarded-For" in request.headers:
            self._warns_of_proxy = False
            logger.warning(
                "A request came through a proxy: limits take all who come through it for one client. "
                "If the proxy is yours, set CATSDOGS_BEHIND_PROXY=true."
            )
        return client_name(str(request.remote_ip))


def client_name(address: str) -> str:
    """Return the name of the client with this address: itself, or the network of `NETWORK_BITS` of an IPv6 address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((int(ip), NETWORK_BITS), strict=False))
