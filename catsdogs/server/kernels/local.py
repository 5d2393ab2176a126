"""The kernel manager for kernels on this machine: their processes, environment, user and limits.

A process is started without anything of a visitor in it. The session's environment is set when a session takes the
kernel.
"""

from __future__ import annotations

import os
import re
import uuid
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.session import Session

from catsdogs.server.kernels.base import AppKernelManager
from catsdogs.server.kernels.forking import ForkingProvisioner, Zygote
from catsdogs.server.kernels.kernel_log import KernelLog
from catsdogs.server.kernels.message_buffer import MessageBuffer
from catsdogs.server.kernels.runtime_folder import Account, kernel_account
from catsdogs.server.kernels.session import new_session
from catsdogs.server.kernels.zygote import limit_memory

PROVISIONER = "catsdogs"
"""Name under which Jupyter finds our provisioner."""

_INHERITED_VARIABLES = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|CONDA_PREFIX|LD_LIBRARY_PATH"
    r"|PYTHON\w+|(OMP|OPENBLAS|MKL)_NUM_THREADS"
)
"""The server's environment variables that a kernel inherits: a list of what is allowed, so that no secret is in it."""


class LocalKernelManager(AppKernelManager):
    """Starts kernels as processes of this machine."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        factory = KernelProvisionerFactory.instance(parent=self)
        factory.provisioners[PROVISIONER] = EntryPoint(
            PROVISIONER, f"{ForkingProvisioner.__module__}:{ForkingProvisioner.__name__}", "catsdogs"
        )
        factory.default_provisioner_name = PROVISIONER  # no configuration: the one instance may exist already
        self.zygote = Zygote()
        self.kernel_log = KernelLog()
        self.account: Account | None = kernel_account()
        if self.account is not None:
            os.chown(self.connection_dir, *self.account)

    async def keep_ready(self) -> None:
        """Run the process that kernels are forked from, and log what kernels write, until the task is cancelled."""
        with self.kernel_log.reading():
            await self.zygote.keep_running(
                account=self.account, cwd=self.root_dir, env=self._process_environment(), **self._output()
            )

    async def start_kernel(self, *, env: dict[str, str], **kwargs: Any) -> str:  # type: ignore[override]
        """Start the kernel of the new session.

        Raises
        ------
        TooManySessions
        """
        session = new_session.get()
        async with self._session_slot(session):
            kernel_id: str = await super().start_kernel(
                kernel_id=str(uuid.uuid4()),
                env=self._process_environment(),
                **self._output(),
                **self._spawning(),
                **kwargs,
            )
            self._assign(kernel_id, session)
        session.environment = {**self._session_environment(env, session, kernel_id), "VOILA_KERNEL_ID": kernel_id}
        return kernel_id

    def _process_environment(self) -> dict[str, str]:
        """Return the environment variables with which a kernel's process is started."""
        return {
            **{name: value for name, value in os.environ.items() if _INHERITED_VARIABLES.fullmatch(name)},
            **self._common_environment(),
            "MALLOC_ARENA_MAX": "1",  # the threads of a kernel take turns: more arenas only take memory
            # the server's user may have start-up files and a history, which must not get to visitors
            "IPYTHONDIR": f"{self.connection_dir}/ipython",
            **({"HOME": self.connection_dir} if self.account else {}),
        }

    def _output(self) -> dict[str, Any]:
        return {"stdout": self.kernel_log.descriptor, "stderr": self.kernel_log.descriptor}

    def _spawning(self) -> dict[str, Any]:
        """Return the arguments of :class:`subprocess.Popen` for a kernel that is not forked.

        A process limits its own memory: for one of another user, root would need a right that containers lack.
        """
        user = {"user": self.account[0], "group": self.account[1], "extra_groups": []} if self.account else {}
        return {"preexec_fn": limit_memory, **user}

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
