"""Kernels on the machine of a gateway: started, told, talked to and stopped over the network."""

from __future__ import annotations

import asyncio
import contextlib
import json
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_server._tz import utcnow
from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler
from traitlets.config import Configurable

from catsdogs.server.kernels.base import AppKernelManager, new_session
from catsdogs.server.kernels.gateway import Gateway, GatewayUnavailable
from catsdogs.server.kernels.wire_protocol import frame, header_of, unframe

STOP_SECONDS = 2
"""How long the server waits, when it ends, for the gateway to have stopped the kernels; it was told to by then."""
RESTART_SECONDS = 5
"""How long a gateway may take to start a kernel again: one that is stopped in between would live on, unknown to it."""

_DIED = {"dead", "restarting", "autorestarting"}
"""States of a kernel whose process has ended: where it is started again, it has not run the notebook."""

_PARTS = ("header", "parent_header", "metadata", "content")


class RemoteKernelManager(AppKernelManager):
    """Starts kernels on the gateway of the settings."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        settings = self.parent.settings
        self.gateway = Gateway(settings.gateway_url, settings.gateway_token.get_secret_value())

    async def start_kernel(self, *, env: dict[str, str], kernel_name: str, **_: Any) -> str:  # type: ignore[override]
        """Start the kernel of the app that the current request opens.

        Raises
        ------
        TooManySessions
        GatewayUnavailable
        """
        visit = new_session.get()
        with self._place():
            kernel_id = await self.gateway.start(kernel_name)
            kernel = RemoteKernel(self, kernel_id, kernel_name)
            try:
                await kernel.connect()
            except BaseException:
                await self._stop_there(kernel_id)
                raise
            self._kernels[kernel_id] = kernel
            self._kernel_connections[kernel_id] = 0
        self._opened(kernel_id, visit)
        visit.variables = {**self._told_all(), **self._told_of_visit(env, visit, kernel_id)}
        return kernel_id

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        client: RemoteClient = self._kernels[kernel_id].client()
        return client

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel."""
        self._kernel_connections.pop(kernel_id, None)
        kernel = super().remove_kernel(kernel_id)
        kernel.client().stop_channels()
        return kernel

    async def shutdown_kernel(self, kernel_id: str, **_: Any) -> None:  # type: ignore[override]
        """Stop a kernel."""
        self.remove_kernel(kernel_id)
        await self._stop_there(kernel_id)

    def give_up(self, kernel_id: str) -> None:
        """Forget a kernel that died: its page is of no use. The gateway may start it again, and then stops it."""
        if kernel_id in self:
            self.remove_kernel(kernel_id)
            IOLoop.current().call_later(RESTART_SECONDS, self._stop_there, kernel_id)

    async def _stop_there(self, kernel_id: str) -> None:
        with contextlib.suppress(GatewayUnavailable):  # when it is back, it stops by itself what nobody is connected to
            await self.gateway.stop(kernel_id)

    async def shutdown_all(self, **_: Any) -> None:  # type: ignore[override]
        """Stop all kernels."""
        if stops := [asyncio.create_task(self.stop(kernel_id)) for kernel_id in self._kernels]:
            await asyncio.wait(stops, timeout=STOP_SECONDS)


class RemoteKernel(Configurable):
    """A kernel on the gateway, as Voilà and Jupyter's handlers look at one."""

    execution_state = "idle"

    def __init__(self, manager: RemoteKernelManager, kernel_id: str, kernel_name: str) -> None:
        super().__init__(parent=manager)
        self.manager, self.gateway = manager, manager.gateway
        self.kernel_id, self.kernel_name = kernel_id, kernel_name
        self.last_activity = utcnow()
        self._client = RemoteClient(self)

    async def connect(self) -> None:
        """Open the socket over which the notebook is run.

        Raises
        ------
        GatewayUnavailable
        """
        await self._client.connect()

    def client(self) -> RemoteClient:
        """Give the client that runs the notebook."""
        return self._client

    def give_up(self) -> None:
        """Let go of a kernel that died."""
        self.manager.give_up(self.kernel_id)

    async def is_alive(self) -> bool:
        """Say whether the kernel is there.

        Raises
        ------
        GatewayUnavailable
        """
        return await self.gateway.has_kernel(self.kernel_id)


class RemoteClient(AsyncKernelClient):
    """Runs a notebook in a kernel on the gateway."""

    _socket: WebSocketClientConnection | None = None

    def __init__(self, kernel: RemoteKernel) -> None:
        super().__init__()
        self._kernel = kernel
        self._shell_channel, self._iopub_channel = RemoteChannel("shell", self), RemoteChannel("iopub", self)

    async def connect(self) -> None:
        """Open the kernel's socket.

        Raises
        ------
        GatewayUnavailable
        """
        kernel = self._kernel
        self._socket = await kernel.gateway.connect(kernel.kernel_id, self.session.session, self._receive)

    def start_channels(self, *_: bool, **__: bool) -> None:
        """Do nothing: the socket is open, or the page would be on its way already when it cannot be."""

    def stop_channels(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _async_is_alive(self) -> bool:
        if self._socket is None:
            return False
        with contextlib.suppress(GatewayUnavailable):
            return await self._kernel.is_alive()
        return False

    is_alive = _async_is_alive

    def send(self, channel: str, message: dict[str, Any]) -> None:
        """Send a message to the kernel; nobody answers where there is none any more."""
        parts = [self.session.pack(message[name]) for name in _PARTS]
        _send(self._socket, frame(channel, parts))

    def _receive(self, received: str | bytes | None) -> None:
        """Sort what the kernel says."""
        if received is None:
            self.stop_channels()
            return
        if _says_that_it_died(received):
            self._kernel.give_up()
            return
        name, parts = unframe(received)
        message = dict(zip(_PARTS, map(self.session.unpack, parts[:4]), strict=True))
        message |= {"msg_id": message["header"]["msg_id"], "msg_type": message["header"]["msg_type"]}
        if (channel := {"shell": self._shell_channel, "iopub": self._iopub_channel}.get(name)) is not None:
            channel.messages.put_nowait({**message, "buffers": parts[4:]})


class RemoteChannel:
    """One kind of messages, as Jupyter's client sends and awaits them."""

    def __init__(self, name: str, client: RemoteClient) -> None:
        self._name, self._client = name, client
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self._client.send(self._name, message)

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Await a message; raise Empty where none comes."""
        try:
            async with asyncio.timeout(timeout):
                return await self.messages.get()
        except TimeoutError:
            raise Empty from None


class RemoteWebsocketConnection(BaseKernelWebsocketConnection):
    """What a page and its kernel on the gateway tell each other, as far as a page may."""

    _socket: WebSocketClientConnection | None = None

    async def connect(self) -> None:
        """Reach the kernel; a page whose kernel cannot be reached loses its socket, and tries again by itself."""
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        try:
            self._socket = await self.kernel_manager.gateway.connect(self.kernel_id, self.session_id, self._pass_on)
        except GatewayUnavailable:
            self.websocket_handler.close(1013, "the kernel cannot be reached")

    def disconnect(self) -> None:  # type: ignore[override]  # Jupyter's own does not await anything either
        """Leave the kernel when the page has gone."""
        self.multi_kernel_manager.notify_disconnect(self.kernel_id)
        if self._socket is not None:
            self._socket.close()

    def handle_incoming_message(self, incoming_msg: str | bytes) -> None:
        """Send a page's message to its kernel, if it is of a kind that pages may send.

        The header is written anew: what was looked at is what is sent.
        """
        channel, parts = unframe(incoming_msg)
        header = header_of(parts)
        if header["msg_type"] in self.multi_kernel_manager.allowed_message_types:
            self.multi_kernel_manager.touch(self.kernel_id)
            _send(self._socket, frame(channel, [json.dumps(header).encode(), *parts[1:]]))

    def _pass_on(self, message: str | bytes | None) -> None:
        """Send the kernel's message to its page; a kernel that was started again is of no use to it."""
        if message is None:
            self.websocket_handler.close(1012, "the kernel has gone")
        elif _says_that_it_died(message):
            self.kernel_manager.give_up()
        else:
            self.multi_kernel_manager.touch(self.kernel_id)
            _send(self.websocket_handler, message)


def _send(socket: WebSocketClientConnection | WebSocketHandler | None, message: str | bytes) -> None:
    """Send a message, if somebody is there to read it."""
    if socket is not None:
        with contextlib.suppress(WebSocketClosedError):
            socket.write_message(message, binary=True)


def _says_that_it_died(message: str | bytes) -> bool:
    """Whether a message says that the gateway has started the kernel again, or tried to."""
    _, parts = unframe(message)
    return header_of(parts)["msg_type"] == "status" and json.loads(parts[3])["execution_state"] in _DIED
