"""The apps, the pages that open them, and what their template shows."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.iostream import StreamClosedError
from voila.handler import VoilaHandler

from catsdogs.i18n import N_, Translator
from catsdogs.server.auth import Scope
from catsdogs.server.kernels.session import App, NewSession, new_session
from catsdogs.server.pages import APP_DESCRIPTION, PageHandler
from catsdogs.server.security_headers import app_policy
from catsdogs.server.voila import preload

APPS = (
    App("/inference", "predict.ipynb", Scope.PREDICT),
    App("/monitoring", "monitoring.ipynb", Scope.MONITOR, operator_only=True),
)

TITLES = {"/inference": N_("Cat or dog?"), "/monitoring": N_("How the service is doing")}
DESCRIPTIONS = {
    "/inference": APP_DESCRIPTION,
    "/monitoring": N_("Is it fast, are people satisfied, what did it answer last?"),
}

LOADING_TIMEOUT_SECONDS = 120
"""Most time for a notebook to run its cells."""

FLUSH_SECONDS = 0.004
"""Time between two writes to the network: Voilà generates a page in hundreds of small parts."""


class VisitorIdentityProvider(IdentityProvider):
    """Treats everybody as the same visitor, without a cookie: Jupyter's own sign-in is not used."""

    def get_user(self, handler: Any) -> User:  # noqa: ARG002
        """Return the visitor."""
        return User(username="visitor")

    def get_handlers(self) -> list[tuple[str, object]]:
        """Return none of Jupyter's own sign-in pages."""
        return []


class AppHandler(PageHandler, VoilaHandler):  # type: ignore[misc]
    """Starts a kernel and streams its notebook, as Voilà does; a page that fails or is left stops its kernel."""

    def initialize(self, app: App, route: str, **kwargs: Any) -> None:  # type: ignore[override]
        """Take the arguments of Voilà's handler, and the app."""
        PageHandler.initialize(self, route)
        VoilaHandler.initialize(self, notebook_path=app.notebook, **kwargs)
        self.app = app
        if not app.operator_only:
            self.frame_ancestors = self.settings["catsdogs"].settings.frame_ancestors
        self.disconnected = False
        self.flushing: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Redirect to the sign-in, where it is needed."""
        if self.app.operator_only and not self.settings["catsdogs"].operator.is_signed_in(self):
            self.redirect_to(self.with_query("/login"))
        elif (preparing := super().prepare()) is not None:
            await preparing

    def head(self, *_: str) -> None:
        """Answer as to GET, without starting a kernel.

        Raises
        ------
        TooManySessions
        """
        self.kernel_manager.find_slot(self._new_session())
        self.set_header("Content-Type", "text/html")

    async def get(self) -> None:
        """Open the app."""
        self.set_header("Content-Security-Policy", app_policy(self.frame_ancestors))
        session = self._new_session()
        new_session.set(session)
        complete = False
        try:
            async with asyncio.timeout(LOADING_TIMEOUT_SECONDS):
                async for html in self.get_generator():
                    self._send(html)
            if self.flushing is not None:
                await self.flushing
            complete = not self.disconnected
        finally:
            if not complete and session.kernel_id:
                await self.kernel_manager.stop(session.kernel_id)

    def _new_session(self) -> NewSession:
        client = self.settings["catsdogs"].clients.name_of(self.request)
        return NewSession(self.app, self.translator.language, client, self.prefix)

    def _send(self, html: str) -> None:
        if self.disconnected:  # Voilà still runs the notebook to its end: errors would be logged if it were stopped
            return
        self.write(html)
        if self.flushing is None or self.flushing.done():
            self.flushing = asyncio.create_task(self._flush_later())

    async def _flush_later(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    def on_connection_close(self) -> None:
        """Note that the visitor left while the page loaded."""
        self.disconnected = True
        super().on_connection_close()


def set_page_metadata(handler: AppHandler, notebook: Any, cwd: str) -> None:  # noqa: ARG001 (Voilà's hook)
    """Set what the template shows, in the visitor's language, as metadata of the notebook."""
    _ = handler.translator
    title = _(TITLES[handler.app.path])
    notebook.metadata["title"] = f"{title} · catsdogs"
    links = [("/", _("Start page")), ("/info", _("The model")), ("/privacy", _("Privacy"))]
    if handler.app.operator_only:
        links.append(("/logout", _("Sign out")))
    notebook.metadata["catsdogs"] = {
        "language": _.language,
        "head": handler.head_of_page(title, _(DESCRIPTIONS[handler.app.path])),
        "texts": session_texts(_),
        "path": handler.app.path,
        "has_charts": handler.app.scope is Scope.MONITOR,
        "preload": preload.initial_states(_, handler.prefix) if handler.app.scope is Scope.PREDICT else None,
        "links": [(handler.localised(path), text) for path, text in links],
        "links_without_script": [(handler.localised(path), text) for path, text in [*links, ("/docs", _("REST API"))]],
    }


def session_texts(_: Translator) -> dict[str, str]:
    """Return the texts about the state of the session: loading, slow, incomplete, lost, offline, failed."""
    return {
        "loading": _("Getting everything ready…"),
        "slow": _("This takes longer than usual. The page may be reloaded."),
        "incomplete": _("A part of this page did not arrive. Reload the page."),
        "lost": _("This session has ended: it was idle or away for long, or the server was restarted."),
        "offline": _("The server cannot be reached. Trying again…"),
        "reload": _("Reload the page"),
        "failed": _("Something went wrong on our side. Please try again in a moment."),
        "noscript": _("This page needs JavaScript. These work without it:"),
    }
