"""Kernels on this machine: what its processes need, and how much memory they may take."""

from __future__ import annotations

import contextlib
import re
import resource
import uuid
from typing import Any

from catsdogs.server.kernels import Kernels, opening

KERNEL_BYTES = 2**30
"""Most memory of one kernel; the monitoring app's takes about a fifth of it."""

_OF_THIS_MACHINE = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|CONDA_PREFIX|LD_LIBRARY_PATH"
    r"|PYTHON\w+|(OMP|OPENBLAS|MKL)_NUM_THREADS"
)
"""Variables of ours that a process of the same machine needs."""


class LocalKernels(Kernels):
    """Starts kernels as processes of this machine."""

    async def start_kernel(self, *, env: dict[str, str], **kwargs: Any) -> str:  # type: ignore[override]
        """Start the kernel of the app that the current request opens.

        Raises
        ------
        TooManySessions
        """
        visit, kernel_id = opening.get(), str(uuid.uuid4())
        with self._place():
            environment = {
                **{name: value for name, value in env.items() if _OF_THIS_MACHINE.fullmatch(name)},
                **self._told(env, visit, kernel_id),
                # the server's user may have start-up files and a history: neither is the visitors' business
                "IPYTHONDIR": f"{self.connection_dir}/ipython",
            }
            try:
                await super().start_kernel(kernel_id=kernel_id, env=environment, **kwargs)
            except BaseException:
                self.parent.tokens.revoke(kernel_id)
                raise
        self._opened(kernel_id, visit)
        _limit_memory(self._kernels[kernel_id].provisioner.pid)
        return kernel_id


def _limit_memory(pid: int) -> None:
    """Let a kernel that a page makes grow without end fail by itself, rather than the machine; Linux only."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):  # it has ended already
            resource.prlimit(pid, resource.RLIMIT_DATA, (KERNEL_BYTES, KERNEL_BYTES))
