"""HTTP and websocket client of a Jupyter Kernel Gateway, which runs kernels on another machine.

``jupyter_server.gateway`` cannot be used: it sends no token on the websocket over which a notebook is run, opens that
websocket in a blocking call, polls it in a busy loop, and sends binary messages, such as photos, as text.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler, websocket_connect

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.kernels.wire_protocol import PROTOCOL

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 2**27
CONNECT_SECONDS = 5
REQUEST_SECONDS = 5
START_SECONDS = 15
"""Timeout of a request that starts a kernel: its process is started before the gateway answers."""
PING_SECONDS = 20

MAX_CONNECTIONS = 100
"""Number of simultaneous requests; each open page asks every few seconds whether its kernel is alive."""


class GatewayUnavailable(ServiceUnavailable):
    """Raised where the gateway cannot be reached, or answers with an error."""


class GatewayClient:
    """Client of a Jupyter Kernel Gateway.

    Parameters
    ----------
    url
        Address of the gateway, such as ``https://kernels.example.org:8888``.
    token
        The ``KG_AUTH_TOKEN`` that it was started with.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}
        self._available = True

    async def start(self, kernel_name: str) -> str:
        """Start a kernel, with none of our environment variables, and return its id.

        Raises
        ------
        GatewayUnavailable
        """
        body = json.dumps({"name": kernel_name, "env": {}})
        answer = await self._request("POST", "/api/kernels", body=body, request_timeout=START_SECONDS)
        return str(json.loads(answer.body)["id"])

    async def has_kernel(self, kernel_id: str) -> bool:
        """Return whether a kernel exists.

        Raises
        ------
        GatewayUnavailable
        """
        return (await self._request("GET", _path(kernel_id))).code == 200

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel, if it exists.

        Raises
        ------
        GatewayUnavailable
        """
        await self._request("DELETE", _path(kernel_id))

    async def connect(
        self, kernel_id: str, session: str, on_message: Callable[[str | bytes | None], None]
    ) -> WebSocketClientConnection:
        """Open a kernel's websocket; `on_message` gets None when it is closed.

        Raises
        ------
        GatewayUnavailable
        """
        address = f"{self._url}{_path(kernel_id)}/channels?{urlencode({'session_id': session})}"
        request = HTTPRequest(
            address.replace("http", "ws", 1),
            headers=self._headers,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=START_SECONDS,
        )
        try:
            socket = await websocket_connect(
                request,
                on_message_callback=on_message,
                subprotocols=[PROTOCOL],
                max_message_size=MAX_MESSAGE_BYTES,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
            )
        except (HTTPClientError, OSError) as error:
            raise self._unavailable(repr(error)) from error
        if socket.selected_subprotocol != PROTOCOL:
            socket.close()
            raise self._unavailable(f"it does not support {PROTOCOL}")
        return socket

    @cached_property
    def _http(self) -> AsyncHTTPClient:
        """HTTP client of the running event loop."""
        return AsyncHTTPClient(force_instance=True, max_clients=MAX_CONNECTIONS)

    async def _request(self, method: str, path: str, **options: Any) -> HTTPResponse:
        """Return the gateway's response: a success, or 404.

        Raises
        ------
        GatewayUnavailable
        """
        options = {"connect_timeout": CONNECT_SECONDS, "request_timeout": REQUEST_SECONDS, **options}
        request = HTTPRequest(self._url + path, method=method, headers=self._headers, **options)
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (HTTPClientError, OSError) as error:
            raise self._unavailable(repr(error)) from error
        if answer.code >= 300 and answer.code != 404:
            raise self._unavailable(f"HTTP {answer.code} ({answer.reason})")
        self._available = True
        return answer

    def _unavailable(self, cause: str) -> GatewayUnavailable:
        """Return the error to be raised, and log its cause, once until the gateway answers again."""
        if self._available:
            self._available = False
            logger.warning("The kernel gateway %s is unavailable: %s", self._url, cause)
        return GatewayUnavailable(N_("This page cannot be opened just now. Try again in a minute."))


def send(socket: WebSocketClientConnection | WebSocketHandler | None, message: str | bytes) -> None:
    """Send a binary message; a message to a websocket that is closed is dropped."""
    if socket is not None:
        with contextlib.suppress(WebSocketClosedError):
            socket.write_message(message, binary=True)


def _path(kernel_id: str) -> str:
    return f"/api/kernels/{quote(kernel_id, safe='')}"
