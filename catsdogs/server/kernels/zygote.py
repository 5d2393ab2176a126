"""The zygote: a process that imports once what every kernel needs, and is forked for each session.

It has one thread and no ZeroMQ context, as neither would survive the fork. The server sends it the path of a connection
file over a socket; it answers with the process id and two file descriptors of the new kernel: that of its process, and
one end of a pipe. It ends when the server closes that socket. A kernel ends when its pipe is closed, whose other end
only the server holds: together with the server, and at once where the server no longer waits for the answer. It does
not end with the zygote.

All kernels have the same hash seed: whoever guessed it could slow down no other kernel than the own one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

READY = b"ready"
MAX_MESSAGE_BYTES = 65_536

KERNEL_BYTES = 2**30
"""Most memory of one kernel; the monitoring app's takes about a tenth of it."""

OPTIONS = (
    "--HistoryManager.enabled=False",  # a database and a thread for a history that nobody reads
    "--IPKernelApp.capture_fd_output=False",  # two threads; the server reads what C code writes
    "--IPKernelApp.parent_handle=1",  # no thread that asks every second whether the parent is alive
)
"""Options of ipykernel."""

_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.heartbeat",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "faulthandler",
    "tornado.platform.asyncio",
    "tornado.queues",
    "catsdogs.widgets.preimport",
)
"""What a kernel imports until its app is shown; where a module is missing, each kernel imports what it needs itself."""


def limit_memory() -> None:
    """Limit the memory of this process, a kernel, so that one that grows without end fails by itself."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = KERNEL_BYTES if most == resource.RLIM_INFINITY else min(KERNEL_BYTES, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def main(control_descriptor: int, account: tuple[int, int] | None) -> None:
    """Fork a kernel for each message of the server, until the server closes the socket.

    Parameters
    ----------
    control_descriptor
        The socket of the server's messages.
    account
        User and group that kernels run as, where these are not the server's own.
    """
    gc.disable()  # a collection would leave holes in pages that are to be shared
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # ipykernel imports it where it can: 7 MiB
    for name in _MODULES:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    gc.freeze()
    if account is not None:
        user, group = account
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    if (threads := len(list(Path("/proc/self/task").iterdir()))) > 1:
        raise SystemExit(f"{threads} threads run after the imports: a fork would not be safe.")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that have ended leave no zombies
    control = socket.socket(fileno=control_descriptor)
    control.send(READY)
    while message := control.recv(MAX_MESSAGE_BYTES):
        _fork(control, message.decode())


def _fork(control: socket.socket, connection_file: str) -> None:
    opened: list[int] = []
    try:
        kernel_end, server_end = os.pipe()
        opened += kernel_end, server_end
        pid = os.fork()
        if pid == 0:
            control.close()
            os.close(server_end)
            _run_kernel(connection_file, kernel_end)
        opened.append(os.pidfd_open(pid))
    except OSError as error:
        control.send(os.strerror(error.errno or 0).encode())
    else:
        socket.send_fds(control, [b"%d" % pid], [opened[2], server_end])
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _run_kernel(connection_file: str, pipe_end: int) -> NoReturn:
    status = 1
    try:
        limit_memory()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if numpy := sys.modules.get("numpy"):  # Python seeds its own generators after a fork
            numpy.random.seed()
        gc.enable()
        threading.Thread(target=_end_with_pipe, args=(pipe_end,), daemon=True).start()
        from ipykernel.kernelapp import IPKernelApp
        from ipywidgets import register_comm_target

        kernel: Any = IPKernelApp.instance()
        kernel.initialize(["-f", connection_file, *OPTIONS])
        register_comm_target()  # its import does it only in a kernel; without it, a page asks each widget for its state
        kernel.start()
        status = 0
    finally:
        os._exit(status)


def _end_with_pipe(pipe_end: int) -> None:
    os.read(pipe_end, 1)  # nothing is ever written
    os._exit(0)


if __name__ == "__main__":
    control_, *account_ = map(int, sys.argv[1:])
    main(control_, (account_[0], account_[1]) if account_ else None)
