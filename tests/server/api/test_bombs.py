"""Requests that are slow on purpose, and small files that take much memory when they are decoded."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests import large_images
from tests.server.client import Client
from tests.serving import RunningServer


def test_clients_that_never_finish_delay_no_other_request(server: RunningServer, client: Client) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    beginnings = [
        b"GET / HT",
        b"GET /inference HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        f"POST /api/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n".encode(),
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\npassword=",
    ]
    with contextlib.ExitStack() as open_connections:
        for number in range(400):
            connection = open_connections.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(beginnings[number % 4])
        for path in ("/", "/health/ready", "/api/info"):
            assert client("GET", path, token=None, timeout=20).status == 200


def _bombs() -> Iterator[tuple[str, bytes]]:
    """Yield small files that take much memory when they are decoded."""
    yield "wide PNG", _png(50_000, 50_000)
    text = zlib.compress(bytes(200 * 2**20), 9)
    yield "PNG with text", _png(64, 64, (b"zTXt", b"Comment\0\0" + text))
    yield "PNG with profile", _png(64, 64, (b"iCCP", b"profile\0\0" + text))
    stream = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(stream, "TIFF", compression="group4")
    yield "TIFF", stream.getvalue()
    yield (
        "GIF",
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2L\1\0;",
    )
    yield "JPEG", large_images.jpeg(15_000, 8_000)
    yield "progressive JPEG", large_images.progressive_jpeg(15_000, 8_000)
    yield "gzip", gzip.compress(bytes(30 * 2**20))


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = (b"IDAT", zlib.compress(bytes(min((width + 1) * height, 10**6))))
    every = (head, *chunks, body, (b"IEND", b""))
    parts = [struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in every]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.fixture
def growth(server: RunningServer) -> Callable[[], int]:
    """Return by how many bytes the server's memory has grown at most since the test began; Linux only."""
    process = psutil.Process(server.process.pid)
    try:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forgets the peak
    except OSError:
        pytest.skip("the system does not report the peak memory of a process")
    before = int(process.memory_info().rss)

    def growth() -> int:
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        assert peak
        return 1024 * int(peak[1]) - before

    return growth


@pytest.mark.parametrize(("name", "bomb"), list(_bombs()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_decompression_bomb_is_refused_or_harmless(
    client: Client, growth: Callable[[], int], name: str, bomb: bytes
) -> None:
    assert len(bomb) < 2**21
    answer = client("POST", "/api/predict", fields={"file": ("cat.png", bomb, "image/png")})
    assert answer.status in ({200, 400} if name.startswith("PNG") else {200} if name == "JPEG" else {400})
    assert growth() < 200 * 2**20, "the file was decoded in full"


def test_a_compressed_body_is_not_decompressed(client: Client, growth: Callable[[], int]) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "multipart/form-data; boundary=b"}
    assert client("POST", "/api/predict", body=gzip.compress(bytes(400 * 2**20), 1), headers=headers).status == 415
    assert growth() < 100 * 2**20
