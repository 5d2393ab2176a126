"""Addresses that lead to no catsdogs. Right and wrong tokens of a running server are in `test_contract.py`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import catsdogs
from catsdogs import errors
from catsdogs.service import remote

TOKEN = "t" * 24


class Stranger(BaseHTTPRequestHandler):
    """Another program: it answers ``/json/...`` with JSON, moves ``/moved/...``, and else sends a page."""

    def do_GET(self) -> None:
        body = b'{"hello": "world"}' if self.path.startswith("/json/") else b"<h1>Hello</h1>"
        self.send_response(301 if self.path.startswith("/moved/") else 200)
        self.send_header("Location", "https://example.org/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["", "/json", "/moved"])
def test_another_program_at_the_address(stranger: str, path: str) -> None:
    with pytest.raises(errors.NotFound, match="There is no catsdogs at"):
        catsdogs.connect(stranger + path, TOKEN)


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_RETRY", 0)  # the pauses between retries are not tested here
    with pytest.raises(errors.ServiceUnavailable, match=r"http://127\.0\.0\.1:1 cannot be reached, or is too busy"):
        catsdogs.connect("http://127.0.0.1:1", TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8866",
        "localhost",
        "ftp://127.0.0.1",
        "http://",
        "http://h:99999",
        "http://h:0",
        "http://[",
        "http://h/?a=1",
    ],
)
def test_no_address(url: str) -> None:
    with pytest.raises(errors.InvalidInput, match="is no address of a server"):
        catsdogs.connect(url, TOKEN)


def test_a_token_without_its_server() -> None:
    with pytest.raises(errors.InvalidInput, match="Give the address"):
        catsdogs.connect(token=TOKEN)
