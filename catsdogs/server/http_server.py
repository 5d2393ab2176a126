"""The HTTP server: limits what requests hold, tracks unfinished uploads, and ignores headers that may be forged."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.web import Application, RequestHandler

from catsdogs.server.base_handler import RefusalHandler
from catsdogs.server.http_connection import Connection, limit_head
from catsdogs.server.urls import take_prefix
from catsdogs.server.voila.patches import remove_forgeable_headers
from catsdogs.settings import Settings


class AppHTTPServer(HTTPServer):
    """Tornado's HTTP server; with ``xheaders``, addresses come from the headers that every proxy sets or appends to."""

    def initialize(self, *args: Any, settings: Settings, **kwargs: Any) -> None:  # type: ignore[override]
        """Take the arguments of Tornado's server, and the settings."""
        super().initialize(*args, **kwargs)
        self.settings = settings
        self.uploads: WeakSet[HTTPConnection] = WeakSet()
        """Connections of the requests with a body that are neither answered nor closed."""

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Begin to serve a client."""
        limit_head(stream)
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Begin to read a request."""
        request_conn.__class__ = Connection  # Tornado has no setting for its class
        assert isinstance(request_conn, Connection)
        return _RequestDelegate(super().start_request(server_conn, request_conn), request_conn, self)

    def finish_upload(self, request: HTTPServerRequest) -> None:
        """Remove an answered request from `uploads`."""
        if request.connection is not None:
            self.uploads.discard(request.connection)


class _RequestDelegate(HTTPMessageDelegate):
    """Passes a request on to Tornado's own delegate, without forgeable headers, and without the prefix of its path."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: Connection, server: AppHTTPServer) -> None:
        self._delegate, self._connection = delegate, connection
        self._uploads, self._settings = server.uploads, server.settings

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        remove_forgeable_headers(headers)
        assert isinstance(start_line, RequestStartLine)
        start_line = start_line._replace(path=take_prefix(self._settings, start_line.path, headers))
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._uploads.add(self._connection)
        try:
            return self._delegate.headers_received(start_line, headers)
        except HTTPInputError:  # such as an invalid Host
            return self._delegate.headers_received(*self._connection.refuse_head(400))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._uploads.discard(self._connection)
        self._delegate.on_connection_close()


class WebApplication(Application):
    """Tornado's application; a request that is malformed, too large or too slow is answered like all others."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Find what passes a request on to its handler, or to one that refuses it."""
        status = getattr(request.connection, "refused", None)
        return super().find_handler(request, **kwargs) if status is None else self.refusal(request, status)

    def get_handler_delegate(self, request: HTTPServerRequest, *arguments: Any, **named: Any) -> Any:
        """Return what passes a request on to a handler."""
        return _BodyDelegate(self, super().get_handler_delegate(request, *arguments, **named))

    def refusal(self, request: HTTPServerRequest, status: int, route: str = "(malformed)") -> HTTPMessageDelegate:
        """Return what answers a request with an error."""
        return super().get_handler_delegate(request, RefusalHandler, {"status": status, "route": route})


class _BodyDelegate(HTTPMessageDelegate):
    """Passes a request on to its handler, and of the body only what the handler reads."""

    def __init__(self, application: WebApplication, delegate: Any) -> None:
        self._application, self._delegate, self._request = application, delegate, delegate.request
        handler_class: type[RequestHandler] = delegate.handler_class
        self._route = str(delegate.handler_kwargs.get("route", handler_class.__name__))
        self._limit: int = getattr(handler_class, "max_body", 0)
        self._streams: bool = delegate.stream_request_body
        self._received = 0
        self._request.connection.refuse = self._refuse

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._head = start_line, headers
        if not (self._streams or self._limit):
            for name in ("Content-Type", "Content-Encoding"):
                headers.pop(name, None)  # Tornado would look for a form
        handled: Awaitable[None] | None = self._delegate.headers_received(start_line, headers)
        return handled

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._streams or self._received <= self._limit:
            received: Awaitable[None] | None = self._delegate.data_received(chunk)
            return received
        return self._refuse(413) if self._limit else None

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()

    async def _refuse(self, status: int) -> None:
        """Answer with an error instead of the handler."""
        self._delegate.on_connection_close()
        self._delegate = self._application.refusal(self._request, status, self._route)
        await self._delegate.headers_received(*self._head)
