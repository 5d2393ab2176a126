"""The processes of kernels, and what they have loaded, asked over their own connection files."""

from __future__ import annotations

import ast
import contextlib
import re
import uuid
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from playwright.sync_api import Page

from tests.waiting import until

ZYGOTE = "catsdogs.server.kernels.zygote"


def kernel_of(page: Page, server: Any) -> psutil.Process:
    """Find the process of an open page's kernel."""
    return find(server, page.locator("body").get_attribute("data-kernel") or "")


def find(server: Any, wanted: str) -> psutil.Process:
    """Find the process of a kernel by its id."""
    return next(kernel for kernel in kernels(server) if wanted == kernel_id(kernel))


def kernels(server: Any) -> list[psutil.Process]:
    """List the running kernels of a server."""
    return kernels_of(psutil.Process(server.process.pid))


def kernels_of(server: psutil.Process) -> list[psutil.Process]:
    """List the running kernels of a server's process: those that were forked, and those that were spawned."""
    found = []
    for child in server.children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if ZYGOTE in child.cmdline():
                found += child.children()
            elif "ipykernel_launcher" in child.cmdline():
                found.append(child)
    return found


def zygote(server: Any) -> psutil.Process:
    """Find the process that a server's kernels are forked from."""
    return next(child for child in psutil.Process(server.process.pid).children() if ZYGOTE in child.cmdline())


def kernel_id(kernel: psutil.Process) -> str | None:
    """Return the id of a kernel; None where it has just been started, or has ended."""
    found = re.search(r"/kernel-([\w-]{36})", _socket(kernel) or "")
    return found and found[1]


def _socket(kernel: psutil.Process) -> str | None:
    """Return the path of a socket of a kernel, which begins as that of its connection file."""
    with contextlib.suppress(psutil.Error):
        for connection in kernel.net_connections("unix"):
            if "-ipc-" in str(connection.laddr):
                return str(connection.laddr)
    return None


def environment(kernel: psutil.Process) -> dict[str, str]:
    """Ask a kernel for its environment variables as they are now; it first completes the messages before."""
    found: dict[str, str] = ask(kernel, "dict(__import__('os').environ)")
    return found


def loaded(kernel: psutil.Process) -> set[str]:
    """Ask a kernel which modules it has imported."""
    return set(ask(kernel, "list(__import__('sys').modules)"))


def new_connection_file(folder: Path) -> str:
    """Write the connection file of a kernel that is to be started, and return its path."""
    name = f"{folder}/kernel-{uuid.uuid4()}"
    path, _ = write_connection_file(f"{name}.json", transport="ipc", ip=f"{name}-ipc")
    return str(path)


def execute(kernel: psutil.Process, code: str) -> None:
    """Execute code in a kernel, as a cell of a notebook; it may fail."""
    _execute(kernel, code, silent=False)


def ask(kernel: psutil.Process, expression: str) -> Any:
    """Ask a kernel for the value of an expression, which is made of Python's own types."""
    reply = _execute(kernel, "", silent=True, user_expressions={"value": f"repr({expression})"})  # repr: in full
    answer = reply["content"]["user_expressions"]["value"]
    assert answer["status"] == "ok", answer
    return ast.literal_eval(ast.literal_eval(answer["data"]["text/plain"]))


def _execute(kernel: psutil.Process, code: str, **options: Any) -> dict[str, Any]:
    client = BlockingKernelClient()
    client.load_connection_file(f"{until(lambda: _socket(kernel)).split('-ipc-')[0]}.json")
    client.start_channels()
    try:
        reply: dict[str, Any] = client.execute(code, reply=True, timeout=60, **options)
        return reply
    finally:
        client.stop_channels()
