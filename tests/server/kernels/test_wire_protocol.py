"""The binary format of messages: what is encoded is decoded again, and malformed frames are refused."""

from __future__ import annotations

import json
import struct

import pytest
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1

from catsdogs.server.kernels.wire_protocol import MalformedMessage, frame, header_of, reports_death, unframe

PARTS = [b'{"msg_type": "comm_msg"}', b"{}", b"{}", b'{"data": {}}', b"\xff\xd8\xff photo", b""]


def test_a_message_is_decoded_as_jupyter_decodes_it() -> None:
    encoded = frame("shell", PARTS)
    assert unframe(encoded) == ("shell", PARTS)
    channel, parts = deserialize_msg_from_ws_v1(encoded)  # type: ignore[no-untyped-call]
    assert (channel, [bytes(part) for part in parts]) == ("shell", PARTS)
    assert header_of(PARTS) == {"msg_type": "comm_msg"}


@pytest.mark.parametrize(
    "malformed",
    [
        "text",
        b"",
        b"short",
        struct.pack("<Q", 2**22) + bytes(100),
        struct.pack("<8Q", 6, *[64] * 6, 10**6),
        struct.pack("<8Q", 6, 64, 60, 64, 64, 64, 64, 64),
        frame("nowhere", PARTS),
        frame("shell", PARTS[:3]),
    ],
    ids=["text", "empty", "short", "many offsets", "outside", "descending", "channel", "parts"],
)
def test_a_malformed_frame_is_refused(malformed: str | bytes) -> None:
    with pytest.raises(MalformedMessage):
        unframe(malformed)


@pytest.mark.parametrize("header", [b"", b"[]", b"{}", b'{"msg_type": 1}', b"[" * 100_000])
def test_a_malformed_header_is_refused(header: bytes) -> None:
    with pytest.raises(MalformedMessage):
        header_of([header])


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [("status", "dead", True), ("status", "restarting", True), ("status", "busy", False), ("stream", "dead", False)],
)
def test_a_status_message_reports_a_dead_kernel(kind: str, state: str, expected: bool) -> None:
    header, content = json.dumps({"msg_type": kind}).encode(), json.dumps({"execution_state": state}).encode()
    assert reports_death(frame("iopub", [header, b"{}", b"{}", content])) is expected
