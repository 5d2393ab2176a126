"""The routes of an open page to its kernel: heartbeat, websocket and shutdown, each behind the access check."""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.web import HTTPError
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from catsdogs.server.base_handler import BaseHandler
from catsdogs.server.kernels.page_messages import is_for_page
from catsdogs.server.kernels.session import PageSession
from catsdogs.server.kernels.wire_protocol import PROTOCOL, MalformedMessage, header_of, unframe
from catsdogs.server.rate_limit import TooManyRequests
from catsdogs.server.voila.patches import KernelWebsocketPatches

_SESSION_NAME = re.compile(r"[\w-]{,100}", re.ASCII)


class _KernelAccessHandler(BaseHandler):
    """Base of the handlers of one kernel.

    Whoever knows a kernel's random id has access to it; a kernel of the operator's app also needs the sign-in.
    """

    page_session: PageSession
    """Session of the kernel."""

    async def prepare(self) -> None:
        """Check the access.

        Raises
        ------
        HTTPError
            404: there is no such kernel, or the visitor has no access to it.
        """
        session = self.settings["kernel_manager"].session_of(self.path_kwargs["kernel_id"])
        if session is None or (session.app.operator_only and not self.settings["catsdogs"].operator.is_signed_in(self)):
            raise HTTPError(404)
        self.page_session = session
        if (preparing := super().prepare()) is not None:
            await preparing


class KernelModelHandler(_KernelAccessHandler, KernelHandler):  # type: ignore[misc]
    """``GET /api/kernels/ID``: JupyterLab's client asks for the state of its kernel."""

    SUPPORTED_METHODS = ("GET",)


class KernelWebsocketHandler(_KernelAccessHandler, KernelWebsocketPatches, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """``GET /api/kernels/ID/channels``: the messages between a page and its kernel."""

    async def prepare(self) -> None:
        """Check the access, and what Jupyter would check too late, or not at all.

        Raises
        ------
        HTTPError
            404: as above. 403: the page is one of another site. 400: this is no websocket, or it does not offer the
            binary format (the older one, which Jupyter's clients no longer use, is not checked here), or its session's
            name is none that ZeroMQ takes.
        """
        await super().prepare()
        origin = self.request.headers.get("Origin")
        if origin is not None and not self.check_origin(origin):
            raise HTTPError(403)
        is_websocket = self.request.headers.get("Upgrade", "").lower() == "websocket"
        offered = [name.strip() for name in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        session = self.get_query_argument("session_id", "")
        if not (is_websocket and PROTOCOL in offered and _SESSION_NAME.fullmatch(session)):
            raise HTTPError(400)

    async def get(self, kernel_id: str) -> None:
        """Open a websocket, and wait until it is closed.

        Raises
        ------
        TooManyRequests
        """
        self.page_session.add_websocket(self)
        try:
            await super().get(kernel_id)  # type: ignore[misc]
        finally:
            self.page_session.websockets.discard(self)
            self.release()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the websocket; it no longer counts, even if its page no longer answers."""
        super().close(code, reason)
        self.page_session.websockets.discard(self)

    def write_message(self, message: Any, binary: bool = False) -> Any:
        """Send a kernel's message to the page, if it is of a type that the page needs."""
        return super().write_message(message, binary) if is_for_page(message) else None

    def on_message(self, ws_message: str | bytes) -> None:
        """Pass a message on to the kernel.

        A page that sends too many messages, or one that is malformed, loses its websocket; it may open another one.
        """
        server, kernel_id = self.settings["catsdogs"], self.path_kwargs["kernel_id"]
        try:
            server.limits.messages.count(kernel_id)
            server.limits.message_bytes.count(kernel_id, len(ws_message))
            header_of(unframe(ws_message)[1])
        except TooManyRequests:
            self.close(1008, "too many messages")
        except MalformedMessage:
            self.close(1007, "malformed message")
        else:
            if self.connection is not None:  # the websocket is not being closed
                super().on_message(ws_message)


class SessionHandler(_KernelAccessHandler):
    """``GET /session/ID``: the page's heartbeat."""

    async def get(self, kernel_id: str) -> None:
        """Answer 204 while the kernel runs; that is a sign of life of the page.

        The header ``X-Received`` has the number of bytes that have arrived over the page's websockets: while a large
        photo arrives, the page sees by it that its connection works.

        Raises
        ------
        HTTPError
            404: the session has ended.
        """
        kernels = self.settings["kernel_manager"]
        kernels.note_sign_of_life(kernel_id)
        if not await kernels.is_running(kernel_id):
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Received", sum(websocket.received for websocket in self.page_session.websockets))
        self.set_status(204)


class EndSessionHandler(_KernelAccessHandler):
    """``POST /voila/api/shutdown/ID``: a page that closes stops its kernel."""

    def check_xsrf_cookie(self) -> None:
        """Check nothing: the browser sends this beacon without an XSRF token (voila issue 1458).

        None is needed: nobody can forge a request for a kernel whose random id they do not know.
        """

    async def post(self, kernel_id: str) -> None:
        """Stop the kernel."""
        await self.settings["kernel_manager"].stop(kernel_id)
        self.set_status(204)
