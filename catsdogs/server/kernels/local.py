"""The kernel manager for kernels on this machine: their environment, their memory limit, and the warm pool.

A process is started without anything of a visitor in it. The session's environment is set when a session takes the
kernel, in the same way whether the kernel comes from the warm pool or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import uuid
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from traitlets import Integer

from catsdogs.server.kernels.base import AppKernelManager
from catsdogs.server.kernels.execution import KernelFailed
from catsdogs.server.kernels.message_buffer import MessageBuffer
from catsdogs.server.kernels.session import new_session
from catsdogs.server.kernels.warm_pool import WarmPool

KERNEL_BYTES = 2**30
"""Most memory of one kernel; the monitoring app's takes about a fifth of it."""

_INHERITED_VARIABLES = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|CONDA_PREFIX|LD_LIBRARY_PATH"
    r"|PYTHON\w+|(OMP|OPENBLAS|MKL)_NUM_THREADS"
)
"""The server's environment variables that a kernel inherits: a list of what is allowed, so that no secret is in it."""


class LocalKernelManager(AppKernelManager):
    """Starts kernels as processes of this machine, some of them ahead."""

    warm_kernels = Integer(0, config=True, help="Size of the warm pool, as far as the limit of kernels allows.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warm_pool = WarmPool(self, self.warm_kernels)
        self._start_lock = asyncio.Lock()

    async def start_kernel(self, *, env: dict[str, str], **kwargs: Any) -> str:  # type: ignore[override]
        """Give the new session a kernel: one of the warm pool, or one that is started.

        Raises
        ------
        TooManySessions
        """
        session = new_session.get()
        async with self._session_slot():
            warm = await self.warm_pool.take() if session.app.warm_pool else None
            kernel_id = warm or await self._start_for_session(kwargs)
            self._assign(kernel_id, session)
        session.environment = {**self._session_environment(env, session, kernel_id), "VOILA_KERNEL_ID": kernel_id}
        return kernel_id

    async def _start_for_session(self, options: dict[str, Any]) -> str:
        async with self._start_lock:
            while len(self) >= self.limit and await self.warm_pool.evict():
                pass
            return await self._start(**options)

    async def start_warm_kernel(self) -> str | None:
        """Start a kernel for the warm pool and return its id; None where the limit of kernels is reached."""
        async with self._start_lock:
            return await self._start(path="") if len(self) + self._starting < self.limit else None

    async def _start(self, **options: Any) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if _INHERITED_VARIABLES.fullmatch(name)},
            **self._common_environment(),
            # the server's user may have start-up files and a history, which must not get to visitors
            "IPYTHONDIR": f"{self.connection_dir}/ipython",
        }
        kernel_id: str = await super().start_kernel(kernel_id=str(uuid.uuid4()), env=environment, **options)
        _limit_memory(self._kernels[kernel_id].provisioner.pid)
        return kernel_id

    def start_buffering(self, kernel_id: str, session_key: str, channels: dict[str, Any]) -> None:
        """Keep what a kernel sends until its page is back; Jupyter's own buffer has no limit."""
        super().start_buffering(kernel_id, session_key, channels)  # type: ignore[no-untyped-call]
        buffer: MessageBuffer[tuple[str, list[bytes]]] = MessageBuffer(
            lambda message: sum(map(len, message[1])), lambda: self.begin_stop(kernel_id)
        )
        self._kernel_buffers[kernel_id]["buffer"] = buffer

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        kernel = self._kernels[kernel_id]
        # a session id of its own: of two connections with the same one, a kernel answers only one
        client: AsyncKernelClient = kernel.client(session=Session(key=kernel.session.key))
        client.start_channels()
        return client

    async def warm_up(self, kernel_id: str, code: str) -> None:
        """Execute `code` in a kernel of the pool; a kernel that fails is replaced later."""
        with contextlib.suppress(KernelFailed):
            (await self._execute(kernel_id, code)).stop_channels()

    async def keep_warm_pool_filled(self) -> None:
        """Start kernels ahead of their sessions, until the task is cancelled."""
        await self.warm_pool.keep_filled()


def _limit_memory(pid: int) -> None:
    """Limit the memory of a process, so that a kernel that grows without end fails by itself; Linux only."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):  # it has ended already
            resource.prlimit(pid, resource.RLIMIT_DATA, (KERNEL_BYTES, KERNEL_BYTES))
