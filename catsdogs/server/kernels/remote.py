"""The kernel manager for kernels on the machine of a gateway: starts, prepares and stops them over the network."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from tornado.ioloop import IOLoop
from traitlets.config import Configurable

from catsdogs.server.kernels.base import AppKernelManager
from catsdogs.server.kernels.gateway_client import GatewayClient, GatewayUnavailable
from catsdogs.server.kernels.page_link import PageLink
from catsdogs.server.kernels.remote_kernel_client import RemoteKernelClient
from catsdogs.server.kernels.session import new_session

STOP_SECONDS = 2
"""Most time that the server, when it ends, waits for the gateway's answers to its requests to stop the kernels."""
RESTART_SECONDS = 5
"""Most time that a gateway needs to restart a kernel that died; stopped earlier, it would be started again."""


class RemoteKernelManager(AppKernelManager):
    """Starts kernels on the gateway of the settings."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        settings = self.parent.settings
        self.gateway = GatewayClient(settings.gateway_url, settings.gateway_token.get_secret_value())

    async def start_kernel(self, *, env: dict[str, str], kernel_name: str, **_: Any) -> str:  # type: ignore[override]
        """Start the kernel of the new session.

        Raises
        ------
        TooManySessions
        GatewayUnavailable
        """
        session = new_session.get()
        async with self._session_slot(session):
            kernel_id = await self.gateway.start(kernel_name)
            kernel = RemoteKernel(self, kernel_id, kernel_name)
            try:
                await kernel.client().connect()
            except BaseException:
                await self._stop_on_gateway(kernel_id)
                raise
            self._kernels[kernel_id] = kernel
            self._kernel_connections[kernel_id] = 0
            self._assign(kernel_id, session)
        session.environment = {**self._common_environment(), **self._session_environment(env, session, kernel_id)}
        return kernel_id

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        client: RemoteKernelClient = self._kernels[kernel_id].client()
        return client

    def remove_kernel(self, kernel_id: str) -> Any:
        """Remove a kernel, and close its connections."""
        self._kernel_connections.pop(kernel_id, None)
        kernel = super().remove_kernel(kernel_id)
        kernel.close()
        return kernel

    async def shutdown_kernel(self, kernel_id: str, **_: Any) -> None:  # type: ignore[override]
        """Remove a kernel, and stop it on the gateway."""
        self.remove_kernel(kernel_id)
        await self._stop_on_gateway(kernel_id)

    def discard_dead_kernel(self, kernel_id: str) -> None:
        """Remove a kernel that died. The gateway may restart it, without its notebook: it is stopped later."""
        if kernel_id in self:
            self.remove_kernel(kernel_id)
            IOLoop.current().call_later(RESTART_SECONDS, self._stop_on_gateway, kernel_id)

    async def _stop_on_gateway(self, kernel_id: str) -> None:
        with contextlib.suppress(GatewayUnavailable):  # later it stops unconnected kernels by itself
            await self.gateway.stop(kernel_id)

    async def shutdown_all(self, **_: Any) -> None:  # type: ignore[override]
        """Stop all kernels."""
        if stops := [asyncio.create_task(self.stop(kernel_id)) for kernel_id in self._kernels]:
            await asyncio.wait(stops, timeout=STOP_SECONDS)


class RemoteKernel(Configurable):
    """A kernel on the gateway, with the attributes that Voilà and Jupyter's handlers use."""

    execution_state = "idle"

    def __init__(self, manager: RemoteKernelManager, kernel_id: str, kernel_name: str) -> None:
        super().__init__(parent=manager)
        self.manager, self.gateway = manager, manager.gateway
        self.kernel_id, self.kernel_name = kernel_id, kernel_name
        self.last_activity = datetime.now(UTC)
        self._client = RemoteKernelClient(self.gateway, kernel_id, on_death=self.discard)
        self._kept_link: PageLink | None = None

    def client(self) -> RemoteKernelClient:
        """Return the client that runs the notebook."""
        return self._client

    async def link(self, session: str) -> PageLink:
        """Return the link of a page: the one that is kept for it, or a new one.

        Raises
        ------
        GatewayUnavailable
        """
        kept, self._kept_link = self._kept_link, None
        if kept is not None and kept.session == session and kept.is_open:
            return kept
        if kept is not None:
            kept.close()
        link = PageLink(session, on_death=self.discard, on_overflow=lambda: self.manager.begin_stop(self.kernel_id))
        await link.open(self.gateway, self.kernel_id)
        return link

    def keep(self, link: PageLink) -> None:
        """Keep the link of a page that was disconnected; only the last one is kept."""
        if link.is_open:
            if self._kept_link is not None:
                self._kept_link.close()
            self._kept_link = link
        if self.kernel_id not in self.manager:
            self.close()

    def close(self) -> None:
        """Close the connections to the kernel."""
        self._client.stop_channels()
        if self._kept_link is not None:
            self._kept_link.close()

    def discard(self) -> None:
        """Remove the kernel, which died."""
        self.manager.discard_dead_kernel(self.kernel_id)

    async def is_alive(self) -> bool:
        """Return whether the gateway has the kernel.

        Raises
        ------
        GatewayUnavailable
        """
        return await self.gateway.has_kernel(self.kernel_id)
