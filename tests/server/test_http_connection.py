"""Refusals: each client reads them, however it sends; a malformed request gets one that looks like all others."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from tornado.testing import bind_unused_port
from tornado.web import RequestHandler

from catsdogs.server import http_connection
from catsdogs.server.http_connection import LONGEST_HEAD
from catsdogs.server.http_server import AppHTTPServer, WebApplication
from catsdogs.settings import Settings
from tests.server.client import Client
from tests.serving import RunningServer

Run = Callable[[Coroutine[Any, Any, Any]], Any]

MEGABYTE = 1024 * 1024
REFUSED = {
    "401": ("/api/predict", "POST", False, 401),
    "413 of a photo": ("/api/predict", "POST", True, 413),
    "413 of a form": ("/api/update-feedback", "POST", True, 413),
    "413 of a page": ("/login", "POST", False, 413),
    "404": ("/api/nothing", "POST", False, 404),
    "404 of a page": ("/nowhere", "POST", False, 404),
    "404 of a file": ("/static/nothing.js", "POST", False, 405),
    "405": ("/api/predict", "PUT", True, 405),
    "405 of another route": ("/api/statistics", "POST", True, 405),
    "405 of a page": ("/info", "POST", False, 405),
}


def headers_of(server: RunningServer, *, token: bool) -> dict[str, str]:
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return kind | ({"Authorization": f"Bearer {server.api_token}"} if token else {})


@contextmanager
def connected(server: RunningServer) -> Iterator[socket.socket]:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        yield connection


def read_answer(connection: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer


@pytest.mark.parametrize("name", REFUSED)
def test_a_client_that_reads_after_it_has_sent_everything_gets_the_refusal(server: RunningServer, name: str) -> None:
    """As urllib does: each of these was reset before."""
    path, method, token, status = REFUSED[name]
    for _ in range(2):
        request = urllib.request.Request(
            server.url + path, bytes(40 * MEGABYTE), headers_of(server, token=token), method=method
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == status
        assert refused.value.headers["X-Request-ID"]
        refused.value.close()


def test_node_gets_the_refusal(server: RunningServer) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node found: install nodejs")
    script = """
        const [url, token] = process.argv.slice(1), statuses = [];
        for (let i = 0; i < 10; i++)
            for (const [path, headers] of [["/api/predict", {}], ["/api/predict", {Authorization: `Bearer ${token}`}]])
                statuses.push((await fetch(url + path, {method: "POST", headers, body: Buffer.alloc(40e6)})).status);
        console.log(JSON.stringify(statuses));
    """
    command = [node, "--input-type=module", "-e", script, "--", server.url, server.api_token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [401, 413] * 10


def test_a_body_without_length_is_refused_in_time(server: RunningServer) -> None:
    """A photo whose size the client does not say, on a route whose forms are small, and beyond every limit."""
    chunk = f"{MEGABYTE:x}\r\n".encode() + bytes(MEGABYTE) + b"\r\n"
    for path, chunks in (("/api/predict", 40), ("/login", 40), ("/api/update-feedback", 300)):
        with connected(server) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_token}\r\n"
            connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            for _ in range(chunks):
                connection.sendall(chunk)
            if chunks == 40:
                connection.sendall(b"0\r\n\r\n")
            assert read_answer(connection).status == 413, path


def test_what_is_dropped_takes_no_memory(server: RunningServer) -> None:
    process = psutil.Process(server.process.pid)
    before, most = process.memory_info().rss, 0
    with connected(server) as connection:
        connection.sendall(b"POST /api/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 209715200\r\n\r\n")
        for _ in range(200):
            connection.sendall(bytes(MEGABYTE))
            most = max(most, process.memory_info().rss)
        assert read_answer(connection).status == 401
    assert most - before < 40 * MEGABYTE


def test_a_client_that_asks_first_is_refused_without_its_body(server: RunningServer) -> None:
    for path, status in (("/api/predict", 401), ("/nowhere", 404)):
        with connected(server) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 20000000\r\n\r\n"
            connection.sendall(head.encode())
            answer = read_answer(connection)
            assert answer.status == status
            assert answer.headers["Connection"] == "close"
            answer.read()
            assert connection.recv(1) == b""


def test_a_client_that_asks_first_is_told_to_go_on(server: RunningServer) -> None:
    head = f"POST /api/update-feedback HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_token}\r\n"
    with connected(server) as connection:
        connection.sendall(f"{head}Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"a=b")
        assert read_answer(connection).status == 400


def test_a_refused_request_without_body_keeps_the_connection(server: RunningServer) -> None:
    with connected(server) as connection:
        for path in ("/api/statistics", "/nowhere", "/health"):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = read_answer(connection)
            assert "Connection" not in answer.headers, path
            assert answer.read()


TOKEN = b"Authorization: Bearer tttttttttttttttttttttttt\r\n"
PREDICT = b"POST /api/predict HTTP/1.1\r\nHost: a\r\n" + TOKEN
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "no request": (b"garbage\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "invalid host": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "no header": (b"GET /health HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n", 400),
    "NUL": (b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    "two lengths": (PREDICT + b"Content-Length: 1\r\n" + CHUNKED, 400),
    "unknown encoding": (b"POST /info HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    "wrong chunk": (PREDICT + CHUNKED + b"zz\r\n", 400),
    "long line of a chunk": (PREDICT + CHUNKED + b"1;x=" + b"a" * 1000 + b"\r\na\r\n0\r\n\r\n", 400),
    "wrong chunk for a page": (b"POST /info HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "length of a page": (b"POST /info HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n", 400),
    "huge for a page": (b"POST /info HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    "huge for a file": (b"GET /static/style.css HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    "huge for a kernel": (
        b"GET /api/kernels/a-b-c-d-e/channels HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
        413,
    ),
    "long header": (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * LONGEST_HEAD + b"\r\n\r\n", 431),
    "very long header": (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 3 * MEGABYTE + b"\r\n\r\n", 431),
    "long address": (b"GET /" + b"a" * LONGEST_HEAD + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_request_that_reaches_no_handler_is_answered_like_all_others(
    server: RunningServer, client: Client, name: str
) -> None:
    sent, status = MALFORMED[name]
    before = client.metric("catsdogs_requests_total", status=str(status))
    with connected(server) as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
        assert answer.status == status
        assert json.loads(answer.read())["detail"].endswith(".")
        assert connection.recv(1) == b""  # the end, and no reset
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Connection"] == "close"
    assert "Server" not in answer.headers
    assert client.metric("catsdogs_requests_total", status=str(status)) == before + 1
    [line] = [line for line in server.log.read_text().splitlines() if answer.headers["X-Request-ID"] in line]
    assert f" {status} " in line


def test_a_head_of_almost_the_longest_size_is_read(server: RunningServer) -> None:
    """Also where its body comes with it."""
    head = b"POST /api/update-feedback HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + TOKEN
    for padding, body in ((LONGEST_HEAD - 300, b"a=b"), (0, b"a" * 60_000)):
        with connected(server) as connection:
            length = f"Content-Length: {len(body)}\r\n".encode()
            connection.sendall(head + length + b"Cookie: " + b"a" * padding + b"\r\n\r\n" + body)
            answer = read_answer(connection)
            assert answer.status == 400
            assert b"Send the fields as a form" in answer.read()


class _Slow(RequestHandler):
    max_body = 1000

    def get(self) -> None:
        self.write("read as a request")

    def post(self) -> None:
        self.write("done")


@pytest.fixture
def talk(run_alone: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bytes]:
    """Send something to a server that waits for a third of a second, and read until it closes the connection."""
    monkeypatch.setattr(http_connection, "LINGER_SECONDS", 0.3)

    async def talk(sent: bytes) -> bytes:
        settings: dict[str, Any] = {"catsdogs": _AnyServer(), "log_function": lambda _: None}
        server = AppHTTPServer(WebApplication([("/slow", _Slow)], **settings), settings=Settings(), body_timeout=0.3)
        listening, port = bind_unused_port()
        server.add_sockets([listening])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(20):
            received = await reader.read()
        writer.close()
        server.stop()
        return received

    return lambda sent: bytes(run_alone(talk(sent)))


class _AnyServer:
    class settings:  # noqa: N801
        behind_proxy, lang = False, "en"


def test_a_slow_client_is_told_so_and_then_the_connection_is_closed(talk: Callable[[bytes], bytes]) -> None:
    received = talk(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nslow")
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"took too long" in received


def test_a_client_that_stays_after_a_refusal_is_not_waited_for(talk: Callable[[bytes], bytes]) -> None:
    for head in (b"Content-Length: 100", b"Content-Length: abc", b"Transfer-Encoding: chunked"):
        received = talk(b"POST /nothing HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\nzz\r\n")
        assert received.startswith(b"HTTP/1.1 4"), head


HIDDEN = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
BODIES = {
    "length": b"Content-Length: %d\r\n\r\n%s" % (len(HIDDEN), HIDDEN),
    "asking first": b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s" % (len(HIDDEN), HIDDEN),
    "chunks": b"%s%x\r\n%s\r\n0\r\n\r\n" % (CHUNKED, len(HIDDEN), HIDDEN),
    "after wrong chunks": CHUNKED + b"zz\r\n\r\n" + HIDDEN,
    "trailers": CHUNKED + b"0\r\nX: y\r\n\r\n" + HIDDEN,
    "length and chunks": b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 3\r\n\r\n" + HIDDEN,
    "odd length": b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "space after the name": b"Content-Length : 0\r\n\r\n" + HIDDEN,
    "folded": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "unknown encoding": b"Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN,
    "too large": b"Content-Length: 5000\r\n\r\n" + bytes(2000) + HIDDEN,
}


@pytest.mark.parametrize("name", BODIES)
def test_nothing_of_a_body_is_taken_for_a_request(talk: Callable[[bytes], bytes], name: str) -> None:
    for path in (b"/slow", b"/nothing"):
        received = talk(b"POST %s HTTP/1.1\r\nHost: a\r\n%s" % (path, BODIES[name]) + b"GET /end HTTP/1.0\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 "), path
        assert b"read as a request" not in received, path


def test_the_pattern_of_a_head_matches_in_every_supported_python() -> None:
    """In Python 3.11.2, a repeated group with a possessive quantifier never matches."""
    assert not re.search(rb"[*+?}]\+", http_connection._HEAD)
