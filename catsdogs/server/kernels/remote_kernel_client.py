"""The client that runs a notebook in a kernel on the gateway: Jupyter's client, with one websocket for all channels."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from tornado.websocket import WebSocketClientConnection

from catsdogs.server.kernels.gateway_client import GatewayClient, GatewayUnavailable, send
from catsdogs.server.kernels.wire_protocol import frame, reports_death, unframe

_PARTS = ("header", "parent_header", "metadata", "content")


class RemoteKernelClient(AsyncKernelClient):
    """Runs a notebook in a kernel on the gateway.

    Parameters
    ----------
    gateway, kernel_id
        The kernel and where it runs.
    on_death
        Called when the gateway reports that the kernel's process has ended.
    """

    _socket: WebSocketClientConnection | None = None

    def __init__(self, gateway: GatewayClient, kernel_id: str, *, on_death: Callable[[], None]) -> None:
        super().__init__()
        self._gateway, self._kernel_id, self._on_death = gateway, kernel_id, on_death
        self._channels = {name: RemoteChannel(name, self) for name in ("shell", "iopub")}

    @property
    def shell_channel(self) -> Any:
        """Requests to the kernel, and its replies."""
        return self._channels["shell"]

    @property
    def iopub_channel(self) -> Any:
        """Messages that the kernel publishes."""
        return self._channels["iopub"]

    async def connect(self) -> None:
        """Open the kernel's websocket.

        Raises
        ------
        GatewayUnavailable
        """
        self._socket = await self._gateway.connect(self._kernel_id, self.session.session, self._receive)

    def start_channels(self, *_: bool, **__: bool) -> None:
        """Do nothing: :meth:`connect` is called before the page is begun, so that the page can still be refused."""

    def stop_channels(self) -> None:
        """Close the websocket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def is_alive(self) -> bool:
        """Return whether the websocket is open and the gateway has the kernel."""
        if self._socket is None:
            return False
        with contextlib.suppress(GatewayUnavailable):
            return await self._gateway.has_kernel(self._kernel_id)
        return False

    def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send a message to the kernel; without a connection, it is dropped."""
        send(self._socket, frame(channel, [self.session.pack(message[name]) for name in _PARTS]))

    def _receive(self, received: str | bytes | None) -> None:
        """Put a message of the kernel into its channel's queue; None says that the websocket was closed."""
        if received is None:
            self.stop_channels()
            return
        if reports_death(received):
            self._on_death()
            return
        name, parts = unframe(received)
        message = dict(zip(_PARTS, map(self.session.unpack, parts[:4]), strict=True))
        message |= {"msg_id": message["header"]["msg_id"], "msg_type": message["header"]["msg_type"]}
        if (channel := self._channels.get(name)) is not None:
            channel.messages.put_nowait({**message, "buffers": parts[4:]})


class RemoteChannel:
    """One channel, with the methods by which Jupyter's client sends and receives."""

    def __init__(self, name: str, client: RemoteKernelClient) -> None:
        self._name, self._client = name, client
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self._client.send(self._name, message)

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait up to `timeout` seconds for the next message.

        Raises
        ------
        Empty
            None came.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self.messages.get()
        except TimeoutError:
            raise Empty from None
