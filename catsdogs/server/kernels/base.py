"""The visitors' kernels: how many there are, what they are told and what they are not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import astuple, dataclass, field
from datetime import timedelta
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_server._tz import utcnow
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Integer
from voila.execute import VoilaExecutor

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.auth import Scope
from catsdogs.service import CONTROLLER_VARIABLES, TOKEN_VARIABLE, URL_VARIABLE


class TooManySessions(ServiceUnavailable):
    """As many kernels run as this server may have."""


class KernelFailed(ServiceUnavailable):
    """A kernel's process ended, or did not do what it was told, before it could run the notebook."""


@dataclass(frozen=True)
class App:
    """A notebook that is served as an app."""

    path: str
    """Where it is served."""
    notebook: str
    """File name in ``notebooks/apps``."""
    scope: Scope
    """What its kernels may ask the service for."""
    operator_only: bool = False
    ahead: bool = False
    """Whether kernels are started ahead for it, where that is offered."""


@dataclass
class NewSession:
    """An app being opened by a visitor: what the page tells the kernel manager, and learns from it."""

    app: App
    language: str
    kernel_id: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    """What a kernel that runs already is still to be told: environment variables."""


new_session: ContextVar[NewSession] = ContextVar("new_session")
"""The app that the current request opens."""

_OF_THE_REQUEST = re.compile(r"HTTP_ACCEPT_LANGUAGE|QUERY_STRING|SCRIPT_NAME|PATH_INFO|SERVER_\w+|VOILA_\w+")
"""Variables that tell a kernel of its visitor's request. A list of what is allowed, so that no secret gets there."""


class AppKernelManager(AsyncMappingKernelManager):
    """At most `limit` kernels, each with a token of its own and without our secrets; a subclass says where they run."""

    limit = Integer(32, config=True, help="Kernels that may run at a time.")
    abandoned_timeout = Integer(120, config=True, help="Seconds until a kernel without a page is stopped.")

    parent: Any
    _starting = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._stopping: set[str] = set()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places while a kernel starts.

        Raises
        ------
        TooManySessions
        """
        if self._taken() + self._starting >= self.limit:  # nothing is awaited between this line and the next
            raise TooManySessions(N_("Every place is taken just now. Try again in a minute."))
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1

    def _taken(self) -> int:
        """Count the kernels that have a visitor."""
        return len(self)

    def _told_all(self) -> dict[str, str]:
        return {
            URL_VARIABLE: self.parent.url_for_kernels,
            **dict(zip(CONTROLLER_VARIABLES, map(str, astuple(self.parent.settings.data_controller)), strict=True)),
            "OPENBLAS_NUM_THREADS": "1",  # each would take memory, on a machine with many cores more than a kernel may
        }

    def _told_of_visit(self, env: dict[str, str], visit: NewSession, kernel_id: str) -> dict[str, str]:
        return {
            **{name: value for name, value in env.items() if _OF_THE_REQUEST.fullmatch(name)},
            "CATSDOGS_LANG": visit.language,
            TOKEN_VARIABLE: self.parent.tokens.issue(kernel_id, visit.app.scope),
        }

    def _opened(self, kernel_id: str, visit: NewSession) -> None:
        """Note which app a kernel runs, and tell the page."""
        visit.kernel_id = kernel_id
        self._kernels[kernel_id].app = visit.app

    async def meet(self, visit: NewSession, executor: VoilaExecutor) -> None:
        """Tell the kernel of a visit what it has to know of its visitor, before it runs the notebook."""
        assert visit.kernel_id is not None
        variables = json.dumps(visit.variables)
        code = f"__import__('os').environ.update(__import__('json').loads({variables!r}))"
        executor.kc = await self._execute(visit.kernel_id, code)

    async def _execute(self, kernel_id: str, code: str) -> AsyncKernelClient:
        """Execute what may be executed twice; the client given back hears all that the kernel publishes from then on.

        Voilà's own way takes 0.2 s more, of a kernel that is ready, to see that nothing comes.
        """
        client = self._client(kernel_id)
        client.allow_stdin = False
        heard = False
        while not heard:
            request = client.execute(code, silent=True, store_history=False)
            while (status := await _answer(client, request)) != "ok":
                if status or not await client.is_alive():
                    client.stop_channels()
                    raise KernelFailed(N_("Something went wrong on our side. Please try again in a moment."))
            with suppress(Empty):  # else the subscription came too late: what was published is lost
                await client.get_iopub_msg(timeout=0.2)
                heard = True
        return client

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        """Connect to a kernel; its messages may be lost until it has answered."""
        raise NotImplementedError

    async def start_ahead(self) -> None:
        """Start kernels ahead of their visitors, where that is offered."""

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel; a page that closes asks for it twice."""
        self.parent.tokens.revoke(kernel_id)
        if kernel_id not in self or kernel_id in self._stopping:
            return
        self._stopping.add(kernel_id)
        try:
            await self.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]
        finally:
            self._stopping.discard(kernel_id)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended, and end its token."""
        self.parent.tokens.revoke(kernel_id)
        return super().remove_kernel(kernel_id)

    def app_of(self, kernel_id: str) -> App | None:
        """Name the app that a kernel runs; None where there is no such kernel."""
        return getattr(self._kernels.get(kernel_id), "app", None)

    def open_apps(self) -> list[App]:
        """Name the app of each kernel."""
        return [kernel.app for kernel in self._kernels.values() if hasattr(kernel, "app")]

    async def is_running(self, kernel_id: str) -> bool:
        """Say whether a kernel is there and its process lives; stop what is left of one that does not."""
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
        """Start the time a page has to come back."""
        super().notify_disconnect(kernel_id)  # type: ignore[no-untyped-call]
        self.touch(kernel_id)

    def touch(self, kernel_id: str) -> None:
        """Note that something happens in a kernel."""
        if kernel := self._kernels.get(kernel_id):
            kernel.last_activity = utcnow()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Stop a kernel that died, whose page is gone, or whose visitor does nothing for long."""
        if not await self.is_running(kernel_id):
            return
        kernel = self._kernels[kernel_id]
        connected = self._kernel_connections.get(kernel_id, 0) > 0
        patience = self.cull_idle_timeout if connected else self.abandoned_timeout
        if utcnow() - kernel.last_activity > timedelta(seconds=patience):
            await self.stop(kernel_id)


async def _answer(client: AsyncKernelClient, request: str) -> str | None:
    """Wait a second for the status with which a request is answered."""
    with suppress(Empty):
        answer = await client.get_shell_msg(timeout=1)
        if answer["parent_header"].get("msg_id") == request:
            return str(answer["content"]["status"])
    return None
