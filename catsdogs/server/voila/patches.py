"""Workarounds for defects of Jupyter, Voilà, Tornado and what they depend on, each with the version that needs it.

Whatever replaces a part of another package, overrides a private method of it, or depends on how its files are built,
is in this module. For each workaround, a test in ``tests/server/voila/test_patches.py`` shows the defect without it:
when that test fails, upstream has changed, and the workaround is adapted or removed.

Neither Jupyter nor Voilà is imported at the top of this module: :mod:`catsdogs.server` applies the first workaround
before either is imported.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, MutableMapping
from typing import TYPE_CHECKING, Any

from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError

if TYPE_CHECKING:
    from voila.execute import VoilaExecutor

logger = logging.getLogger(__name__)


def skip_grammar_of_internationalised_addresses() -> None:
    """Make the import of ``rfc3987_syntax`` fail, unless it is imported already.

    For jsonschema 4.26, which Jupyter's event log imports. jsonschema uses that package, where it is installed, for the
    format "iri", which is not used here; its import builds a grammar, a fifth of the start-up time of the server.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def set_renderer(renderer: type[Any]) -> None:
    """Have Voilà's pages rendered by `renderer`, a subclass of its ``NotebookRenderer``.

    For Voilà 0.5.13, which has no setting for that. Its own class reads the notebook and compiles the templates again
    for each page: half of the time until the first byte.
    """
    import voila.handler

    voila.handler.NotebookRenderer = renderer


class RendererPatches:
    """Changes how a page is rendered: a mixin before Voilà's ``NotebookRenderer``.

    For Voilà 0.5.13.
    """

    page_ending_errors: tuple[type[Exception], ...] = ()
    """Errors after which the page ends."""
    traitlet_config: Any
    executor: VoilaExecutor
    kernel_started: bool

    async def connect_executor(self, executor: VoilaExecutor) -> None:
        """Give `executor` a client of its kernel, which is ready to run the notebook."""
        raise NotImplementedError

    async def _jinja_kernel_start(self, nb: Any, kernel_id: str, kernel_future: Any) -> str:
        """Connect to the kernel by `connect_executor`; Voilà's way waits 0.2 s longer for a kernel that is ready."""
        from voila.execute import VoilaExecutor

        self.executor = VoilaExecutor(nb, km=kernel_future, config=self.traitlet_config)
        await self.connect_executor(self.executor)
        self.kernel_started = True
        return kernel_id

    async def generate_content_generator(self, kernel_id: str, kernel_future: Any) -> AsyncIterator[tuple[str, Any]]:
        """Generate the parts of the page, and end it at an error; Voilà's handler would wait for ever."""
        try:
            async for part in super().generate_content_generator(kernel_id, kernel_future):  # type: ignore[misc]
                yield part
        except self.page_ending_errors as error:
            logger.warning("%s: a page lost its kernel while it loaded", type(error).__name__)

    async def _jinja_cell_generator(self, nb: Any, kernel_id: str) -> AsyncIterator[Any]:
        """Run the cells, then add the state of their widgets to the notebook; Voilà's page asks the kernel for it."""
        async for cell in super()._jinja_cell_generator(nb, kernel_id):  # type: ignore[misc]
            yield cell
        self.executor.set_widgets_metadata()


def remove_forgeable_headers(headers: MutableMapping[str, str]) -> None:
    """Remove the headers of a request by which a client behind a proxy could choose its address or scheme.

    For Tornado 6.6, which prefers ``X-Real-IP`` and ``X-Scheme`` to ``X-Forwarded-For`` and ``X-Forwarded-Proto``.
    Every proxy sets the latter or appends to them; the former it passes on as the client sent them.
    """
    for name in ("X-Real-IP", "X-Scheme"):
        headers.pop(name, None)


class KernelWebsocketPatches:
    """Changes how a kernel's websocket is opened and closed: a mixin before Voilà's handler.

    For Jupyter Server 2.21 and Voilà 0.5.13.
    """

    kernel_id: str
    kernel_manager: Any
    connection: Any = None
    ws_connection: Any
    is_open = False
    unopened: Any = None
    """The connection to the kernel of a websocket that was not opened."""
    received_before = 0
    """Bytes that had arrived at the last ping."""

    async def pre_get(self) -> None:
        """Wait for the kernel's answer while it is alive; Jupyter waits a minute for one that has died.

        Raises
        ------
        HTTPError
            404: the kernel died.
        """
        connecting = asyncio.ensure_future(super().pre_get())  # type: ignore[misc]
        try:
            while not connecting.done():
                if not await self.kernel_manager.is_running(self.kernel_id):
                    raise HTTPError(404)
                await asyncio.wait([connecting], timeout=1)
            await connecting
            if not await self.kernel_manager.is_running(self.kernel_id):
                raise HTTPError(404)
        finally:
            # others may wait for the same answer: where it is cancelled, each of them logs an error
            answer = getattr(self.connection or self.unopened, "_kernel_info_future", None)
            if answer is not None and not answer.done():
                answer.set_result({})
            connecting.cancel()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose the format of messages; Jupyter fails when the page was closed while its websocket was opened.

        Raises
        ------
        HTTPError
            404: the page was closed.
        """
        if self.connection is None:
            raise HTTPError(404)
        chosen: str | None = super().select_subprotocol(subprotocols)  # type: ignore[misc]
        return chosen

    async def open(self, kernel_id: str) -> None:
        """Connect to the kernel."""
        self.is_open = True
        await super().open(kernel_id)  # type: ignore[misc]

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the websocket, and leave the kernel at once: what it sends from now on is kept for the page.

        Jupyter leaves it when the page has closed its side, too, or five seconds later. Meanwhile it takes the page for
        one that uses the older format of messages, and Voilà reads a binary message of that format in an endless loop.
        """
        super().close(code, reason)  # type: ignore[misc]
        self._leave_kernel()

    def write_message(self, message: Any, binary: bool = False) -> asyncio.Future[None]:
        """Send a message; that its page has gone meanwhile is no error to be logged."""
        try:
            sent: asyncio.Future[None] = super().write_message(message, binary)  # type: ignore[misc]
        except WebSocketClosedError as error:  # the page has just closed its side
            sent = asyncio.get_running_loop().create_future()
            sent.set_exception(error)
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        return sent

    @property
    def received(self) -> int:
        """Bytes that have arrived, those of an incomplete message included."""
        connection = self.ws_connection
        return connection._wire_bytes_in + connection.stream._read_buffer_size if connection else 0

    def send_ping(self) -> None:
        """Ping the page; while a large message arrives, that counts as an answer.

        A page answers only when its message is sent. Jupyter closes a websocket that has not answered for 90 s; on a
        slow line, a photo of 10 MB takes 200 s.
        """
        if self.received > self.received_before:
            self.last_pong = IOLoop.current().time()
        self.received_before = self.received
        super().send_ping()  # type: ignore[misc]

    def on_close(self) -> None:
        """Leave the kernel when the page has closed its websocket."""
        self._leave_kernel()

    def _leave_kernel(self) -> None:
        """Disconnect from the kernel, once; Jupyter also counts down for a page that closed before it was connected."""
        connection, self.connection = self.connection, None
        if connection is not None and self.is_open:
            connection.disconnect()
        elif connection is not None:
            self.unopened = connection

    def release(self) -> None:
        """Free what the connection to the kernel holds of a websocket that was not opened, and is not going to be.

        Jupyter keeps such a handler, and its socket to a kernel that has not answered, for ever.
        """
        self._leave_kernel()
        connection, self.unopened = self.unopened, None
        sessions: dict[str, Any] = getattr(connection, "_open_sessions", {})
        for key in [key for key, handler in sessions.items() if handler is self]:
            del sessions[key]
        channel = getattr(connection, "kernel_info_channel", None)
        if channel is not None and not channel.closed():
            channel.close()
