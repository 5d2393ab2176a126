"""The messages between a page and its kernel on the gateway, filtered in both directions."""

from __future__ import annotations

import json

from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection
from tornado.websocket import WebSocketClientConnection

from catsdogs.server.kernels.gateway_client import GatewayUnavailable, send
from catsdogs.server.kernels.wire_protocol import frame, header_of, reports_death, unframe


class RemoteWebsocketConnection(BaseKernelWebsocketConnection):
    """Connects a page's websocket to the websocket of its kernel on the gateway."""

    _socket: WebSocketClientConnection | None = None

    async def connect(self) -> None:
        """Connect to the kernel, or close the page's websocket, which the page then opens again."""
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        try:
            self._socket = await self.kernel_manager.gateway.connect(
                self.kernel_id, self.session_id, self._send_to_page
            )
        except GatewayUnavailable:
            self.websocket_handler.close(1013, "the kernel gateway is unavailable")

    def disconnect(self) -> None:  # type: ignore[override]  # Jupyter's own does not await anything either
        """Close the kernel's websocket after the page's."""
        self.multi_kernel_manager.notify_disconnect(self.kernel_id)
        if self._socket is not None:
            self._socket.close()

    def handle_incoming_message(self, incoming_msg: str | bytes) -> None:
        """Send a page's message to its kernel, if pages may send messages of its type.

        The header is encoded anew, so that what was checked is what is sent.
        """
        channel, parts = unframe(incoming_msg)
        header = header_of(parts)
        if header["msg_type"] in self.multi_kernel_manager.allowed_message_types:
            self.multi_kernel_manager.touch(self.kernel_id)
            send(self._socket, frame(channel, [json.dumps(header).encode(), *parts[1:]]))

    def _send_to_page(self, message: str | bytes | None) -> None:
        """Send the kernel's message to its page; None says that the kernel's websocket was closed."""
        if message is None:
            self.websocket_handler.close(1012, "the kernel has ended")
        elif reports_death(message):
            self.kernel_manager.discard()
        else:
            self.multi_kernel_manager.touch(self.kernel_id)
            send(self.websocket_handler, message)
