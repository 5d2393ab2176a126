"""Which messages of a kernel its page gets: those of widgets, and what Jupyter's clients need to connect.

An error holds a traceback, with paths of the server and lines of the program. It is logged instead.
"""

from __future__ import annotations

import json
import re

from catsdogs.server.kernels.kernel_log import log_line
from catsdogs.server.kernels.wire_protocol import header_of, unframe

PAGE_MESSAGES = {
    "comm_close",
    "comm_info_reply",
    "comm_msg",
    "comm_open",
    "iopub_welcome",
    "kernel_info_reply",
    "shutdown_reply",
    "status",
}
"""Types of messages that a page gets."""

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_FRAME = re.compile(r"^File (\S+:\d+)", re.MULTILINE)


def is_for_page(message: str | bytes) -> bool:
    """Return whether a page gets a message of its kernel; log what an error message says, without its values."""
    try:
        _, parts = unframe(message)
        kind = header_of(parts)["msg_type"]
        if kind == "error":
            error = json.loads(parts[3])
            frames = _FRAME.findall(_COLOUR.sub("", "\n".join(error["traceback"])))
            log_line(f"{error['ename']} at {' < '.join(reversed(frames))}")
    except (ValueError, KeyError, TypeError):  # such as Jupyter's older format, for a page that has just left
        return False
    return kind in PAGE_MESSAGES
