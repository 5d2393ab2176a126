"""The binary format of the messages between a page and its kernel, with checks, since anybody can send such messages.

A frame holds the number of its offsets, the offsets, the channel's name, and the parts of Jupyter's message: header,
parent header, metadata and content as JSON, and buffers, such as a photo.
"""

from __future__ import annotations

import json
import struct
from itertools import accumulate, pairwise
from typing import Any

PROTOCOL = "v1.kernel.websocket.jupyter.org"
"""Name of this format, as page, server and gateway agree on it."""
CHANNELS = {"shell", "iopub", "control", "stdin"}

_NUMBER = struct.Struct("<Q")
_MIN_OFFSETS = 6
"""Number of offsets in a message without buffers."""
_MAX_OFFSETS = 1000

_DEATH_STATES = {"dead", "restarting", "autorestarting"}
"""States of a kernel whose process has ended. Where the gateway restarts it, the notebook has not run in it."""


class MalformedMessage(ValueError):
    """Raised for a frame that does not follow the format."""


def unframe(frame: str | bytes) -> tuple[str, list[bytes]]:
    """Split a frame into its channel and the parts of its message.

    Jupyter's own function does not check the number of offsets: a frame of a few bytes could exhaust the memory.

    Raises
    ------
    MalformedMessage
    """
    if not isinstance(frame, bytes) or len(frame) < _NUMBER.size:
        raise MalformedMessage
    (count,) = _NUMBER.unpack_from(frame)
    if not (_MIN_OFFSETS <= count <= _MAX_OFFSETS and _NUMBER.size * (count + 1) <= len(frame)):
        raise MalformedMessage
    offsets = struct.unpack_from(f"<{count}Q", frame, _NUMBER.size)
    if sorted(offsets) != list(offsets) or offsets[-1] > len(frame):
        raise MalformedMessage
    name, *parts = (frame[start:end] for start, end in pairwise(offsets))
    channel = name.decode("ascii", "replace")
    if channel not in CHANNELS:
        raise MalformedMessage
    return channel, parts


def header_of(parts: list[bytes]) -> dict[str, Any]:
    """Decode the header of a message, which has at least a ``msg_type``.

    Raises
    ------
    MalformedMessage
    """
    try:
        header = json.loads(parts[0])
    except (ValueError, RecursionError) as error:
        raise MalformedMessage from error
    if not isinstance(header, dict) or not isinstance(header.get("msg_type"), str):
        raise MalformedMessage
    return header


def frame(channel: str, parts: list[bytes]) -> bytes:
    """Join the parts of a message to a frame."""
    pieces = [channel.encode(), *parts]
    start = _NUMBER.size * (len(pieces) + 2)
    offsets = accumulate(map(len, pieces), initial=start)
    return b"".join([struct.pack(f"<{len(pieces) + 2}Q", len(pieces) + 1, *offsets), *pieces])


def reports_death(message: str | bytes) -> bool:
    """Return whether a gateway's message says that the kernel's process has ended.

    Raises
    ------
    MalformedMessage
    """
    _, parts = unframe(message)
    return header_of(parts)["msg_type"] == "status" and json.loads(parts[3])["execution_state"] in _DEATH_STATES
