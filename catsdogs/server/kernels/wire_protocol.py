"""How the messages between a page and its kernel are framed, read with the care that what strangers send needs.

A frame holds the number of its offsets, the offsets, the channel's name, and the parts of Jupyter's message: header,
parent header, metadata and content as JSON, and buffers, such as a photo.
"""

from __future__ import annotations

import json
import struct
from itertools import accumulate, pairwise
from typing import Any

PROTOCOL = "v1.kernel.websocket.jupyter.org"
"""The name of this framing, as page, server and gateway agree on it."""
CHANNELS = {"shell", "iopub", "control", "stdin"}

_NUMBER = struct.Struct("<Q")
_FEWEST = 6
"""Offsets of a message without buffers."""
_MOST = 1000


class MalformedMessage(ValueError):
    """Not a message, or not one as it should be."""


def unframe(frame: str | bytes) -> tuple[str, list[bytes]]:
    """Take a frame apart: its channel and the parts of its message.

    Jupyter's own function believes the number of offsets: one frame of a few bytes would stop the server.

    Raises
    ------
    MalformedMessage
    """
    if not isinstance(frame, bytes) or len(frame) < _NUMBER.size:
        raise MalformedMessage
    (count,) = _NUMBER.unpack_from(frame)
    if not (_FEWEST <= count <= _MOST and _NUMBER.size * (count + 1) <= len(frame)):
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
    """Read the header of a message, which says of what kind it is.

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
    """Frame the parts of a message."""
    pieces = [channel.encode(), *parts]
    start = _NUMBER.size * (len(pieces) + 2)
    offsets = accumulate(map(len, pieces), initial=start)
    return b"".join([struct.pack(f"<{len(pieces) + 2}Q", len(pieces) + 1, *offsets), *pieces])
