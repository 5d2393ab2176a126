"""The processes of kernels, and what they have loaded, asked over their own connection files."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from typing import Any

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from playwright.sync_api import Page


def kernel_of(page: Page, server: Any) -> psutil.Process:
    """Find the process of an open page's kernel."""
    config = json.loads(page.locator("#jupyter-config-data").text_content() or "")
    return next(
        child
        for child in psutil.Process(server.process.pid).children(recursive=True)
        if any(config["kernelId"] in part for part in child.cmdline())
    )


def kernels(server: Any) -> list[psutil.Process]:
    """List the running kernels of a server."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
    return found


def kernel_id(kernel: psutil.Process) -> str:
    """Return the id of a kernel, which the name of its connection file has."""
    [found] = re.findall(r"kernel-([\w-]{36})\.json", " ".join(kernel.cmdline()))
    return str(found)


def environment(kernel: psutil.Process) -> dict[str, str]:
    """Ask a kernel for its environment variables as they are now; it first completes the messages before."""
    found: dict[str, str] = ast.literal_eval(_ask(kernel, "dict(__import__('os').environ)"))
    return found


def loaded(kernel: psutil.Process) -> set[str]:
    """Ask a kernel which modules it has imported."""
    return set(ast.literal_eval(_ask(kernel, "list(__import__('sys').modules)")))


def _ask(kernel: psutil.Process, expression: str) -> str:
    client = BlockingKernelClient()
    client.load_connection_file(next(part for part in kernel.cmdline() if part.endswith(".json")))
    client.start_channels()
    try:
        # by repr: IPython's own display shortens long values
        expressions = {"value": f"repr({expression})"}
        reply = client.execute("", silent=True, user_expressions=expressions, reply=True, timeout=60)
    finally:
        client.stop_channels()
    return str(ast.literal_eval(reply["content"]["user_expressions"]["value"]["data"]["text/plain"]))
