"""The Voilà subclass: its configuration, its routes, and its life from first to last request."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from typing import Any, Self

from jupyter_server.base.handlers import FileFindHandler
from tornado.web import Application, RequestHandler
from traitlets.config import Config
from voila.app import Voila
from voila.static_file_handler import MultiStaticFileHandler

from catsdogs import files, samples
from catsdogs.domain import ServiceHealth
from catsdogs.errors import CatsDogsError
from catsdogs.i18n import N_
from catsdogs.server import base_handler, pages
from catsdogs.server.api import health, metrics, monitoring, openapi, predictions, privacy
from catsdogs.server.auth import Operator, Scope, Tokens, cookie_secret
from catsdogs.server.clients import Clients, Listener
from catsdogs.server.kernels.local import LocalKernelManager
from catsdogs.server.kernels.remote import RemoteKernelManager, RemoteWebsocketConnection
from catsdogs.server.rate_limit import RateLimit
from catsdogs.server.urls import loopback_url, url_for_kernels
from catsdogs.server.voila import apps, bundle, preload, rendering
from catsdogs.server.worker_pool import WorkerPool
from catsdogs.service.local import Local
from catsdogs.settings import Settings

logger = logging.getLogger(__name__)

KERNEL_ID = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"
ALERT_SECONDS = 60
"""How often the alerts' rules are checked."""
DRAIN_SECONDS = 6
"""How long requests that have begun may take to finish when the server stops; all is to end within ten seconds."""

_ASSETS = {MultiStaticFileHandler: apps.VoilaStaticHandler, FileFindHandler: apps.LabExtensionHandler}
"""Of Voilà's own handlers, those that are kept: its front end's JavaScript, style sheets and fonts."""


def _voila_config(settings: Settings) -> Config:
    return Config(
        {
            "Voila": {
                "log_level": logging.CRITICAL,
                **({"kernel_websocket_connection_class": RemoteWebsocketConnection} if settings.gateway_url else {}),
            },
            "VoilaConfiguration": {
                "template": rendering.TEMPLATE,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "multi_kernel_manager_class": RemoteKernelManager if settings.gateway_url else LocalKernelManager,
                "http_header_envs": ["Accept-Language"],
                "prelaunch_hook": apps.set_page_metadata,
                "extension_allowlist": list(bundle.EXTENSIONS),
            },
            "VoilaExecutor": {"cell_error_instruction": "Reload the page; if it happens again, tell the operator."},
            "AppKernelManager": {
                "limit": settings.max_sessions,
                "spare": settings.spare_kernels,
                "cull_idle_timeout": 60 * settings.idle_minutes,
                "cull_interval": 30,
            },
            # a kernel that is started again has not run the notebook: the page would look alive and do nothing
            # and it listens on sockets in a folder of ours, which no other user of the machine can reach
            "KernelManager": {"autorestart": False, "transport": "ipc"},
        }
    )


class Server(Voila):  # type: ignore[misc]
    """Apps, REST API and pages in one process. Make one with :meth:`create`."""

    name = "catsdogs"
    config_file_paths: list[str] = []  # noqa: RUF012 (a trait); a stray voila.json must not open what is closed

    service: Local
    settings: Settings
    listener: Listener
    _asked: asyncio.Task[ServiceHealth] | None = None

    @classmethod
    def create(cls, service: Local, settings: Settings, *, host: str, port: int) -> Self:
        """Prepare a server; nothing runs yet.

        Parameters
        ----------
        service
            The service in this process.
        settings
            With `api_token` and `operator_password` set.
        host, port
            Where :meth:`run`'s sockets listen.
        """
        assert settings.api_token is not None
        assert settings.operator_password is not None
        api_token, password = settings.api_token.get_secret_value(), settings.operator_password.get_secret_value()
        server: Self = cls.instance(
            config=_voila_config(settings),
            root_dir=str(files.notebooks() / "apps"),
            ip=host,
            port=port,
            open_browser=False,
            cookie_secret=cookie_secret(api_token, password),
            identity_provider_class=apps.VisitorIdentityProvider,
        )
        server.service, server.settings = service, settings
        server.tokens, server.operator = Tokens(api_token), Operator(password)
        server.metrics, server.clients = metrics.Metrics(), Clients(settings.behind_proxy)
        too_many = N_("That was a lot at once. Wait a moment, then go on.")
        server.api_request_limit = RateLimit(settings.requests_per_minute, 60, too_many)
        server.session_request_limits = {
            Scope.PREDICT: RateLimit(120, 60, too_many),
            # a dashboard that is live reads six figures every three seconds, and an operator clicks besides
            Scope.MONITOR: RateLimit(600, 60, too_many),
        }
        server.message_limit = RateLimit(1000, 10, too_many)
        server.message_bytes_limit = RateLimit(4 * predictions.MAX_BODY, 10, too_many)
        server.receipt_limit = RateLimit(10, 60, N_("Too many receipt codes. Wait a minute, then try again."))
        server.worker_pool, server.status_pool, server.sign_in_pool = (
            WorkerPool(),
            WorkerPool(threads=1),
            WorkerPool(threads=1, waiting=8),
        )
        server.draining = False
        server.service_url = loopback_url(host, port)
        server.url_for_kernels = url_for_kernels(settings, server.service_url)
        rendering.install()
        server.initialize([])
        return server

    def setup_template_dirs(self) -> None:
        """Look for templates in our folder first, then in Voilà's."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(pages.TEMPLATES / "voila"))

    def init_settings(self) -> dict[str, Any]:
        """Add what our handlers need, and raise what is too low for photos."""
        return {
            **super().init_settings(),
            "catsdogs": self,
            "headers": {"Content-Security-Policy": base_handler.SECURITY_HEADERS["Content-Security-Policy"]},
            # a photo travels from the page to its kernel in one message
            "websocket_max_message_size": predictions.MAX_BODY,
            "xsrf_cookies": True,
            "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict"},
            "log_function": self._note_request,
        }

    def _note_request(self, handler: RequestHandler) -> None:
        base_handler.log_request(handler)
        self.metrics.requested(handler)
        self.listener.answered(handler.request)

    def init_handlers(self) -> list[Any]:
        """List every route there is: ours, the apps', and the assets of Voilà's front end."""
        shared = {
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }
        return [
            *(
                (re.escape(route), handler, {"route": route})
                for routes in (
                    predictions.ROUTES,
                    health.ROUTES,
                    privacy.ROUTES,
                    monitoring.ROUTES,
                    metrics.ROUTES,
                    pages.ROUTES,
                    openapi.ROUTES,
                )
                for route, handler in routes.items()
            ),
            *(
                (re.escape(route), apps.AppHandler, {"app": app, "route": app.path, **shared})
                for app in apps.APPS
                for route in (app.path, f"/voila/render/{app.notebook}")
            ),
            (f"/session/{KERNEL_ID}", apps.SessionHandler),
            (f"/voila/api/shutdown/{KERNEL_ID}", apps.EndSessionHandler),
            (f"/api/kernels/{KERNEL_ID}", apps.KernelModelHandler),
            (f"/api/kernels/{KERNEL_ID}/channels", apps.KernelWebsocketHandler),
            ("/voila/templates/(.*)", apps.TemplateStaticHandler),
            *((rule[0], _ASSETS[rule[1]], *rule[2:]) for rule in super().init_handlers() if rule[1] in _ASSETS),
            ("/preload/(.*)", preload.PreloadHandler),
            (r"/bundle/(\w+)\.js", bundle.BundleHandler),
            (r"/samples/(\w+\.jpg)", apps.OwnStaticHandler, {"path": str(samples.FOLDER)}),
            ("/static/(.*)", apps.OwnStaticHandler, {"path": str(pages.STATIC)}),
            ("/(favicon.ico)", apps.OwnStaticHandler, {"path": str(pages.STATIC)}),
            ("/(?:api|health)(?:/.*)?", base_handler.NotFoundHandler),
            (".*", pages.NotFoundPageHandler, {"route": "(no page)"}),
        ]

    def run(self, sockets: list[socket.socket], *, stopping: threading.Event, ready: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM, then finish what was begun and stop the kernels.

        Parameters
        ----------
        sockets
            Bound already, so that a taken port is known before anything is started.
        stopping
            Set where one of these signals came before.
        ready
            Called when requests are accepted.
        """
        asyncio.run(self._serve(sockets, stopping, ready))

    async def _serve(self, sockets: list[socket.socket], stopping: threading.Event, ready: Callable[[], None]) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        if stopping.is_set():
            stop.set()
        self.connection_dir = tempfile.mkdtemp(prefix="catsdogs-")
        try:
            self.app = Application(transforms=[base_handler.SecurityHeaders], **self.init_settings())
            self.app.add_handlers(".*$", self.init_handlers())
            self.listener = Listener(
                self.app,
                xheaders=self.settings.behind_proxy,
                max_buffer_size=2 * predictions.MAX_BODY,
                max_body_size=64 * 1024,
                body_timeout=120,
                idle_connection_timeout=30,  # for a request's head, too: who is slower holds a file of ours for nothing
            )
            self.listener.add_sockets(sockets)
            self.kernel_manager.initialize_culler()
            chores = [
                asyncio.create_task(chore)
                for chore in (
                    self._prepare(),
                    self._purge_daily(),
                    self._check_alerts(),
                    self.kernel_manager.start_ahead(),
                )
            ]
            ready()
            await stop.wait()
            for chore in chores:
                chore.cancel()
            await self._drain()
        finally:
            shutil.rmtree(self.connection_dir, ignore_errors=True)

    async def health(self) -> ServiceHealth:
        """Say how the service stands; those who ask at the same moment hear the same, so that asking costs little."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self.status_pool.run(self.service.health))
        return await asyncio.shield(self._asked)

    async def _prepare(self) -> None:
        """Do what the first visitor would wait for."""
        await self._try(lambda: rendering.prepare(self.template_paths, self.config), "pages could not be prepared")

    async def _purge_daily(self) -> None:
        """Keep to the retention, from the start on; in an hour again where the database is away."""
        while True:
            done = await self._try(self.service.purge, "what is old could not be purged yet")
            await asyncio.sleep(24 * 3600 if done else 3600)

    async def _check_alerts(self) -> None:
        """Tell those concerned what they should look at."""
        while True:
            await asyncio.sleep(ALERT_SECONDS)
            await self._try(self.service.tell_alerts, "alerts could not be checked")

    async def _try(self, chore: Callable[[], object], failure: str) -> bool:
        """Do a chore; whatever goes wrong with it must not end those to come."""
        try:
            await self.worker_pool.run(chore)
        except CatsDogsError as error:
            logger.warning("%s: %s", failure, error)
        except Exception:
            logger.exception(failure)
        else:
            return True
        return False

    async def _drain(self) -> None:
        self.draining = True
        self.listener.stop()
        # pages that load just now lose their kernel: no news to anybody
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logger.debug("while stopping: %s", context))
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.worker_pool.unfinished or self.listener.uploads:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            logger.warning(
                "%d requests were not finished in time.", self.worker_pool.unfinished or len(self.listener.uploads)
            )
        await self.kernel_manager.shutdown_all(now=True)
        await self.listener.close_all_connections()
        self.worker_pool.close()
        self.status_pool.close()
        self.sign_in_pool.close()
