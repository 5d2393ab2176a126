"""The server: apps, REST API and pages in one Voilà application, from its start to its orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from tornado.web import RequestHandler
from voila.app import Voila

from catsdogs import files
from catsdogs.domain import ServiceHealth
from catsdogs.server import base_handler, pages
from catsdogs.server.api.metrics import Metrics
from catsdogs.server.api.photo_form import MAX_BODY
from catsdogs.server.auth import Operator, Tokens, cookie_secret
from catsdogs.server.clients import Clients
from catsdogs.server.compression import Compression
from catsdogs.server.configuration import rate_limits, voila_config
from catsdogs.server.http_server import AppHTTPServer, WebApplication
from catsdogs.server.kernels.runtime_folder import runtime_folder
from catsdogs.server.routes import routes
from catsdogs.server.scheduled_jobs import ScheduledJobs
from catsdogs.server.security_headers import SecurityHeaders, page_policy
from catsdogs.server.urls import loopback_url, url_for_kernels
from catsdogs.server.voila import rendering
from catsdogs.server.voila.apps import VisitorIdentityProvider
from catsdogs.server.voila.patches import set_renderer
from catsdogs.server.worker_pool import WorkerPool
from catsdogs.service.local import Local
from catsdogs.settings import Settings

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 6
"""Most time for the requests that have begun, when the server stops; it is to end within ten seconds."""


class Server(Voila):  # type: ignore[misc]
    """Apps, REST API and pages in one process. Make one with :meth:`create`."""

    name = "catsdogs"
    config_file_paths: list[str] = []  # noqa: RUF012 (a trait); a stray voila.json must not open what is closed

    service: Local
    settings: Settings
    http: AppHTTPServer
    _health_check: asyncio.Task[ServiceHealth] | None = None

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
            Address of the sockets that :meth:`run` gets.
        """
        assert settings.api_token is not None
        assert settings.operator_password is not None
        api_token, password = settings.api_token.get_secret_value(), settings.operator_password.get_secret_value()
        server: Self = cls.instance(
            config=voila_config(settings),
            root_dir=str(files.notebooks() / "apps"),
            ip=host,
            port=port,
            open_browser=False,
            cookie_secret=cookie_secret(api_token, password),
            identity_provider_class=VisitorIdentityProvider,
        )
        server.service, server.settings = service, settings
        server.tokens = Tokens(api_token)
        server.operator = Operator(password, settings.data_dir / "signed_out.json")
        server.metrics, server.clients = Metrics(), Clients(settings.behind_proxy)
        server.limits = rate_limits(settings)
        server.worker_pool, server.status_pool = WorkerPool(), WorkerPool(threads=1)
        server.health_pool = WorkerPool(threads=1)  # of its own, so that a check never waits for a thread
        server.database_pool = WorkerPool(threads=4)  # what may wait for the database, and must not stop predictions
        server.sign_in_pool, server.job_pool = WorkerPool(threads=1, queue_size=8), WorkerPool(threads=1)
        server.draining = False
        server.service_url = loopback_url(host, port)
        server.url_for_kernels = url_for_kernels(settings, server.service_url)
        set_renderer(rendering.Renderer)
        server.initialize([])
        return server

    def setup_template_dirs(self) -> None:
        """Search templates in our folder first, then in Voilà's."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(pages.TEMPLATES / "voila"))

    def init_settings(self) -> dict[str, Any]:
        """Add the settings that our handlers need, and raise the size limits for photos."""
        return {
            **super().init_settings(),
            "catsdogs": self,
            "headers": {"Content-Security-Policy": page_policy()},
            # a photo travels from the page to its kernel in one message
            "websocket_max_message_size": MAX_BODY,
            "xsrf_cookies": True,
            "xsrf_cookie_name": "catsdogs_xsrf",  # behind jupyter-server-proxy, Jupyter's own cookie would be taken
            "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict"},
            "log_function": self._log_request,
        }

    def _log_request(self, handler: RequestHandler) -> None:
        base_handler.log_request(handler)
        self.metrics.count_request(handler)
        self.http.finish_upload(handler.request)

    def init_handlers(self) -> list[Any]:
        """List the routes: ours, as most of Voilà's are left out."""
        app_arguments = {
            "template_paths": self.template_paths,
            "config": self.config,
            "voila_configuration": self.voila_configuration,
        }
        return routes(app_arguments)

    def run(self, sockets: list[socket.socket], *, stopping: threading.Event, ready: Callable[[], None]) -> None:
        """Serve until SIGINT or SIGTERM, then finish the requests that have begun and stop the kernels.

        Parameters
        ----------
        sockets
            Bound already, so that a port that is in use is known before anything is started.
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
        with runtime_folder() as self.connection_dir:
            self._listen(sockets)
            self.kernel_manager.initialize_culler()
            jobs = ScheduledJobs(self.job_pool, self.service, self._prepare_pages)
            jobs.start()
            kernels = asyncio.create_task(self.kernel_manager.keep_ready())
            ready()
            await stop.wait()
            jobs.cancel()
            kernels.cancel()
            await self._drain()

    def _listen(self, sockets: list[socket.socket]) -> None:
        self.app = WebApplication(transforms=[SecurityHeaders, Compression], **self.init_settings())
        self.app.add_handlers(".*$", self.init_handlers())
        self.http = AppHTTPServer(
            self.app,
            settings=self.settings,
            xheaders=self.settings.behind_proxy,
            max_buffer_size=2 * MAX_BODY,
            max_body_size=8 * MAX_BODY,  # what is read at most of a request; handlers keep less of it
            body_timeout=120,
            idle_connection_timeout=30,  # for a request's headers, too: a slower client would hold a file descriptor
        )
        self.http.add_sockets(sockets)

    def _prepare_pages(self) -> None:
        rendering.prepare(self.template_paths, self.config)

    async def health(self) -> ServiceHealth:
        """Check the service; requests that come during a check share its result, so that they cost little."""
        if self._health_check is None or self._health_check.done():
            self._health_check = asyncio.create_task(self.health_pool.run(self.service.health))
        return await asyncio.shield(self._health_check)

    @property
    def _unfinished(self) -> int:
        return int(self.worker_pool.unfinished + self.database_pool.unfinished)

    async def _drain(self) -> None:
        """Accept no more connections, finish the requests that have begun, then stop kernels and threads."""
        self.draining = True
        self.http.stop()
        # pages that are loading lose their kernel: no error to be logged
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logger.debug("while stopping: %s", context))
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._unfinished or self.http.uploads:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            unfinished = self._unfinished or len(self.http.uploads)
            logger.warning("%d requests were not finished in time.", unfinished)
        self.service.hurry()
        await self.kernel_manager.shutdown_all(now=True)
        await self.http.close_all_connections()
        pools = (
            self.worker_pool,
            self.database_pool,
            self.status_pool,
            self.health_pool,
            self.sign_in_pool,
            self.job_pool,
        )
        for pool in pools:
            pool.close()
