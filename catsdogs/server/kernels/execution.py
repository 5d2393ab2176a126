"""Execution of code in a kernel whose process may have just been started."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient

from catsdogs.errors import ServiceUnavailable
from catsdogs.i18n import N_


class KernelFailed(ServiceUnavailable):
    """Raised where a kernel's process ended, or an execution failed, before it could run the notebook."""


async def execute(client: AsyncKernelClient, code: str) -> None:
    """Execute code that may be executed twice, until `client` is subscribed to what the kernel publishes.

    Raises
    ------
    KernelFailed
        The client is closed then.
    """
    client.allow_stdin = False
    subscribed = False
    while not subscribed:
        request = client.execute(code, silent=True, store_history=False)
        while (status := await _reply_status(client, request)) != "ok":
            if status or not await client.is_alive():
                client.stop_channels()
                raise KernelFailed(N_("Something went wrong on our side. Please try again in a moment."))
        with suppress(Empty):  # nothing: the subscription began too late, and what was published is lost
            await client.get_iopub_msg(timeout=0.2)
            subscribed = True


async def _reply_status(client: AsyncKernelClient, request: str) -> str | None:
    """Wait up to a second for the reply to a request, and return its status; None where it has not come."""
    with suppress(Empty):
        reply = await client.get_shell_msg(timeout=1)
        if reply["parent_header"].get("msg_id") == request:
            return str(reply["content"]["status"])
    return None
