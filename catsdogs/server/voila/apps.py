"""The pages that have a kernel, and the doors to that kernel."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import unquote

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, StaticFileHandler
from voila.handler import VoilaHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from catsdogs.i18n import N_, Translator
from catsdogs.server.auth import Operator, Scope
from catsdogs.server.base_handler import APP_CONTENT_SECURITY_POLICY, BaseHandler
from catsdogs.server.kernels.base import App, NewSession, new_session
from catsdogs.server.kernels.wire_protocol import PROTOCOL, MalformedMessage, header_of, unframe
from catsdogs.server.pages import PageHandler
from catsdogs.server.rate_limit import TooManyRequests
from catsdogs.server.voila import bundle, preload

APPS = (
    App("/inference", "predict.ipynb", Scope.PREDICT, ahead=True),
    App("/monitoring", "monitoring.ipynb", Scope.MONITOR, operator_only=True),
)

TITLES = {"/inference": N_("Cat or dog?"), "/monitoring": N_("How the service is doing")}

LOADING_SECONDS = 120
"""A notebook that takes longer to run its cells has failed."""

FLUSH_SECONDS = 0.004
"""Voilà gives a page in hundreds of pieces; what comes within so long is sent together."""


class VisitorIdentityProvider(IdentityProvider):
    """Everybody is a visitor, without a cookie: Jupyter's own sign-in is not used."""

    def get_user(self, handler: Any) -> User:  # noqa: ARG002
        """Name nobody."""
        return User(username="visitor")

    def get_handlers(self) -> list[tuple[str, object]]:
        """Offer none of Jupyter's own sign-in pages."""
        return []


class AppHandler(PageHandler, VoilaHandler):  # type: ignore[misc]
    """Starts a kernel and streams its notebook, as Voilà does, with an end to it in every case."""

    def initialize(self, app: App, route: str, **kwargs: Any) -> None:  # type: ignore[override]
        """Take what Voilà's handler takes, and the app."""
        PageHandler.initialize(self, route)
        VoilaHandler.initialize(self, notebook_path=app.notebook, **kwargs)
        self.app = app
        self.gone = False
        self.flushing: asyncio.Task[None] | None = None

    def head(self) -> None:
        """Answer without a kernel."""

    async def get(self) -> None:
        """Open the app."""
        if self.app.operator_only and not Operator.is_signed_in(self):
            self.redirect(self.with_query("/login"))
            return
        self.set_header("Content-Security-Policy", APP_CONTENT_SECURITY_POLICY)
        visit = NewSession(self.app, self.translator.language)
        new_session.set(visit)
        complete = False
        try:
            async with asyncio.timeout(LOADING_SECONDS):
                async for html in self.get_generator():
                    self._send(html)
            if self.flushing is not None:
                await self.flushing
            complete = not self.gone
        finally:
            # a page that never got to its visitor must not keep a kernel
            if not complete and visit.kernel_id:
                await self.kernel_manager.stop(visit.kernel_id)

    def _send(self, html: str) -> None:
        if self.gone:  # Voilà finishes the notebook all the same: to stop it midway leaves errors in the log
            return
        self.write(html)
        if self.flushing is None or self.flushing.done():
            self.flushing = asyncio.create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    def on_connection_close(self) -> None:
        """Notice a visitor who left while the page loaded."""
        self.gone = True
        super().on_connection_close()


def set_page_metadata(handler: AppHandler, notebook: Any, cwd: str) -> None:  # noqa: ARG001 (Voilà's hook)
    """Give the template the page's title and words, in the visitor's language."""
    _ = handler.translator
    notebook.metadata["title"] = f"{_(TITLES[handler.app.path])} · catsdogs"
    links = [("/", _("Start page")), ("/info", _("The model"))]
    if handler.app.operator_only:
        links.append(("/logout", _("Sign out")))
    notebook.metadata["catsdogs"] = {
        "language": _.language,
        "texts": loading_texts(_),
        "bundle_url": bundle.bundle_url(),
        "preload": {"folder": preload.folder(), "states": preload.states(_)} if handler.app.ahead else None,
        "links": [(handler.localised(address), text) for address, text in links],
    }


def loading_texts(_: Translator) -> dict[str, str]:
    """Say what the page shows while it loads and when its session has ended."""
    return {
        "loading": _("Getting everything ready…"),
        "slow": _("This takes longer than usual. The page may be reloaded."),
        "lost": _("This session has ended: it was idle for long, or the server was restarted."),
        "offline": _("The server cannot be reached. Trying again…"),
        "reload": _("Reload the page"),
        "noscript": _("This page needs JavaScript."),
    }


class _KernelAccessHandler(BaseHandler):
    """A door to a kernel: its id opens it, and for an operator's kernel the sign-in too."""

    async def prepare(self) -> None:
        """Raise 404 for a kernel that is not there, or not for this visitor."""
        app = self.settings["kernel_manager"].app_of(self.path_kwargs["kernel_id"])
        if app is None or (app.operator_only and not Operator.is_signed_in(self)):
            raise HTTPError(404)
        if (preparing := super().prepare()) is not None:
            await preparing


class KernelModelHandler(_KernelAccessHandler, KernelHandler):  # type: ignore[misc]
    """``/api/kernels/ID``: the page asks whether its kernel is there."""

    SUPPORTED_METHODS = ("GET",)


class KernelWebsocketHandler(_KernelAccessHandler, VoilaKernelWebsocketHandler):  # type: ignore[misc]
    """``/api/kernels/ID/channels``: the messages between a page and its kernel."""

    async def pre_get(self) -> None:
        """Wait until the kernel answers, while it lives; Jupyter would wait a minute for one that does not."""
        connecting = asyncio.ensure_future(super().pre_get())
        try:
            while not connecting.done():
                if not await self.kernel_manager.is_running(self.kernel_id):
                    raise HTTPError(404)
                await asyncio.wait([connecting], timeout=1)
            await connecting
        finally:
            connecting.cancel()

    def on_message(self, ws_message: str | bytes) -> None:
        """Hand a message to the kernel; a page that floods it loses its socket, and may open another later."""
        server, kernel_id = self.settings["catsdogs"], self.path_kwargs["kernel_id"]
        try:
            server.message_limit.take(kernel_id)
            server.message_bytes_limit.take(kernel_id, len(ws_message))
            header_of(unframe(ws_message)[1])
        except TooManyRequests:
            self.close(1008, "too many messages")
        except MalformedMessage:
            self.close(1007, "no message")
        else:
            super().on_message(ws_message)

    def select_subprotocol(self, subprotocols: list[str]) -> str:
        """Choose how messages are framed."""
        if self.connection is None:  # the page closed while its socket was being opened: Jupyter stumbles over that
            raise HTTPError(404)
        if PROTOCOL not in subprotocols:  # the other one, for old pages, Jupyter reads without care
            raise HTTPError(400)
        return PROTOCOL


class SessionHandler(_KernelAccessHandler):
    """``/session/ID``: the page's heartbeat."""

    async def get(self, kernel_id: str) -> None:
        """Say whether the session lives."""
        if not await self.settings["kernel_manager"].is_running(kernel_id):
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")
        self.set_status(204)


class EndSessionHandler(_KernelAccessHandler):
    """``/voila/api/shutdown/ID``: a page that closes stops its kernel.

    The browser sends this by itself, without an XSRF token (voila issue 1458). None is needed:
    nobody can forge a request for a kernel whose random id they do not know.
    """

    def check_xsrf_cookie(self) -> None:
        """See above."""

    async def post(self, kernel_id: str) -> None:
        """Stop the kernel."""
        await self.settings["kernel_manager"].stop(kernel_id)
        self.set_status(204)


class LabExtensionHandler(BaseHandler, FileFindHandler):
    """Front ends of widgets; Jupyter's handler cannot say an error outside of Jupyter's own server."""


class Files(BaseHandler):
    """Static files, whose handlers fail on a path that no file can have, and log the visitor's address then."""

    def prepare(self) -> None:
        """Refuse such a path."""
        path = unquote(self.request.path)
        if "\0" in path or ".." in path.split("/") or path.endswith("/"):
            raise HTTPError(404)


class OwnStaticHandler(Files, StaticFileHandler):
    """Our own static files."""


class VoilaStaticHandler(Files, MultiStaticFileHandler):  # type: ignore[misc]
    """Voilà's static files."""


class TemplateStaticHandler(Files, TemplateStaticFileHandler):  # type: ignore[misc]
    """Static files of the one template that is used; Voilà's handler fails on any other path."""

    def parse_url_path(self, url_path: str) -> str:
        """Refuse other templates."""
        if not url_path.startswith("lab/static/"):
            raise HTTPError(404)
        return str(super().parse_url_path(url_path))
