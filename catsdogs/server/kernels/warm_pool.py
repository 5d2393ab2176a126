"""Kernels started ahead: who opens the prediction app need not wait until a process starts and imports its libraries.

A spare knows nothing of anybody and has no token: what is its visitor's, it is told when it is taken, as every kernel
is. Voilà's own preheating runs the notebook ahead, for a visitor whom it does not know.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

LOOK_SECONDS = 0.5
"""How often it is seen to that there are as many as there should be, alive."""
PAUSE_SECONDS = 2
"""How long a spare that was taken is not replaced: the page that took it loads just then."""
LOAD = "__import__('catsdogs.widgets.preimport')"
"""What a spare executes while it waits."""


class KernelLifecycle(Protocol):
    """What the pool needs of whoever starts and stops kernels."""

    async def start_spare(self) -> str | None:
        """Start a kernel that waits; ``None`` where there is no room for one."""

    async def load(self, kernel_id: str, code: str) -> None:
        """Have a kernel execute `code`."""

    async def is_running(self, kernel_id: str) -> bool:
        """Say whether a kernel lives."""

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel."""


class WarmPool:
    """At most `number` kernels that wait for visitors; visitors never want for a place because of them.

    Parameters
    ----------
    kernels
        Starts and stops them, and limits how many kernels there are.
    number
        How many to keep; 0 for none.
    """

    def __init__(self, kernels: KernelLifecycle, number: int) -> None:
        self._kernels = kernels
        self._number = number
        self._waiting: list[str] = []
        self._not_before = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, kernel_id: str) -> bool:
        return kernel_id in self._waiting

    async def take(self) -> str | None:
        """Give a spare to a visitor, if there is one that lives; it may still be loading, and then goes on."""
        while self._waiting:
            kernel_id = self._waiting.pop(0)
            if await self._kernels.is_running(kernel_id):
                self._not_before = max(self._not_before, time.monotonic() + PAUSE_SECONDS)
                return kernel_id
        return None

    async def give_way(self) -> bool:
        """Stop a spare, so that a visitor has its place; say whether there was one."""
        if not self._waiting:
            return False
        await self._kernels.stop(self._waiting.pop())
        return True

    async def keep(self) -> None:
        """Keep as many as there should be, for ever."""
        while self._number:
            for kernel_id in list(self._waiting):
                if not await self._kernels.is_running(kernel_id) and kernel_id in self._waiting:
                    self._waiting.remove(kernel_id)
            if len(self._waiting) < self._number and time.monotonic() >= self._not_before:
                await asyncio.shield(self._add())  # a start that is cancelled midway would leave a process behind
            await asyncio.sleep(LOOK_SECONDS)

    async def _add(self) -> None:
        kernel_id = await self._kernels.start_spare()
        if kernel_id is not None:
            self._waiting.append(kernel_id)
            await self._kernels.load(kernel_id, LOAD)
