"""Kernels on this machine: what its processes need, how much memory they may take, and how they meet their visitors.

A process is started without anything of a visitor in it. What is a visitor's, the kernel is told when it is opened, in
the same way whether it waited for them or not.
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

from catsdogs.server.kernels.base import AppKernelManager, KernelFailed, new_session
from catsdogs.server.kernels.warm_pool import WarmPool

KERNEL_BYTES = 2**30
"""Most memory of one kernel; the monitoring app's takes about a fifth of it."""

_OF_THIS_MACHINE = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|CONDA_PREFIX|LD_LIBRARY_PATH"
    r"|PYTHON\w+|(OMP|OPENBLAS|MKL)_NUM_THREADS"
)
"""Variables of ours that a process of the same machine needs."""


class LocalKernelManager(AppKernelManager):
    """Starts kernels as processes of this machine, some of them ahead."""

    spare = Integer(0, config=True, help="Kernels that wait for a visitor, as far as there is room.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spares = WarmPool(self, self.spare)
        self._one_at_a_time = asyncio.Lock()

    async def start_kernel(self, *, env: dict[str, str], **kwargs: Any) -> str:  # type: ignore[override]
        """Give the app that the current request opens a kernel: one that waits, or a new one.

        Raises
        ------
        TooManySessions
        """
        visit = new_session.get()
        with self._place():
            kernel_id = (await self.spares.take() if visit.app.ahead else None) or await self._start_for_visitor(kwargs)
        self._opened(kernel_id, visit)
        visit.variables = {**self._told_of_visit(env, visit, kernel_id), "VOILA_KERNEL_ID": kernel_id}
        return kernel_id

    async def _start_for_visitor(self, how: dict[str, Any]) -> str:
        async with self._one_at_a_time:
            while len(self) >= self.limit and await self.spares.give_way():
                pass
            return await self._start(**how)

    async def start_spare(self) -> str | None:
        """Start a kernel for nobody yet, if that takes no visitor's place."""
        async with self._one_at_a_time:
            return await self._start(path="") if len(self) + self._starting < self.limit else None

    async def _start(self, **how: Any) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if _OF_THIS_MACHINE.fullmatch(name)},
            **self._told_all(),
            # the server's user may have start-up files and a history: neither is the visitors' business
            "IPYTHONDIR": f"{self.connection_dir}/ipython",
        }
        kernel_id: str = await super().start_kernel(kernel_id=str(uuid.uuid4()), env=environment, **how)
        _limit_memory(self._kernels[kernel_id].provisioner.pid)
        return kernel_id

    def _taken(self) -> int:
        return len(self) - len(self.spares)

    def _client(self, kernel_id: str) -> AsyncKernelClient:
        kernel = self._kernels[kernel_id]
        # a session of its own: a kernel answers one of two connections that have the same one
        client: AsyncKernelClient = kernel.client(session=Session(key=kernel.session.key))
        client.start_channels()
        return client

    async def load(self, kernel_id: str, code: str) -> None:
        """Let a kernel do what every visitor's has to."""
        with contextlib.suppress(KernelFailed):
            (await self._execute(kernel_id, code)).stop_channels()

    async def start_ahead(self) -> None:
        """Keep spares, for ever."""
        await self.spares.keep()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Leave those that wait for a visitor alone."""
        if kernel_id not in self.spares:
            await super().cull_kernel_if_idle(kernel_id)


def _limit_memory(pid: int) -> None:
    """Let a kernel that a page makes grow without end fail by itself, rather than the machine; Linux only."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):  # it has ended already
            resource.prlimit(pid, resource.RLIMIT_DATA, (KERNEL_BYTES, KERNEL_BYTES))
