"""The websocket over which a page's messages travel between this server and its kernel on the gateway."""

from __future__ import annotations

from collections.abc import Callable

from tornado.websocket import WebSocketClientConnection

from catsdogs.server.kernels.gateway_client import GatewayClient, send
from catsdogs.server.kernels.message_buffer import MessageBuffer
from catsdogs.server.kernels.wire_protocol import reports_death

Message = str | bytes
Receiver = Callable[[Message | None], None]


class PageLink:
    """A websocket to a kernel that outlives the page's own: what comes while the page is disconnected is kept for it.

    Parameters
    ----------
    session
        The id by which the kernel knows the page; a page that connects again has the same one.
    on_death
        Called when the gateway reports that the kernel's process has ended.
    on_overflow
        Called when the kernel has sent too much to a page that is disconnected.
    """

    def __init__(self, session: str, *, on_death: Callable[[], None], on_overflow: Callable[[], None]) -> None:
        self.session = session
        self._on_death = on_death
        self._on_overflow = on_overflow
        self._receiver: Receiver | None = None
        self._socket: WebSocketClientConnection | None = None
        self.detach()

    async def open(self, gateway: GatewayClient, kernel_id: str) -> None:
        """Connect to a kernel.

        Raises
        ------
        GatewayUnavailable
        """
        self._socket = await gateway.connect(kernel_id, self.session, self._receive)

    @property
    def is_open(self) -> bool:
        """Whether the kernel is still connected."""
        return self._socket is not None

    def close(self) -> None:
        """Disconnect from the kernel."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def attach(self, receiver: Receiver) -> None:
        """Give a page what was kept for it, and from now on what the kernel sends; None says that this link closed."""
        for message in self._kept:
            receiver(message)
        self._receiver = receiver
        if not self.is_open:
            receiver(None)

    def detach(self) -> None:
        """Keep what the kernel sends from now on."""
        self._receiver = None
        self._kept: MessageBuffer[Message] = MessageBuffer(len, self._on_overflow)

    def send(self, message: bytes) -> None:
        """Send a message to the kernel; without a connection, it is dropped."""
        send(self._socket, message)

    def _receive(self, message: Message | None) -> None:
        if message is None:
            self._socket = None
            if self._receiver is not None:
                self._receiver(None)
        elif reports_death(message):
            self._on_death()
        elif self._receiver is not None:
            self._receiver(message)
        else:
            self._kept.append(message)
