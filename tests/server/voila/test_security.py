"""Every hole of plain Voilà that this server closes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
import uuid

import psutil
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError, websocket_connect

from catsdogs.server.kernels.local import KERNEL_BYTES
from catsdogs.server.kernels.wire_protocol import PROTOCOL, frame, header_of, unframe

HOSTILE = '"></script><script>alert(1)</script>'


@pytest.mark.parametrize("name", ["theme", "template"])
def test_a_theme_or_template_cannot_be_chosen_by_the_visitor(visit, name):
    usual = visit().page
    for value in (HOSTILE, "dark", "reveal", "python", "latex", "nope"):
        page = visit(f"/inference?{name}={value}").page
        assert "alert(1)" not in page
        assert abs(len(page) - len(usual)) < 500
        assert page.rstrip().endswith("</html>")


def test_the_page_is_complete_in_the_visitors_language(visit):
    assert '<html lang="fr">' in visit(headers={"Accept-Language": "fr"}).page
    assert '<html lang="en">' in visit("/inference?lang=en", headers={"Accept-Language": "fr"}).page


def test_a_closed_tab_stops_its_kernel(client, visit):
    seen = visit()
    assert client("GET", f"/session/{seen.kernel_id}", token=None).status == 204
    answer = client("POST", f"/voila/api/shutdown/{seen.kernel_id}", token=None, fields={"_xsrf": ""})
    assert answer.status == 204
    psutil.wait_procs([seen.process], timeout=5)
    assert not seen.process.is_running()
    assert client("GET", f"/session/{seen.kernel_id}", token=None).status == 404
    assert client("POST", f"/voila/api/shutdown/{seen.kernel_id}", token=None).status == 404


def test_nobody_stops_a_kernel_they_do_not_know(client, visit):
    seen = visit()
    assert client("POST", f"/voila/api/shutdown/{uuid.uuid4()}", token=None).status == 404
    assert client("DELETE", f"/api/kernels/{seen.kernel_id}", token=None).status in {403, 405}
    assert seen.process.is_running()


def test_a_visitor_who_leaves_while_the_page_loads_keeps_no_kernel(client, sessions):
    before = sessions()
    answer = client("GET", "/inference", token=None, preload_content=False)
    assert answer.read(100)
    answer.connection.close()
    deadline = time.monotonic() + 15
    while sessions() > before:
        assert time.monotonic() < deadline, "the kernel outlives its visitor"
        time.sleep(0.1)


def test_a_kernel_that_dies_is_reported_not_restarted(client, visit):
    seen = visit()
    seen.process.kill()
    deadline = time.monotonic() + 5
    while client("GET", f"/session/{seen.kernel_id}", token=None).status != 404:
        assert time.monotonic() < deadline, "a dead kernel passes for a living one"
        time.sleep(0.05)
    assert client("GET", f"/api/kernels/{seen.kernel_id}", token=None).status == 404


def _socket(server, kernel_id):
    return websocket_connect(
        f"{server.url.replace('http', 'ws')}/api/kernels/{kernel_id}/channels?session_id=test",
        max_message_size=100 * 2**20,
        subprotocols=[PROTOCOL],
    )


def _message(kind, **content):
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "test", "version": "5.3"}
    return frame("shell", [json.dumps(part).encode() for part in (header, {}, {}, content)])


async def _send(connection, message):
    await connection.write_message(message, binary=True)


async def _reply(connection, kind, seconds=20):
    async with asyncio.timeout(seconds):
        while (received := await connection.read_message()) is not None:
            if header_of(unframe(received)[1])["msg_type"] == kind:
                return
    raise AssertionError("the connection was closed")


def test_a_photo_of_32_mb_reaches_the_kernel_and_more_does_not(server, visit, run_alone):
    seen = visit()

    async def send(connection, megabytes):
        await _send(connection, _message("kernel_info_request", padding="x" * megabytes * 2**20))
        await _reply(connection, "kernel_info_reply")

    async def talk():
        connection = await _socket(server, seen.kernel_id)
        await send(connection, 32)
        with pytest.raises((AssertionError, WebSocketClosedError)):  # closed, at the latest when it has been read
            await send(connection, 33)

    run_alone(talk())
    assert seen.process.is_running()


def test_a_page_cannot_run_code_in_its_kernel(run_alone, server, visit, tmp_path):
    seen = visit()
    trace = tmp_path / "trace"

    async def talk():
        connection = await _socket(server, seen.kernel_id)
        for kind in ("execute_request", "inspect_request", "complete_request", "debug_request"):
            code = f"open({str(trace)!r}, 'w')"
            await _send(connection, _message(kind, code=code, silent=False, cursor_pos=1, store_history=False))
        await _send(connection, _message("kernel_info_request"))
        await _reply(connection, "kernel_info_reply")

    run_alone(talk())
    time.sleep(0.3)
    assert not trace.exists()


def test_another_sites_page_cannot_open_the_socket(client, visit):
    seen = visit()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "https://evil.example",
    }
    assert client("GET", f"/api/kernels/{seen.kernel_id}/channels", token=None, headers=headers).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/voila/tree",
        "/voila/api/contents",
        "/voila/api/contents/predict.ipynb",
        "/voila/files/predict.ipynb",
        "/voila/files/../jobs/report.ipynb",
        "/voila/render/../jobs/report.ipynb",
        "/voila/render/../lab/review.ipynb",
        "/voila/render/%2e%2e/jobs/report.ipynb",
        "/voila/render/predict.py",
        "/voila/render/",
        "/voila/templates/lab/static/../../../../../../../etc/passwd",
        "/voila/templates/nope/static/index.css",
        "/voila/templates/",
        "/voila/static/../../../../../../../../etc/passwd",
        "/voila/labextensions/../../../../etc/passwd",
        "/voila/labextensions/nothing.js",
        "/voila/static/nothing.js",
        "/voila/api/themes/nothing.css",
        "/static/../style.css",
        "/static/%2e%2e/landing.html",
        "/static/../../app.py",
        "/.env",
        "/lab",
        "/tree",
        "/terminals/1",
        "/api/terminals",
        "/api/sessions",
    ],
)
def test_nothing_else_is_served_or_listed(client, path):
    answer = client("GET", path, token=None)
    assert answer.status in {403, 404}, answer.data[:200]
    assert b"root:" not in answer.data
    assert b"ipynb" not in answer.data


def test_everything_is_served_from_here(visit, client):
    for page in (
        visit().page,
        client("GET", "/", token=None).data.decode(),
        client("GET", "/info", token=None).data.decode(),
    ):
        assert "https://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/inference",
        "/info",
        "/login",
        "/health",
        "/static/style.css",
        "/nothing",
        "/voila/static/voila.js",
        "/voila/templates/lab/static/index.css",
    ],
)
def test_every_answer_has_the_security_headers(client, path):
    headers = client("GET", path, token=None).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-eval" not in headers["Content-Security-Policy"]
    assert "Server" not in headers


def test_a_visitor_gets_no_cookie(client, visit):
    for path in ("/", "/inference", "/info", "/health"):
        assert "Set-Cookie" not in client("GET", path, token=None).headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00",
        "/static/..%2f..%2fapp.py",
        "/voila/templates/lab/static/%00",
        "/voila/templates/lab/static/",
        "/voila/templates/lab/static/..%2f..%2f..%2fetc%2fpasswd",
        "/voila/static/%00",
    ],
)
def test_a_path_that_no_file_has_is_not_found(client, path):
    answer = client("GET", path, token=None)
    assert (answer.status, answer.json()) == (404, {"detail": "There is nothing here."})


@pytest.mark.parametrize("path", ["/", "/nowhere", "/inference", "/api/statistics"])
def test_a_language_that_is_no_text_is_the_browsers(client, path):
    answer = client("GET", f"{path}?lang=%ff", token=None, headers={"Accept-Language": "fr"})
    usual = client("GET", path, token=None, headers={"Accept-Language": "fr"})
    assert answer.status == usual.status
    assert b'<html lang="fr">' in answer.data or answer.data == usual.data


def test_the_log_holds_no_personal_data(server, client, visit, cat_jpeg):
    client("GET", "/?lang=en&email=jane@example.org", token=None, headers={"X-Forwarded-For": "203.0.113.9"})
    client("GET", "/jane@example.org", token=None)
    client("POST", "/api/predict", fields={"file": ("jane-doe.jpg", cat_jpeg, "image/jpeg"), "rgpd_consent": "true"})
    client("POST", "/api/predict", fields={"file": ("jane-doe.jpg", b"no photo", "image/jpeg")})
    client("GET", "/voila/templates/lab/static/..%2fjane", token=None)
    client("GET", "/static/%00jane", token=None)
    seen = visit("/inference?name=jane")
    log = server.log.read_text()
    assert "POST /api/predict 200" in log
    for private in ("jane", "203.0.113.9", "127.0.0.1 ", seen.kernel_id, server.api_token, seen.token):
        assert private not in log.replace(f"ready: {server.url}", "")


def test_a_page_that_closes_while_its_socket_opens_is_no_error(server, visit):
    seen = visit()
    request = (
        f"GET /api/kernels/{seen.kernel_id}/channels HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n"
        f"Origin: {server.url}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    )
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(50):
        with socket.create_connection((host, int(port))) as page:
            page.sendall(request.encode())
    time.sleep(0.5)
    assert "KernelWebsocketHandler failed" not in server.log.read_text()
    assert "KernelWebsocketHandler 500" not in server.log.read_text()


def test_a_page_whose_kernel_died_gets_no_socket(server, visit, run_alone):
    seen = visit()
    seen.process.kill()

    async def talk():
        with pytest.raises(HTTPClientError, match="404"):
            await _socket(server, seen.kernel_id)

    run_alone(talk())


@pytest.mark.parametrize(("messages", "size"), [(1100, 100), (8, 30 * 2**20)], ids=["many", "large"])
def test_a_page_that_floods_its_kernel_loses_its_socket(server, client, visit, run_alone, messages, size):
    seen, other = visit(), visit()
    data = {"padding": "x" * size}

    async def talk():
        connection = await _socket(server, seen.kernel_id)
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
        struct.pack("<Q", 2**22) + bytes(100),  # believed, it would be a list of as many offsets
        struct.pack("<Q", 2**64 - 1),
        frame("shell", [b"{}", b"{}", b"{}"]),
        frame("shell", [b"[" * 100_000, b"{}", b"{}", b"{}"]),
        frame("shell", [b'{"msg_type": 1}', b"{}", b"{}", b"{}"]),
        frame("nowhere", [b'{"msg_type": "comm_msg"}', b"{}", b"{}", b"{}"]),
        b"",
    ],
    ids=["offsets", "more", "parts", "deep", "kind", "channel", "empty"],
)
def test_what_is_no_message_closes_the_socket(server, client, visit, run_alone, message):
    seen = visit()

    async def talk():
        connection = await _socket(server, seen.kernel_id)
        await _send(connection, message)
        async with asyncio.timeout(60):
            while await connection.read_message() is not None:
                pass
        return connection.close_code

    assert run_alone(talk()) == 1007
    assert client("GET", f"/session/{seen.kernel_id}", token=None).status == 204


def test_a_page_of_before_speaks_otherwise_and_is_not_heard(server, visit, run_alone):
    seen = visit()

    async def talk():
        with pytest.raises(HTTPClientError, match="400"):
            await websocket_connect(f"{server.url.replace('http', 'ws')}/api/kernels/{seen.kernel_id}/channels")

    run_alone(talk())


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system limits no process's memory")
def test_a_kernel_has_so_much_memory_and_no_more(visit):
    assert visit().process.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)
