"""The messages between a page and its kernel on the gateway, filtered in both directions."""

from __future__ import annotations

import json

from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection

from catsdogs.server.kernels.gateway_client import GatewayUnavailable, send
from catsdogs.server.kernels.page_link import PageLink
from catsdogs.server.kernels.wire_protocol import frame, header_of, unframe


class RemoteWebsocketConnection(BaseKernelWebsocketConnection):
    """Connects a page's websocket to the websocket of its kernel on the gateway."""

    _link: PageLink | None = None

    async def connect(self) -> None:
        """Connect to the kernel, or close the page's websocket, which the page then opens again."""
        self.multi_kernel_manager.notify_connect(self.kernel_id)
        try:
            self._link = await self.kernel_manager.link(self.session_id)
        except GatewayUnavailable:
            self.websocket_handler.close(1013, "the kernel gateway is unavailable")
        else:
            self._link.attach(self._send_to_page)
            if self.websocket_handler.ws_connection is None:  # closed meanwhile
                self._keep_link(self._link)

    def disconnect(self) -> None:  # type: ignore[override]  # Jupyter's own does not await anything either
        """Note that the page's websocket was closed; what its kernel sends is kept for some time."""
        self.multi_kernel_manager.notify_disconnect(self.kernel_id)
        if self._link is not None:
            self._keep_link(self._link)

    def _keep_link(self, link: PageLink) -> None:
        link.detach()
        self.kernel_manager.keep(link)

    def handle_incoming_message(self, incoming_msg: str | bytes) -> None:
        """Send a page's message to its kernel, if pages may send messages of its type.

        The header is encoded anew, so that what was checked is what is sent.
        """
        channel, parts = unframe(incoming_msg)
        header = header_of(parts)
        if self._link is not None and header["msg_type"] in self.multi_kernel_manager.allowed_message_types:
            self.multi_kernel_manager.touch(self.kernel_id)
            self._link.send(frame(channel, [json.dumps(header).encode(), *parts[1:]]))

    def _send_to_page(self, message: str | bytes | None) -> None:
        """Send the kernel's message to its page; None says that the kernel's websocket was closed."""
        if message is None:
            self.websocket_handler.close(1012, "the kernel has ended")
        else:
            self.multi_kernel_manager.touch(self.kernel_id)
            send(self.websocket_handler, message)
