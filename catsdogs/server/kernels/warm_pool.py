"""The warm pool: kernels started ahead, so that a visitor of the prediction app need not wait for a process to start.

A warm kernel holds nothing of any visitor and has no token. When a session takes it, the session's environment is set,
in the same way as in a kernel that was started for that session. Voilà's own preheating would run the notebook ahead,
but the notebook needs the visitor's language.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

CHECK_SECONDS = 0.5
"""Time between two checks that the pool is full and its kernels are alive."""
REFILL_DELAY_SECONDS = 2
"""Time until a kernel that was taken is replaced: the page that took it loads in that time."""
WARM_UP_CODE = "__import__('catsdogs.widgets.preimport')"
"""Code that a warm kernel executes: it imports what the app needs."""


class KernelLifecycle(Protocol):
    """Starts, checks and stops kernels: what the pool needs of a kernel manager."""

    async def start_warm_kernel(self) -> str | None:
        """Start a kernel for the pool and return its id; None where the limit of kernels is reached."""

    async def warm_up(self, kernel_id: str, code: str) -> None:
        """Execute `code` in a kernel of the pool."""

    async def is_running(self, kernel_id: str) -> bool:
        """Return whether a kernel is alive."""

    async def stop(self, kernel_id: str) -> None:
        """Stop a kernel."""


class WarmPool:
    """At most `size` kernels without a session; they are evicted where a session needs their slot.

    Parameters
    ----------
    kernels
        The kernel manager, which limits how many kernels there are.
    size
        Number of kernels to keep; 0 for none.
    """

    def __init__(self, kernels: KernelLifecycle, size: int) -> None:
        self._kernels = kernels
        self._size = size
        self._kernel_ids: list[str] = []
        self._refill_at = 0.0

    def __len__(self) -> int:
        return len(self._kernel_ids)

    def __contains__(self, kernel_id: str) -> bool:
        return kernel_id in self._kernel_ids

    async def take(self) -> str | None:
        """Take a running kernel out of the pool and return its id, or None; it may still be warming up."""
        while self._kernel_ids:
            kernel_id = self._kernel_ids.pop(0)
            if await self._kernels.is_running(kernel_id):
                self._refill_at = max(self._refill_at, time.monotonic() + REFILL_DELAY_SECONDS)
                return kernel_id
        return None

    async def evict(self) -> bool:
        """Stop the newest kernel of the pool; return whether there was one."""
        if not self._kernel_ids:
            return False
        await self._kernels.stop(self._kernel_ids.pop())
        return True

    async def keep_filled(self) -> None:
        """Replace kernels that were taken or have died, until the task is cancelled."""
        while self._size:
            for kernel_id in list(self._kernel_ids):
                if not await self._kernels.is_running(kernel_id) and kernel_id in self._kernel_ids:
                    self._kernel_ids.remove(kernel_id)
            if len(self._kernel_ids) < self._size and time.monotonic() >= self._refill_at:
                await asyncio.shield(self._add())  # a start that is cancelled midway would leave a process behind
            await asyncio.sleep(CHECK_SECONDS)

    async def _add(self) -> None:
        kernel_id = await self._kernels.start_warm_kernel()
        if kernel_id is not None:
            self._kernel_ids.append(kernel_id)
            await self._kernels.warm_up(kernel_id, WARM_UP_CODE)
