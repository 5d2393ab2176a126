"""What nginx refuses by itself looks like a refusal of the server."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

from tests.nginx import behind_nginx, needs_nginx
from tests.serving import RunningServer, free_port

pytestmark = needs_nginx

REFUSED = {
    "no request": (b"garbage\r\n\r\n", 400),
    "no host": (b"GET /api/info HTTP/1.1\r\n\r\n", 400),
    "unknown encoding": (b"POST /api/predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    "unknown version": (b"GET /api/info HTTP/3.1\r\nHost: a\r\n\r\n", 400),
    "too large": (b"POST /api/predict HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n", 413),
    "long address": (b"GET /api/" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    "long header": (b"GET /api/info HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "an error of the server": (b"GET /api/statistics HTTP/1.1\r\nHost: a\r\n\r\n", 401),
}
AWAY = b"GET /api/info HTTP/1.1\r\nHost: a\r\n\r\n"


def send(url: str, request: bytes) -> tuple[int, str, str]:
    """Send a request; return status, content type and detail of the answer."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers["Content-Type"].partition(";")[0], json.loads(answer.read())["detail"]


def test_errors_are_json(server: RunningServer) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with behind_nginx({"a": server.url, "b": nowhere}) as url:
        for name, (request, status) in REFUSED.items():
            answered, kind, detail = send(url, request)
            assert (answered, kind) == (status, "application/json"), name
            assert detail.endswith("."), name
    with behind_nginx({"a": nowhere, "b": nowhere}) as url:
        answered, kind, detail = send(url, AWAY)
        assert (answered, kind) == (503, "application/json")
        assert detail.startswith("The service cannot be reached")


def test_nginx_says_what_the_server_says(server: RunningServer) -> None:
    with behind_nginx({"a": server.url, "b": server.url}) as url:
        for request in (b"garbage\r\n\r\n", b"GET /api/" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
            assert send(url, request) == send(server.url, request)
