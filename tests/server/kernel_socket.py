"""The websocket of an open page to its kernel, as the page's own scripts use it."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from catsdogs.server.kernels.wire_protocol import PROTOCOL, frame, header_of, unframe
from tests.serving import RunningServer


class KernelSocket:
    """A websocket; of a page that connects again, it has the same session id."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, server: RunningServer, kernel_id: str, session: str = "test") -> KernelSocket:
        """Connect to a kernel."""
        connection = await websocket_connect(
            f"{server.url.replace('http', 'ws')}/api/kernels/{kernel_id}/channels?session_id={session}",
            max_message_size=100 * 2**20,
            subprotocols=[PROTOCOL],
        )
        return cls(connection)

    async def send(self, kind: str, **content: object) -> None:
        """Send a message with a content."""
        await self.send_frame(message(kind, **content))

    async def send_frame(self, sent: bytes) -> None:
        """Send a message as it is."""
        await self.connection.write_message(sent, binary=True)

    async def receive_kinds(self, last: str) -> list[str]:
        """Receive messages up to one of the kind `last`; return the kinds of all."""
        kinds: list[str] = []
        while last not in kinds:
            received = await asyncio.wait_for(self.connection.read_message(), 20)
            assert isinstance(received, bytes)
            kinds.append(header_of(unframe(received)[1])["msg_type"])
        return kinds

    async def receive(self, kind: str, seconds: float = 20) -> dict[str, Any]:
        """Wait for a message of a kind, and return its content."""
        async with asyncio.timeout(seconds):
            while (received := await self.connection.read_message()) is not None:
                parts = unframe(received)[1]
                if header_of(parts)["msg_type"] == kind:
                    return dict(json.loads(parts[3]))
        raise AssertionError("the connection was closed")

    async def closed(self, seconds: float = 60) -> int | None:
        """Wait until the websocket is closed, and return the code."""
        async with asyncio.timeout(seconds):
            while await self.connection.read_message() is not None:
                pass
        return self.connection.close_code

    async def close(self) -> None:
        """Close the websocket."""
        self.connection.close()
        await self.closed()

    async def send_to_widget(self, comm_id: str, identifier: str) -> None:
        """Send a message that a widget answers with the identifier."""
        data = {"method": "custom", "content": {"id": identifier}}
        await self.send("comm_msg", comm_id=comm_id, data=data)

    async def send_binary(self, comm_id: str, content: bytes) -> None:
        """Give a widget a value that is binary; it then sends this value to all pages."""
        data = {"method": "update", "state": {"texts": {}}, "buffer_paths": [["texts", "value"]]}
        await self.send_frame(message("comm_msg", content, comm_id=comm_id, data=data))

    async def receive_from_widget(self) -> tuple[str, str]:
        """Wait for such an answer; return the widget's id and the identifier."""
        while (content := await self.receive("comm_msg"))["data"]["method"] != "custom":
            pass
        return content["comm_id"], content["data"]["content"]["reply"]

    async def find_widget(self) -> str:
        """Return the id of a widget that answers."""
        await self.send("comm_info_request", target_name="jupyter.widget")
        for comm_id in (await self.receive("comm_info_reply"))["comms"]:
            await self.send_to_widget(comm_id, comm_id)
        return (await self.receive_from_widget())[0]


def message(kind: str, *buffers: bytes, **content: object) -> bytes:
    """Make a message of a page to its kernel."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "test", "version": "5.3"}
    return frame("shell", [json.dumps(part).encode() for part in (header, {}, {}, content)] + list(buffers))
