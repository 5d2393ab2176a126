"""Base of the kernel managers: limit of sessions, environment and token of a kernel, and end of a session."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Integer

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.server.kernels.execution import execute
from catsdogs.server.kernels.session import App, NewSession, PageSession
from catsdogs.service import CONTROLLER_VARIABLES, PREFIX_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE

OPERATOR_SESSIONS = 4
"""Number of sessions of the operator's app; they do not count as visitors' sessions."""

ZMQ_SOCKETS = 32
"""Most ZeroMQ sockets of a session: 7 for each websocket, while it opens, and those with which the page is rendered."""
MAX_ZMQ_SOCKETS = 65_535


class TooManySessions(ServiceUnavailable):
    """Raised where a limit of sessions is reached.

    Parameters
    ----------
    message
        See :class:`catsdogs.errors.CatsDogsError`.
    retry_after
        Seconds until a session may have ended.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


_REQUEST_VARIABLES = re.compile(r"HTTP_ACCEPT_LANGUAGE|QUERY_STRING|SCRIPT_NAME|PATH_INFO|SERVER_\w+|VOILA_\w+")
"""Variables that describe the visitor's request: a list of what is allowed, so that no secret is in it."""


class AppKernelManager(AsyncMappingKernelManager):
    """At most `limit` sessions' kernels, each with a token of its own and without the server's secrets.

    A subclass says where they run.
    """

    limit = Integer(32, config=True, help="Number of visitors' sessions that there may be at the same time.")
    limit_per_client = Integer(16, config=True, help="Number of these that one client may have.")
    unclaimed_timeout = Integer(
        15, config=True, help="Seconds until a session ends whose page has given no sign of life."
    )
    away_timeout = Integer(
        60, config=True, help="Seconds without a sign of life after which a session ends where others need its slot."
    )
    disconnected_timeout = Integer(
        75 * 60, config=True, help="Seconds without a sign of life after which a session ends in any case."
    )

    parent: Any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.context.max_sockets = min(MAX_ZMQ_SOCKETS, ZMQ_SOCKETS * (self.limit + OPERATOR_SESSIONS))
        self._starting: list[NewSession] = []
        self._sessions: dict[str, PageSession] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def _session_slot(self, session: NewSession) -> AsyncIterator[None]:
        """Hold a session slot while a kernel starts; where all are in use, end a session whose page is away.

        Raises
        ------
        TooManySessions
        """
        if (replaced := self.find_slot(session)) is not None:  # nothing is awaited from here until it is counted
            self.begin_stop(replaced)
        self._starting.append(session)
        try:
            while len(self._sessions) + len(self._starting) > self.limit and self._stopping:
                await asyncio.wait(self._stopping.values(), return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            self._starting.remove(session)

    def find_slot(self, new: NewSession) -> str | None:
        """Return the id of the session that ends for a new one; None where a slot is free.

        A session that is ending counts as ended: when a page is loaded again, its old session ends meanwhile.

        Raises
        ------
        TooManySessions
        """
        sessions = {
            kernel_id: one
            for kernel_id, one in self._sessions.items()
            if kernel_id not in self._stopping and one.app.operator_only == new.app.operator_only
        }
        starting = [one.client for one in self._starting if one.app.operator_only == new.app.operator_only]
        own = {kernel_id: one for kernel_id, one in sessions.items() if one.client == new.client}
        message = N_("All sessions are in use just now.")
        if not new.app.operator_only and len(own) + starting.count(new.client) >= self.limit_per_client:
            sessions, message = own, N_("Too many pages are open from your network just now.")
        elif len(sessions) + len(starting) < (OPERATOR_SESSIONS if new.app.operator_only else self.limit):
            return None
        seconds = {kernel_id: self._seconds_until_replaceable(kernel_id) for kernel_id in sessions}
        replaceable = [kernel_id for kernel_id in sessions if seconds[kernel_id] <= 0]
        if not replaceable:
            # a page may be closed at any time: nobody is told to wait for longer than for a page without scripts
            raise TooManySessions(message, max(1, math.ceil(min([self.unclaimed_timeout, *seconds.values()]))))
        return min(replaceable, key=lambda kernel_id: (sessions[kernel_id].has_page, sessions[kernel_id].seen_at))

    def _seconds_until_replaceable(self, kernel_id: str) -> float:
        if self._is_connected(kernel_id):
            return math.inf
        timeout = self.away_timeout if self._sessions[kernel_id].has_page else self.unclaimed_timeout
        return timeout - self._seconds_away(kernel_id)

    def _is_connected(self, kernel_id: str) -> bool:
        connections: int = self._kernel_connections.get(kernel_id, 0)
        return connections > 0

    def _seconds_away(self, kernel_id: str) -> float:
        """Return the seconds since the last sign of life of a session's page; its open websocket is one."""
        return 0 if self._is_connected(kernel_id) else time.monotonic() - self._sessions[kernel_id].seen_at

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
            PREFIX_VARIABLE: session.prefix,
            TOKEN_VARIABLE: self.parent.tokens.issue(kernel_id, session.app.scope),
        }

    def _assign(self, kernel_id: str, session: NewSession) -> None:
        """Assign a kernel to a session."""
        session.kernel_id = kernel_id
        self._sessions[kernel_id] = PageSession(session.app, session.client)

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
        await execute(client, code)
        return client

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        """Connect a client to a kernel; its messages may be lost until the kernel has answered."""
        raise NotImplementedError

    async def keep_ready(self) -> None:
        """Keep ready what a subclass needs to start kernels, until the task is cancelled."""

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel. A second call waits for the first: a page that closes may send two."""
        self.begin_stop(kernel_id)
        if kernel_id in self._stopping:
            await asyncio.shield(self._stopping[kernel_id])

    def begin_stop(self, kernel_id: str) -> None:
        """Begin to stop a kernel, if it runs."""
        self.parent.tokens.revoke(kernel_id)
        if kernel_id in self and kernel_id not in self._stopping:
            stop = asyncio.ensure_future(self.shutdown_kernel(kernel_id, now=True))  # type: ignore[no-untyped-call]
            stop.add_done_callback(lambda _: self._stopping.pop(kernel_id))
            self._stopping[kernel_id] = stop

    async def shutdown_all(self, **_: Any) -> None:  # type: ignore[override]
        """Stop all kernels, also those that are being started or stopped; Jupyter's own method fails for these."""
        await asyncio.gather(*self._pending_kernels.values(), return_exceptions=True)
        await asyncio.gather(*(self.stop(kernel_id) for kernel_id in list(self._kernels)))

    def remove_kernel(self, kernel_id: str) -> Any:
        """Remove a kernel that has ended, and its session; revoke its token."""
        self.parent.tokens.revoke(kernel_id)
        self._sessions.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    def session_of(self, kernel_id: str) -> PageSession | None:
        """Return the session of a kernel; None where there is no such kernel, or it has no session yet."""
        return self._sessions.get(kernel_id)

    def open_apps(self) -> list[App]:
        """Return the app of each session whose page is not away."""
        away = self._away()
        return [session.app for kernel_id, session in self._sessions.items() if kernel_id not in away]

    def count_away(self) -> int:
        """Count the sessions that are kept for pages that are away."""
        return len(self._away())

    def _away(self) -> list[str]:
        """List the sessions whose pages are away, those that are away for longest first."""
        away = {
            kernel_id: self._seconds_away(kernel_id)
            for kernel_id, session in self._sessions.items()
            if session.has_page
        }
        longest_first = sorted(away, key=away.__getitem__, reverse=True)
        return [kernel_id for kernel_id in longest_first if away[kernel_id] > self.away_timeout]

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
        self.note_sign_of_life(kernel_id)
        self.touch(kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        """Note when a page was disconnected."""
        super().notify_disconnect(kernel_id)  # type: ignore[no-untyped-call]
        self.note_sign_of_life(kernel_id)

    def note_sign_of_life(self, kernel_id: str) -> None:
        """Note that the page of a session is there; one that was away counts as active, so that it finds its kernel."""
        if (session := self._sessions.get(kernel_id)) is not None:
            if self._seconds_away(kernel_id) > self.away_timeout:
                self.touch(kernel_id)
            session.has_page, session.seen_at = True, time.monotonic()

    def touch(self, kernel_id: str) -> None:
        """Note the time of a kernel's last activity."""
        if kernel := self._kernels.get(kernel_id):
            kernel.last_activity = datetime.now(UTC)

    async def cull_kernels(self) -> None:
        """End the sessions that have lasted for too long, and those away for longest that take over half of the slots.

        So a new page finds a free slot.
        """
        await super().cull_kernels()  # type: ignore[no-untyped-call]
        away, kept = self._away(), math.ceil(self.limit / 2)
        await asyncio.gather(*(self.stop(kernel_id) for kernel_id in away[: max(0, len(away) - kept)]))

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a session whose kernel died, whose visitor has been idle for long, or whose page is away for long."""
        if not await self.is_running(kernel_id) or (session := self._sessions.get(kernel_id)) is None:
            return  # a kernel without a session is being started
        away = self._seconds_away(kernel_id)
        if not session.has_page:
            has_ended = away > self.unclaimed_timeout
        elif away > self.away_timeout:
            has_ended = away > self.disconnected_timeout
        else:
            idle = datetime.now(UTC) - self._kernels[kernel_id].last_activity
            has_ended = idle.total_seconds() > self.cull_idle_timeout
        if has_ended:
            await self.stop(kernel_id)
