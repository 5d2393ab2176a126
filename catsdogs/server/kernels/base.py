"""Base of the kernel managers: limit of sessions, environment and token of a kernel, and end of a session."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Integer

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.auth import Scope
from catsdogs.service import CONTROLLER_VARIABLES, TOKEN_VARIABLE, URL_VARIABLE


class TooManySessions(ServiceUnavailable):
    """Raised where the server's limit of sessions is reached."""


class KernelFailed(ServiceUnavailable):
    """Raised where a kernel's process ended, or an execution failed, before it could run the notebook."""


@dataclass(frozen=True)
class App:
    """A notebook that is served as an app."""

    path: str
    """Path of its address."""
    notebook: str
    """File name in ``notebooks/apps``."""
    scope: Scope
    """Scope of its kernels' tokens."""
    operator_only: bool = False
    warm_pool: bool = False
    """Whether its kernels come from the warm pool, where there is one."""


@dataclass
class NewSession:
    """A session that a page opens: what the page gives the kernel manager, and what it gets back."""

    app: App
    language: str
    kernel_id: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables that are to be set in the kernel, which runs already."""


new_session: ContextVar[NewSession] = ContextVar("new_session")
"""The session that the current request opens."""

_REQUEST_VARIABLES = re.compile(r"HTTP_ACCEPT_LANGUAGE|QUERY_STRING|SCRIPT_NAME|PATH_INFO|SERVER_\w+|VOILA_\w+")
"""Variables that describe the visitor's request: a list of what is allowed, so that no secret is in it."""


class AppKernelManager(AsyncMappingKernelManager):
    """At most `limit` sessions' kernels, each with a token of its own and without the server's secrets.

    A subclass says where they run.
    """

    limit = Integer(32, config=True, help="Number of kernels that may run at the same time.")
    abandoned_timeout = Integer(120, config=True, help="Seconds until a kernel without a page is stopped.")

    parent: Any
    _starting = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._stopping: dict[str, asyncio.Task[None]] = {}

    @contextmanager
    def _session_slot(self) -> Iterator[None]:
        """Hold a session slot while a kernel starts.

        Raises
        ------
        TooManySessions
        """
        if self._sessions() + self._starting >= self.limit:  # nothing is awaited between this line and the next
            raise TooManySessions(N_("All sessions are in use just now. Try again in a minute."))
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def _sessions(self) -> int:
        """Count the kernels that have a session."""
        return len(self)

    def _common_environment(self) -> dict[str, str]:
        """Return the environment variables of every kernel."""
        return {
            URL_VARIABLE: self.parent.url_for_kernels,
            **dict(zip(CONTROLLER_VARIABLES, map(str, astuple(self.parent.settings.data_controller)), strict=True)),
            "OPENBLAS_NUM_THREADS": "1",  # each thread takes memory: on many cores, more than a kernel may have
        }

    def _session_environment(self, env: dict[str, str], session: NewSession, kernel_id: str) -> dict[str, str]:
        """Return the environment variables of one session."""
        return {
            **{name: value for name, value in env.items() if _REQUEST_VARIABLES.fullmatch(name)},
            "CATSDOGS_LANG": session.language,
            TOKEN_VARIABLE: self.parent.tokens.issue(kernel_id, session.app.scope),
        }

    def _assign(self, kernel_id: str, session: NewSession) -> None:
        """Assign a kernel to a session."""
        session.kernel_id = kernel_id
        self._kernels[kernel_id].app = session.app

    async def prepare_session(self, session: NewSession) -> AsyncKernelClient:
        """Set the session's environment in its kernel; return a client that is ready to run the notebook.

        Raises
        ------
        KernelFailed
        """
        assert session.kernel_id is not None
        environment = json.dumps(session.environment)
        code = f"__import__('os').environ.update(__import__('json').loads({environment!r}))"
        return await self._execute(session.kernel_id, code)

    async def _execute(self, kernel_id: str, code: str) -> AsyncKernelClient:
        """Execute code that may be executed twice; return the client, which is subscribed to what the kernel publishes.

        Raises
        ------
        KernelFailed
        """
        client = self._client(kernel_id)
        client.allow_stdin = False
        subscribed = False
        while not subscribed:
            request = client.execute(code, silent=True, store_history=False)
            while (status := await _reply_status(client, request)) != "ok":
                if status or not await client.is_alive():
                    client.stop_channels()
                    raise KernelFailed(N_("Something went wrong on our side. Please try again in a moment."))
            with suppress(Empty):  # nothing: the subscription began too late, and what was published is lost
                await client.get_iopub_msg(timeout=0.2)
                subscribed = True
        return client

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        """Connect a client to a kernel; its messages may be lost until the kernel has answered."""
        raise NotImplementedError

    async def keep_warm_pool_filled(self) -> None:
        """Start kernels ahead of their sessions, where a subclass has a warm pool."""

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel. A second call waits for the first: a page that closes may send two."""
        self.parent.tokens.revoke(kernel_id)
        if kernel_id not in self._stopping:
            if kernel_id not in self:
                return
            stop = asyncio.ensure_future(self.shutdown_kernel(kernel_id, now=True))  # type: ignore[no-untyped-call]
            stop.add_done_callback(lambda _: self._stopping.pop(kernel_id))
            self._stopping[kernel_id] = stop
        await asyncio.shield(self._stopping[kernel_id])

    async def shutdown_all(self, **_: Any) -> None:  # type: ignore[override]
        """Stop all kernels, also those that are being started or stopped; Jupyter's own method fails for these."""
        await asyncio.gather(*self._pending_kernels.values(), return_exceptions=True)
        await asyncio.gather(*(self.stop(kernel_id) for kernel_id in list(self._kernels)))

    def remove_kernel(self, kernel_id: str) -> Any:
        """Remove a kernel that has ended, and revoke its token."""
        self.parent.tokens.revoke(kernel_id)
        return super().remove_kernel(kernel_id)

    def app_of(self, kernel_id: str) -> App | None:
        """Return the app that a kernel runs; None where there is no such kernel, or it has no session yet."""
        return getattr(self._kernels.get(kernel_id), "app", None)

    def open_apps(self) -> list[App]:
        """Return the app of each session."""
        return [kernel.app for kernel in self._kernels.values() if hasattr(kernel, "app")]

    async def is_running(self, kernel_id: str) -> bool:
        """Return whether a kernel's process is alive; remove a kernel whose process has ended."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return False
        if await kernel.is_alive():
            return True
        await self.stop(kernel_id)
        return False

    def notify_connect(self, kernel_id: str) -> None:
        """Count a page's connection as activity."""
        super().notify_connect(kernel_id)  # type: ignore[no-untyped-call]
        self.touch(kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        """Count a page's disconnection as activity: `abandoned_timeout` begins."""
        super().notify_disconnect(kernel_id)  # type: ignore[no-untyped-call]
        self.touch(kernel_id)

    def touch(self, kernel_id: str) -> None:
        """Note the time of a kernel's last activity."""
        if kernel := self._kernels.get(kernel_id):
            kernel.last_activity = datetime.now(UTC)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Stop a kernel that died, that no page is connected to, or whose visitor has been idle for long."""
        if not await self.is_running(kernel_id):
            return
        kernel = self._kernels[kernel_id]
        connected = self._kernel_connections.get(kernel_id, 0) > 0
        timeout = self.cull_idle_timeout if connected else self.abandoned_timeout
        if datetime.now(UTC) - kernel.last_activity > timedelta(seconds=timeout):
            await self.stop(kernel_id)


async def _reply_status(client: AsyncKernelClient, request: str) -> str | None:
    """Wait up to a second for the reply to a request, and return its status; None where it has not come."""
    with suppress(Empty):
        reply = await client.get_shell_msg(timeout=1)
        if reply["parent_header"].get("msg_id") == request:
            return str(reply["content"]["status"])
    return None
