"""The session of a page: heartbeat, websocket and shutdown, and who has access to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from catsdogs.server.kernels.wire_protocol import PROTOCOL, frame, header_of, unframe
from tests.server.client import Client, OpenPage
from tests.serving import RunningServer
from tests.waiting import until

OpenPages = Callable[..., OpenPage]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_page_that_closes_stops_its_kernel(client: Client, open_page: OpenPages) -> None:
    page = open_page()
    assert client("GET", f"/session/{page.kernel_id}", token=None).status == 204
    answer = client("POST", f"/voila/api/shutdown/{page.kernel_id}", token=None, fields={"_xsrf": ""})
    assert answer.status == 204
    psutil.wait_procs([page.process], timeout=5)
    assert not page.process.is_running()
    assert client("GET", f"/session/{page.kernel_id}", token=None).status == 404
    assert client("POST", f"/voila/api/shutdown/{page.kernel_id}", token=None).status == 404


def test_a_kernel_is_stopped_only_by_its_id_and_route(client: Client, open_page: OpenPages) -> None:
    page = open_page()
    assert client("POST", f"/voila/api/shutdown/{uuid.uuid4()}", token=None).status == 404
    assert client("DELETE", f"/api/kernels/{page.kernel_id}", token=None).status in {403, 405}
    assert page.process.is_running()


def test_a_kernel_that_died_is_reported_and_not_restarted(client: Client, open_page: OpenPages) -> None:
    page = open_page()
    page.process.kill()
    until(lambda: client("GET", f"/session/{page.kernel_id}", token=None).status == 404, timeout=5)
    assert client("GET", f"/api/kernels/{page.kernel_id}", token=None).status == 404


async def _socket(server: RunningServer, kernel_id: str) -> WebSocketClientConnection:
    return await websocket_connect(
        f"{server.url.replace('http', 'ws')}/api/kernels/{kernel_id}/channels?session_id=test",
        max_message_size=100 * 2**20,
        subprotocols=[PROTOCOL],
    )


def _message(kind: str, **content: object) -> bytes:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "test", "version": "5.3"}
    return frame("shell", [json.dumps(part).encode() for part in (header, {}, {}, content)])


async def _send(connection: WebSocketClientConnection, message: bytes) -> None:
    await connection.write_message(message, binary=True)


async def _reply(connection: WebSocketClientConnection, kind: str, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while (received := await connection.read_message()) is not None:
            if header_of(unframe(received)[1])["msg_type"] == kind:
                return
    raise AssertionError("the connection was closed")


def test_a_photo_of_32_mb_reaches_the_kernel_and_a_larger_one_does_not(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def send(connection: WebSocketClientConnection, megabytes: int) -> None:
        await _send(connection, _message("kernel_info_request", padding="x" * megabytes * 2**20))
        await _reply(connection, "kernel_info_reply")

    async def talk() -> None:
        connection = await _socket(server, page.kernel_id)
        await send(connection, 32)
        with pytest.raises((AssertionError, WebSocketClosedError)):  # closed, at the latest when it has been read
            await send(connection, 33)

    run_alone(talk())
    assert page.process.is_running()


def test_a_page_cannot_run_code_in_its_kernel(
    run_alone: Run, server: RunningServer, open_page: OpenPages, tmp_path: Path
) -> None:
    page = open_page()
    trace = tmp_path / "trace"

    async def talk() -> None:
        connection = await _socket(server, page.kernel_id)
        for kind in ("execute_request", "inspect_request", "complete_request", "debug_request"):
            code = f"open({str(trace)!r}, 'w')"
            await _send(connection, _message(kind, code=code, silent=False, cursor_pos=1, store_history=False))
        # the kernel handles its messages in order: after this reply, the others were handled
        await _send(connection, _message("kernel_info_request"))
        await _reply(connection, "kernel_info_reply")

    run_alone(talk())
    assert not trace.exists()


def test_a_page_of_another_site_cannot_open_the_websocket(client: Client, open_page: OpenPages) -> None:
    page = open_page()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "https://evil.example",
    }
    assert client("GET", f"/api/kernels/{page.kernel_id}/channels", token=None, headers=headers).status == 403


def test_a_page_that_closes_while_its_websocket_opens_is_no_error(
    server: RunningServer, client: Client, open_page: OpenPages
) -> None:
    page = open_page()
    request = (
        f"GET /api/kernels/{page.kernel_id}/channels HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n"
        f"Origin: {server.url}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    )
    before = client.metric("catsdogs_requests_total", route="KernelWebsocketHandler")
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(50):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request.encode())
    until(lambda: client.metric("catsdogs_requests_total", route="KernelWebsocketHandler") == before + 50)
    assert "KernelWebsocketHandler failed" not in server.log.read_text()
    assert "KernelWebsocketHandler 500" not in server.log.read_text()


def test_a_page_whose_kernel_died_gets_no_websocket(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()
    page.process.kill()

    async def talk() -> None:
        with pytest.raises(HTTPClientError, match="404"):
            await _socket(server, page.kernel_id)

    run_alone(talk())


@pytest.mark.parametrize(("messages", "size"), [(1100, 100), (8, 30 * 2**20)], ids=["many", "large"])
def test_a_page_that_sends_too_many_messages_loses_its_websocket(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run, messages: int, size: int
) -> None:
    page, other = open_page(), open_page()
    data = {"padding": "x" * size}

    async def talk() -> int | None:
        connection = await _socket(server, page.kernel_id)
        with contextlib.suppress(WebSocketClosedError):
            for _ in range(messages):
                await _send(connection, _message("comm_msg", comm_id="none", data=data))
        async with asyncio.timeout(60):
            while await connection.read_message() is not None:
                pass
        calm = await _socket(server, other.kernel_id)
        await _send(calm, _message("kernel_info_request"))
        await _reply(calm, "kernel_info_reply")
        return connection.close_code

    assert run_alone(talk()) == 1008
    assert client("GET", f"/session/{other.kernel_id}", token=None).status == 204


@pytest.mark.parametrize(
    "message",
    [
        struct.pack("<Q", 2**22) + bytes(100),  # as many offsets, if it was not checked
        struct.pack("<Q", 2**64 - 1),
        frame("shell", [b"{}", b"{}", b"{}"]),
        frame("shell", [b"[" * 100_000, b"{}", b"{}", b"{}"]),
        frame("shell", [b'{"msg_type": 1}', b"{}", b"{}", b"{}"]),
        frame("nowhere", [b'{"msg_type": "comm_msg"}', b"{}", b"{}", b"{}"]),
        b"",
    ],
    ids=["offsets", "more", "parts", "deep", "kind", "channel", "empty"],
)
def test_a_malformed_message_closes_the_websocket(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run, message: bytes
) -> None:
    page = open_page()

    async def talk() -> int | None:
        connection = await _socket(server, page.kernel_id)
        await _send(connection, message)
        async with asyncio.timeout(60):
            while await connection.read_message() is not None:
                pass
        return connection.close_code

    assert run_alone(talk()) == 1007
    assert client("GET", f"/session/{page.kernel_id}", token=None).status == 204


def test_the_older_format_of_messages_is_refused(server: RunningServer, open_page: OpenPages, run_alone: Run) -> None:
    page = open_page()

    async def talk() -> None:
        with pytest.raises(HTTPClientError, match="400"):
            await websocket_connect(f"{server.url.replace('http', 'ws')}/api/kernels/{page.kernel_id}/channels")

    run_alone(talk())
