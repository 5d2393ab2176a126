"""Static files: compression, caching, ranges, and paths that no file can have."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from catsdogs.server.static_files import FOR_EVER, STATIC, Folders
from tests.server.client import Client, OpenPage

GZIP = {"Accept-Encoding": "gzip"}
FILE = "/static/style.css"


def get(client: Client, path: str, **headers: str) -> Any:
    return client("GET", path, token=None, headers=headers, decode_content=False)


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00",
        "/static/..%2f..%2fapp.py",
        f"/static/{'x' * 5000}",
        "/samples/README.md",
        "/app/nothing.js",
        "/app/%00",
        "/app/",
        "/app/..%2fpackage.json",
    ],
)
def test_a_path_that_no_file_can_have_is_not_found(client: Client, path: str) -> None:
    answer = client("GET", path, token=None)
    assert (answer.status, answer.json()) == (404, {"detail": "There is nothing here."})


@pytest.fixture(scope="module")
def addresses(client: Client) -> list[str]:
    """The addresses of all static files in the pages of both apps."""
    visitor = client.open_page()
    operator = client.sign_in()
    dashboard = client.open_page("/monitoring", headers=operator)
    for page, headers in ((visitor, None), (dashboard, operator)):
        client.close_page(page, headers)
    found = {address for page in (visitor, dashboard) for address in addresses_in(page)}
    pages = "".join(client("GET", path, token=None).data.decode() for path in ("/", "/info", "/login", "/nothing"))
    return sorted(found | set(re.findall(r'(?:src|href)="(/static/[^"]*)"', pages)))


def addresses_in(page: OpenPage) -> set[str]:
    loaded = re.findall(r'(?:src|href|data-plotly)="(/(?:static|app|samples)/[^"]*)"', page.html)
    samples = re.findall(r'"address": "([^"]*)"', page.html)
    return {*loaded, *(address for address in samples if "?" in address)}


def test_every_address_in_a_page_holds_the_hash_of_its_content(client: Client, addresses: list[str]) -> None:
    scripts = ("/app/front_end.js", "/app/inference.js", "/app/monitoring.js", "/app/plotly.js")
    for kind in (*scripts, "/app/inference.css", "/app/monitoring.css", "/static/", "/samples/"):
        assert any(address.startswith(kind) for address in addresses), kind
    for address in addresses:
        answer = get(client, address)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, FOR_EVER), address
        assert address.endswith(f"?v={hashlib.sha256(answer.data).hexdigest()[:16]}"), address


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef", "?w=1"])
def test_content_under_another_version_is_revalidated(client: Client, query: str) -> None:
    """A page of another version asked for it, while the server was upgraded."""
    answer = get(client, FILE + query)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.data == (STATIC / "style.css").read_bytes()
    again = get(client, FILE + query, **{"If-None-Match": answer.headers["Etag"]})
    assert (again.status, again.data) == (304, b"")


def test_a_file_that_changes_gets_another_version(tmp_path: Path) -> None:
    file = tmp_path / "x.css"
    file.write_text("a {}")
    folder = Folders(tmp_path / "missing", tmp_path)
    first = folder("x.css")
    assert first is folder("x.css")
    file.write_text("b {}")
    os.utime(file, (time.time(), time.time() + 1))
    second = folder("x.css")
    assert first is not None
    assert second is not None
    assert (second.content, second.version == first.version) == (b"b {}", False)


def test_a_link_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "link").symlink_to(tmp_path / "secret")
    assert Folders(tmp_path / "public")("link") is None
    assert Folders(tmp_path / "public")("../secret") is None


def test_text_is_compressed_and_pictures_are_not(client: Client, addresses: list[str]) -> None:
    for address in addresses:
        plain, small = get(client, address), get(client, address, **GZIP)
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["Etag"] != small.headers["Etag"] or "/samples/" in address
        if "/samples/" in address:
            assert (small.data, "Content-Encoding" in small.headers) == (plain.data, False)
            continue
        assert small.headers["Content-Encoding"] == "gzip", address
        assert gzip.decompress(small.data) == plain.data
        assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data)
        for answer in (plain, small):
            assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
def test_head_ranges_and_conditions_are_those_of_what_is_sent(client: Client, headers: dict[str, str]) -> None:
    whole = get(client, FILE, **headers)
    head = client("HEAD", FILE, token=None, headers=headers)
    assert head.data == b""
    for name in ("Content-Length", "Content-Encoding", "Content-Type", "Etag", "Cache-Control", "Vary"):
        assert head.headers.get(name) == whole.headers.get(name), name
    etag = whole.headers["Etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        unchanged = get(client, FILE, **headers, **{"If-None-Match": known})
        assert (unchanged.status, unchanged.headers["Etag"]) == (304, etag)
        assert "Content-Encoding" not in unchanged.headers
    part = get(client, FILE, **headers, Range="bytes=100-", **{"If-Range": etag})
    assert (part.status, part.data) == (206, whole.data[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole.data) - 1}/{len(whole.data)}"
    assert part.headers.get("Content-Encoding") == whole.headers.get("Content-Encoding")
    outdated = get(client, FILE, **headers, Range="bytes=100-", **{"If-Range": '"other"'})
    assert (outdated.status, outdated.data) == (200, whole.data)
    assert get(client, FILE, **headers, Range="bytes=9999999-").status == 416


def test_both_encodings_have_etags_of_their_own(client: Client) -> None:
    plain, small = get(client, FILE), get(client, FILE, **GZIP)
    mixed_up = get(client, FILE, **GZIP, **{"If-None-Match": plain.headers["Etag"]})
    assert (mixed_up.status, mixed_up.data) == (200, small.data)
