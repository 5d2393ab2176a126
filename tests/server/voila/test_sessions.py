"""The session of a page: heartbeat, websocket and shutdown, and who has access to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError, websocket_connect

from catsdogs.server.kernels.message_buffer import MAX_BYTES
from catsdogs.server.kernels.wire_protocol import PROTOCOL, frame
from tests import kernel_processes
from tests.server.client import Client, OpenPage
from tests.server.kernel_socket import KernelSocket
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
    until(lambda: client("GET", f"/session/{page.kernel_id}", token=None).status == 404)
    assert client("GET", f"/api/kernels/{page.kernel_id}", token=None).status == 404


def test_a_photo_of_32_mb_reaches_the_kernel_and_a_larger_one_does_not(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def send(connection: KernelSocket, megabytes: int) -> None:
        await connection.send("kernel_info_request", padding="x" * megabytes * 2**20)
        await connection.receive("kernel_info_reply")

    async def talk() -> None:
        connection = await KernelSocket.open(server, page.kernel_id)
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
        connection = await KernelSocket.open(server, page.kernel_id)
        for kind in ("execute_request", "inspect_request", "complete_request", "debug_request"):
            code = f"open({str(trace)!r}, 'w')"
            await connection.send(kind, code=code, silent=False, cursor_pos=1, store_history=False)
        # the kernel handles its messages in order: after this reply, the others were handled
        await connection.send("kernel_info_request")
        await connection.receive("kernel_info_reply")

    run_alone(talk())
    assert not trace.exists()


@contextlib.contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """Suspend a kernel; it answers what was sent meanwhile afterwards."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def _connections(client: Client, page: OpenPage) -> int:
    return int(client("GET", f"/api/kernels/{page.kernel_id}", token=None).json()["connections"])


def _last_activity(client: Client, page: OpenPage) -> str:
    return str(client("GET", f"/api/kernels/{page.kernel_id}", token=None).json()["last_activity"])


def test_what_a_kernel_sends_while_its_page_is_disconnected_arrives_when_it_is_back(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def talk() -> None:
        socket = await KernelSocket.open(server, page.kernel_id)
        widget = await socket.find_widget()
        with suspended(page.process):
            await socket.send_to_widget(widget, "sent before")
            await socket.close()
            until(lambda: _connections(client, page) == 0)
            before = _last_activity(client, page)
        until(lambda: _last_activity(client, page) != before)
        again = await KernelSocket.open(server, page.kernel_id)
        while await again.receive_from_widget() != (widget, "sent before"):
            pass
        await again.send_to_widget(widget, "sent afterwards")
        assert await again.receive_from_widget() == (widget, "sent afterwards")

    run_alone(talk())


def test_what_a_kernel_sends_to_a_page_that_no_longer_answers_arrives_on_its_next_websocket(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()
    sent, stopped = threading.Event(), threading.Event()

    async def fall_asleep() -> None:
        socket = await KernelSocket.open(server, page.kernel_id)
        widget = await socket.find_widget()
        page.process.suspend()
        await socket.send_binary(widget, bytes(1000))
        sent.set()
        stopped.wait(30)  # this socket's event loop stands still, as on a phone that sleeps

    async def wake_up() -> None:
        with suspended(page.process):
            socket = await KernelSocket.open(server, page.kernel_id)
        while (await socket.receive("comm_msg"))["data"]["method"] != "echo_update":
            pass

    with ThreadPoolExecutor(1) as pool:
        asleep = pool.submit(asyncio.run, fall_asleep())
        assert sent.wait(30)
        try:
            run_alone(wake_up())
        finally:
            stopped.set()
        asleep.result()
    assert client.heartbeat(page.kernel_id) == 204


def test_a_session_ends_whose_kernel_sends_too_much_to_a_page_that_is_disconnected(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def talk() -> None:
        socket = await KernelSocket.open(server, page.kernel_id)
        widget = await socket.find_widget()
        with suspended(page.process):
            for _ in range(5):
                await socket.send_to_widget(widget, "x" * (MAX_BYTES // 4))
            await socket.close()
            until(lambda: _connections(client, page) == 0)

    run_alone(talk())
    until(lambda: client.heartbeat(page.kernel_id) == 404)
    psutil.wait_procs([page.process], timeout=5)
    assert not page.process.is_running()


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


def test_what_is_no_websocket_of_a_page_is_refused_each_time(client: Client, open_page: OpenPages) -> None:
    """Without the subprotocol, without a websocket, and with a session that is not ASCII."""
    page = open_page()
    channels = f"/api/kernels/{page.kernel_id}/channels"
    plain = {"Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    socket = plain | {"Upgrade": "websocket"}
    named = socket | {"Sec-WebSocket-Protocol": PROTOCOL}
    refused = [
        (channels, socket),
        (channels, socket | {"Sec-WebSocket-Protocol": "chat, kernel.websocket.protocol.jupyter.org"}),
        (channels, plain | {"Sec-WebSocket-Protocol": PROTOCOL}),
        (f"{channels}?session_id=%C3%BF", named),
        (f"{channels}?session_id=%ff", named),
        (f"{channels}?session_id={'x' * 300}", named),
    ]
    for path, headers in refused * 3:
        answer = client("GET", path, token=None, headers=headers)
        assert (answer.status, list(answer.json())) == (400, ["detail"]), headers


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
    assert _connections(client, page) == 0
    assert "KernelWebsocketHandler failed" not in server.log.read_text()
    assert "KernelWebsocketHandler 500" not in server.log.read_text()


def test_a_page_whose_kernel_died_gets_no_websocket(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()
    page.process.kill()

    async def talk() -> None:
        with pytest.raises(HTTPClientError, match="404"):
            await KernelSocket.open(server, page.kernel_id)

    run_alone(talk())


def test_websockets_that_wait_for_a_kernel_that_is_stopped_leave_nothing(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run
) -> None:
    process = psutil.Process(server.process.pid)

    def refuse() -> None:
        page = open_page()
        page.process.suspend()

        async def talk() -> None:
            opening = [asyncio.create_task(KernelSocket.open(server, page.kernel_id, session=name)) for name in "abcd"]
            await asyncio.wait(opening, return_when=asyncio.FIRST_COMPLETED)  # one is refused, three wait
            await asyncio.to_thread(client.close_page, page)
            refused = await asyncio.gather(*opening, return_exceptions=True)
            assert sorted(one.code for one in refused if isinstance(one, HTTPClientError)) == [404, 404, 404, 429]

        run_alone(talk())

    refuse()
    before = until(process.num_fds)
    for _ in range(4):
        refuse()
    until(lambda: process.num_fds() < before + 4)
    assert server.traceback == ""


@pytest.mark.parametrize(("messages", "size"), [(1100, 100), (8, 30 * 2**20)], ids=["many", "large"])
def test_a_page_that_sends_too_many_messages_loses_its_websocket(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run, messages: int, size: int
) -> None:
    page, other = open_page(), open_page()
    data = {"padding": "x" * size}

    async def talk() -> int | None:
        connection = await KernelSocket.open(server, page.kernel_id)
        with contextlib.suppress(WebSocketClosedError):
            for _ in range(messages):
                await connection.send("comm_msg", comm_id="none", data=data)
        closed = await connection.closed()
        calm = await KernelSocket.open(server, other.kernel_id)
        await calm.send("kernel_info_request")
        await calm.receive("kernel_info_reply")
        return closed

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
        connection = await KernelSocket.open(server, page.kernel_id)
        await connection.send_frame(message)
        return await connection.closed()

    assert run_alone(talk()) == 1007
    assert client("GET", f"/session/{page.kernel_id}", token=None).status == 204


def test_a_page_has_at_most_three_websockets_and_others_are_not_disturbed(
    server: RunningServer, client: Client, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def connect() -> None:
        sockets = [await KernelSocket.open(server, page.kernel_id, session=f"page-{n}") for n in range(3)]
        for _ in range(5):
            with pytest.raises(HTTPClientError, match="429") as refused:
                await KernelSocket.open(server, page.kernel_id, session="another")
        assert refused.value.response
        assert refused.value.response.headers["Retry-After"] == "5"
        await sockets.pop().close()
        sockets.append(await KernelSocket.open(server, page.kernel_id, session="instead"))
        for socket_ in sockets:
            await socket_.close()
        for _ in range(5):  # a page that connects again and again takes its own place
            await KernelSocket.open(server, page.kernel_id, session="same")

    run_alone(connect())
    assert server.traceback == ""


def test_many_simultaneous_websockets_of_one_page_leave_others_working(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page, other = open_page(), open_page()

    async def connect() -> None:
        opening = [KernelSocket.open(server, page.kernel_id, session=f"page-{n}") for n in range(100)]
        opened = await asyncio.gather(*opening, return_exceptions=True)
        assert len([one for one in opened if isinstance(one, KernelSocket)]) == 3
        calm = await KernelSocket.open(server, other.kernel_id)
        await calm.send("kernel_info_request")
        await calm.receive("kernel_info_reply")

    run_alone(connect())


def test_a_page_gets_neither_tracebacks_nor_output_of_its_kernel(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page = open_page()

    async def talk() -> list[str]:
        connection = await KernelSocket.open(server, page.kernel_id)
        for code in ("print('hello')", "1 / 0", "display(1)", "import sys; print('hello', file=sys.stderr)"):
            await asyncio.to_thread(kernel_processes.execute, page.process, code)
        await connection.send("kernel_info_request")
        return await connection.receive_kinds("kernel_info_reply")

    kinds = run_alone(talk())
    assert set(kinds) == {"status", "kernel_info_reply"}, "messages with output reach the page"
    until(lambda: "A kernel reports: ZeroDivisionError at " in server.log.read_text())
    assert "division by zero" not in server.log.read_text(), "a message may hold what a visitor sent"


def test_a_visitor_can_neither_forge_nor_fill_the_log(
    server: RunningServer, open_page: OpenPages, run_alone: Run
) -> None:
    page, before = open_page(), server.log.stat().st_size
    forged = "2026-01-01 00:00:00,000 INFO catsdogs.access: GET /forged 200 1 ms"

    async def talk() -> None:
        connection = await KernelSocket.open(server, page.kernel_id)
        widget = await connection.find_widget()
        for number in range(300):
            method = f"{number}\n{forged}\r\x1b[2J" + "x" * 100_000
            await connection.send("comm_msg", comm_id=widget, data={"method": method})
        await connection.send_to_widget(widget, "the last one")
        await connection.receive_from_widget()

    run_alone(talk())
    until(lambda: "some are left out" in server.log.read_text())
    log = server.log.read_text()
    assert not [line for line in log.splitlines() if line.startswith(forged)]
    assert "\x1b" not in log
    assert len(log) - before < 150_000


def test_the_older_format_of_messages_is_refused(server: RunningServer, open_page: OpenPages, run_alone: Run) -> None:
    page = open_page()

    async def talk() -> None:
        with pytest.raises(HTTPClientError, match="400"):
            await websocket_connect(f"{server.url.replace('http', 'ws')}/api/kernels/{page.kernel_id}/channels")

    run_alone(talk())
