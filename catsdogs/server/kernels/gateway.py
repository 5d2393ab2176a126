"""Kernels of another machine, as a Jupyter Kernel Gateway offers them over HTTP and websockets.

``jupyter_server.gateway`` does not serve here: it shows no token on the socket over which a notebook is run, opens it
while everything else waits, reads it in a loop that never rests, and sends binary messages, photos among them, as text.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.kernels.wire_protocol import PROTOCOL

logger = logging.getLogger(__name__)

LARGEST_MESSAGE = 2**27
"""Bytes of a message from a kernel."""
CONNECT_SECONDS = 5
ANSWER_SECONDS = 5
START_SECONDS = 15
"""A kernel's process is started before the gateway answers."""
PING_SECONDS = 20

AT_ONCE = 100
"""Requests to the gateway at a time; each open page asks every few seconds whether its kernel lives."""


class GatewayUnavailable(ServiceUnavailable):
    """The gateway cannot be reached, or does not do what it is asked."""


class Gateway:
    """A Jupyter Kernel Gateway.

    Parameters
    ----------
    url
        Its address, such as ``https://kernels.example.org:8888``.
    token
        What it was started with as ``KG_AUTH_TOKEN``.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"token {token}"}
        self._answers = True

    async def start(self, kernel_name: str) -> str:
        """Start a kernel, which is given none of our environment variables; its id.

        Raises
        ------
        GatewayUnavailable
        """
        body = json.dumps({"name": kernel_name, "env": {}})
        answer = await self._ask("POST", "/api/kernels", body=body, request_timeout=START_SECONDS)
        return str(json.loads(answer.body)["id"])

    async def has_kernel(self, kernel_id: str) -> bool:
        """Say whether a kernel is there still.

        Raises
        ------
        GatewayUnavailable
        """
        return (await self._ask("GET", _path(kernel_id))).code == 200

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel, if it is there.

        Raises
        ------
        GatewayUnavailable
        """
        await self._ask("DELETE", _path(kernel_id))

    async def connect(
        self, kernel_id: str, session: str, on_message: Callable[[str | bytes | None], None]
    ) -> WebSocketClientConnection:
        """Open a kernel's socket; None is its last message.

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
                max_message_size=LARGEST_MESSAGE,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
            )
        except (HTTPClientError, OSError) as error:
            raise self._away(repr(error)) from error
        if socket.selected_subprotocol != PROTOCOL:
            socket.close()
            raise self._away("it does not speak " + PROTOCOL)
        return socket

    @cached_property
    def _http(self) -> AsyncHTTPClient:
        """A client of the running event loop."""
        return AsyncHTTPClient(force_instance=True, max_clients=AT_ONCE)

    async def _ask(self, method: str, path: str, **options: Any) -> HTTPResponse:
        """Give the gateway's answer, which is of success or says that something is not there."""
        options = {"connect_timeout": CONNECT_SECONDS, "request_timeout": ANSWER_SECONDS, **options}
        request = HTTPRequest(self._url + path, method=method, headers=self._headers, **options)
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (HTTPClientError, OSError) as error:
            raise self._away(repr(error)) from error
        if answer.code >= 300 and answer.code != 404:
            raise self._away(f"HTTP {answer.code} ({answer.reason})")
        self._answers = True
        return answer

    def _away(self, cause: str) -> GatewayUnavailable:
        """Make the error, and say its cause in the log; once, until the gateway answers again."""
        if self._answers:
            self._answers = False
            logger.warning("The kernel gateway %s does not do its work: %s", self._url, cause)
        return GatewayUnavailable(N_("This page cannot be opened just now. Try again in a minute."))


def _path(kernel_id: str) -> str:
    return f"/api/kernels/{quote(kernel_id, safe='')}"
