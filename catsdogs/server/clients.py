"""Who asks, as limits count it: the address of a connection, or the one that a proxy of ours names."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from ipaddress import IPv6Network, ip_address
from typing import Any
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

logger = logging.getLogger(__name__)

NETWORK_BITS = 64
"""Of an IPv6 address, what names a client: whoever has one has all the addresses that begin with these."""


class Clients:
    """Tells clients apart.

    Parameters
    ----------
    behind_proxy
        Whether addresses come from a proxy.
    """

    def __init__(self, behind_proxy: bool) -> None:
        self._may_hide = not behind_proxy

    def name_of(self, request: HTTPServerRequest) -> str:
        """Name the client of a request; say once in the log where a proxy seems to hide them all."""
        if self._may_hide and "X-Forwarded-For" in request.headers:
            self._may_hide = False
            logger.warning(
                "A request came through a proxy: limits take all who come through it for one client. "
                "If the proxy is yours, set CATSDOGS_BEHIND_PROXY=true."
            )
        return client_name(str(request.remote_ip))


def client_name(address: str) -> str:
    """Name the client that has an address: an IPv6 address counts by its network of `NETWORK_BITS`."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((int(ip), NETWORK_BITS), strict=False))


class Listener(HTTPServer):
    """Knows what is being uploaded, and which of a proxy's headers (``xheaders``) to believe.

    They are those that every proxy sets or adds to.
    A proxy passes on the headers that it does not know: ``X-Real-IP`` and ``X-Scheme``, which Tornado prefers,
    would let clients choose their address. Of ``X-Forwarded-For`` and ``X-Forwarded-Proto``, the last entry counts.
    """

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Take what Tornado's server takes."""
        super().initialize(*args, **kwargs)
        self.uploads: WeakSet[HTTPConnection] = WeakSet()
        """Requests with a body that were neither answered nor given up, by what answers them."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Begin to read a request."""
        return _Incoming(super().start_request(server_conn, request_conn), request_conn, self.uploads)

    def answered(self, request: HTTPServerRequest) -> None:
        """Forget an upload that was answered."""
        if request.connection is not None:
            self.uploads.discard(request.connection)


class _Incoming(HTTPMessageDelegate):
    """Passes on a request without what a client may have set."""

    def __init__(
        self, delegate: HTTPMessageDelegate, connection: HTTPConnection, uploads: WeakSet[HTTPConnection]
    ) -> None:
        self._delegate, self._connection, self._uploads = delegate, connection, uploads

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        for name in ("X-Real-IP", "X-Scheme"):
            headers.pop(name, None)
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._uploads.add(self._connection)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._uploads.discard(self._connection)
        self._delegate.on_connection_close()
