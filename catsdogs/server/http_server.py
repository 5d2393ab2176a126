"""The HTTP server: tracks unfinished uploads, and ignores headers that clients of a proxy could forge."""

from __future__ import annotations

from collections.abc import Awaitable
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

from catsdogs.server.voila.patches import remove_forgeable_headers


class AppHTTPServer(HTTPServer):
    """Tornado's HTTP server; with ``xheaders``, addresses come from the headers that every proxy sets or appends to."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments of Tornado's server."""
        super().initialize(*args, **kwargs)
        self.uploads: WeakSet[HTTPConnection] = WeakSet()
        """Connections of the requests with a body that are neither answered nor closed."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Begin to read a request."""
        return _RequestDelegate(super().start_request(server_conn, request_conn), request_conn, self.uploads)

    def finish_upload(self, request: HTTPServerRequest) -> None:
        """Remove an answered request from `uploads`."""
        if request.connection is not None:
            self.uploads.discard(request.connection)


class _RequestDelegate(HTTPMessageDelegate):
    """Passes a request on to Tornado's own delegate, without the headers that a client may have forged."""

    def __init__(
        self, delegate: HTTPMessageDelegate, connection: HTTPConnection, uploads: WeakSet[HTTPConnection]
    ) -> None:
        self._delegate, self._connection, self._uploads = delegate, connection, uploads

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        remove_forgeable_headers(headers)
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
