"""Kernels that are forked from the zygote, where the system can do it; otherwise their processes are spawned."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from catsdogs.server.kernels.zygote import MAX_MESSAGE_BYTES, READY

logger = logging.getLogger(__name__)


def _is_supported() -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # of an old kernel, or forbidden in this container
        return False
    return True


IS_SUPPORTED = _is_supported()
"""Whether kernels are forked on this system."""

START_SECONDS = 20
"""Most time that the zygote needs for its imports."""
FORK_SECONDS = 5
RESTART_SECONDS = 5
"""Least time between two starts of the zygote."""
RETRY_SECONDS = 300
"""Time between two starts where the first one failed."""


class Zygote:
    """Starts the zygote, and again where it has ended, and has it fork kernels."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._start: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def keep_running(self, **options: Any) -> None:
        """Start the zygote, whenever it has ended, until the task is cancelled; it then ends, but no kernel does.

        Parameters
        ----------
        options
            Arguments of :class:`subprocess.Popen`, and `account`.
        """
        try:
            if not IS_SUPPORTED:
                await asyncio.Event().wait()
            while True:
                earliest = time.monotonic() + RESTART_SECONDS
                self._start = asyncio.create_task(self._run_process(**options))
                await self._start
                if self._process is None:
                    logger.error("The process that kernels are forked from does not start: each takes more memory.")
                    earliest = time.monotonic() + RETRY_SECONDS
                else:
                    await self._wait_until_it_ends(self._process)
                    logger.warning("The process that kernels are forked from has ended; it is started again.")
                self._close()
                await asyncio.sleep(max(0, earliest - time.monotonic()))
        finally:
            self._close()

    async def _run_process(self, *, account: tuple[int, int] | None, **options: Any) -> None:
        """Start the process, and wait until it is ready; there is none afterwards where that failed."""
        self._control, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        numbers = map(str, (its.fileno(), *(account or ())))
        try:
            with its:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-P", "-m", "catsdogs.server.kernels.zygote", *numbers],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the server
                    **options,
                )
            async with asyncio.timeout(START_SECONDS):
                await _readable(self._control.fileno())
            if self._control.recv(MAX_MESSAGE_BYTES) != READY:
                self._close()
        except OSError:  # a TimeoutError is one
            self._close()

    @staticmethod
    async def _wait_until_it_ends(process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            return
        descriptor = os.pidfd_open(process.pid)
        try:
            await _readable(descriptor)
        finally:
            os.close(descriptor)

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def fork(self, connection_file: str) -> ForkedProcess | None:
        """Fork a kernel; return None where that is not possible just now."""
        async with self._lock:
            if self._start is not None:
                await asyncio.wait([self._start])
            if (control := self._control) is None:
                return None
            try:
                control.send(connection_file.encode())
                async with asyncio.timeout(FORK_SECONDS):
                    await _readable(control.fileno())
                answer, descriptors, *_ = socket.recv_fds(control, MAX_MESSAGE_BYTES, 2)
            except BaseException as error:  # its answer would be taken for that to the next message
                self._close()  # a kernel that was forked nevertheless ends: nobody takes the end of its pipe
                if isinstance(error, OSError):  # a TimeoutError is one
                    return None
                raise
        if descriptors:
            return ForkedProcess(int(answer), *descriptors)
        logger.warning("No kernel could be forked: %s", answer.decode() or "the process has ended")
        return None


class ForkedProcess:
    """A process of a kernel, with the methods of :class:`subprocess.Popen` that Jupyter's provisioner calls.

    Parameters
    ----------
    pid
        Its id.
    descriptor
        File descriptor of the process, by which no other process with the same id is meant later.
    pipe_end
        The end of a pipe; when it is closed, the process ends.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int, pipe_end: int) -> None:
        self.pid = pid
        self._descriptor: int | None = descriptor
        self._pipe_end = pipe_end

    def poll(self) -> int | None:
        """Return None while the process runs, and 0 when it has ended, however it did."""
        if self._descriptor is None:
            return 0
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if not poll.poll(0):
            return None
        os.close(self._descriptor)
        os.close(self._pipe_end)
        self._descriptor = None
        with contextlib.suppress(ChildProcessError):  # it is ours only where we are process 1 and the zygote has ended
            os.waitpid(self.pid, os.WNOHANG)
        return 0

    wait = poll

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    terminate = kill


class ForkingProvisioner(LocalProvisioner):
    """Has the zygote of the kernel manager fork a kernel, or spawns one as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel's process."""
        kernel: Any = self.parent
        if kernel.parent is None:  # one that is not a page's: this class is the default of the whole process
            return await super().launch_kernel(cmd, **kwargs)
        if kernel.parent.account is not None:
            os.chown(kernel.connection_file, *kernel.parent.account)
        process = await kernel.parent.zygote.fork(kernel.connection_file)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid = process, process.pid
        return self.connection_info


async def _readable(descriptor: int) -> None:
    """Wait until a file descriptor can be read."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
