"""Compression of responses, on a running server."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

import pytest

from catsdogs.server.compression import accepts_gzip, is_compressible
from tests.server.client import Client

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def get(client: Client, path: str, **options: Any) -> Any:
    return client("GET", path, decode_content=False, **options)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip ; q=0.001", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *;q=1", False),
        ("*;q=0", False),
        ("gzipped", False),
        ("gzip;q=none", False),
    ],
)
def test_accept_encoding_is_read_with_its_qualities(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("content_type", "compressible"),
    [
        ("text/html; charset=utf-8", True),
        ("application/json", True),
        ("application/problem+json; charset=UTF-8", True),
        ("image/svg+xml", True),
        ("font/ttf", True),
        ("font/woff2", False),
        ("image/jpeg", False),
        ("application/octet-stream", False),
        ("", False),
    ],
)
def test_photos_and_most_fonts_are_not_compressed(content_type: str, compressible: bool) -> None:
    assert is_compressible(content_type) is compressible


@pytest.mark.parametrize("path", ["/", "/info", "/openapi.json", "/metrics", "/docs"])
def test_pages_and_answers_are_compressed_for_those_who_accept_it(client: Client, path: str) -> None:
    plain, small = get(client, path), get(client, path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert (small.status, small.headers["Content-Encoding"]) == (200, "gzip")
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data)
    if path != "/metrics":  # which changes
        assert gzip.decompress(small.data) == plain.data
    for answer in (plain, small):
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_page_varies_by_language_and_encoding(client: Client) -> None:
    assert get(client, "/", headers=GZIP).headers["Vary"] == "Accept-Language, Accept-Encoding"


def test_a_small_answer_and_an_error_are_sent_as_they_are(client: Client) -> None:
    for path, status in (("/health/live", 200), ("/api/nothing", 404)):
        answer = get(client, path, headers=GZIP)
        assert (answer.status, "Content-Encoding" in answer.headers) == (status, False)
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.json()


def test_head_announces_what_get_sends(client: Client) -> None:
    for headers in ({}, GZIP):
        whole = get(client, "/info", headers=headers)
        head = client("HEAD", "/info", headers=headers)
        assert head.data == b""
        for name in ("Content-Length", "Content-Encoding", "Etag", "Vary"):
            assert head.headers.get(name) == whole.headers.get(name), name


def test_an_unchanged_page_is_not_sent_again(client: Client) -> None:
    first = get(client, "/info", headers=GZIP)
    assert first.headers["Etag"].startswith('W/"')
    again = get(client, "/info", headers=GZIP | {"If-None-Match": first.headers["Etag"]})
    assert (again.status, again.data, "Content-Encoding" in again.headers) == (304, b"", False)
    assert "Accept-Encoding" in again.headers["Vary"]
    changed = get(client, "/info", headers=GZIP | {"If-None-Match": '"another"'})
    assert changed.status == 200


def test_the_beginning_of_an_app_page_can_be_read_before_its_end(client: Client) -> None:
    """The page is streamed while its notebook runs: what was flushed must not wait in the compressor."""
    connection = http.client.HTTPConnection(urlsplit(client.server.url).netloc, timeout=60)
    connection.request("GET", "/inference", headers=GZIP)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    parts = []
    while part := answer.read1():
        parts.append(decompressor.decompress(part).decode())
    assert decompressor.eof
    html = "".join(parts)
    beginning = "".join(takewhile(lambda part: "</html>" not in part, parts))
    assert "preload-states" in beginning
    assert html.rstrip().endswith("</html>")
    kernel = html.partition('data-kernel="')[2].partition('"')[0]
    assert client("POST", f"/voila/api/shutdown/{kernel}", token=None).status == 204


@pytest.mark.parametrize("path", ["/api/predict", "/api/update-feedback", "/api/privacy/export"])
def test_a_compressed_request_is_refused_without_being_read(client: Client, path: str) -> None:
    body = gzip.compress(b"receipt=" + bytes(10_000_000))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    answer = client("POST", path, headers=headers, body=body)
    assert answer.status == 415
    assert "without compression" in json.loads(answer.data)["detail"]
