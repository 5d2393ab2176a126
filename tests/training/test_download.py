"""The archive is downloaded completely or not at all, over an unreliable connection, from a real HTTP server."""

from __future__ import annotations

import hashlib
import io
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from catsdogs.errors import ServiceError, ServiceUnavailable, SettingsError
from catsdogs.training import download
from catsdogs.training.download import Archive, fetch
from tests.small_disk import small_disk

NAME = "pets.zip"


@pytest.fixture(scope="module")
def content() -> bytes:
    """A zip file of a megabyte, with the other files of Microsoft's archive."""
    stream = io.BytesIO()
    random = np.random.default_rng(0)
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("PetImages/Cat/0.jpg", "PetImages/Cat/Thumbs.db", "PetImages/Dog/0.jpg"):
            archive.writestr(name, random.bytes(350_000))
        archive.writestr("readme[1].txt", "terms")
        archive.writestr("../outside.txt", "never")
    return stream.getvalue()


class Server(ThreadingHTTPServer):
    """Serves `content`; each number in `break_after` ends one response after so many bytes of the body."""

    daemon_threads = True
    content = b""
    ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.break_after: list[int] = []
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers["Range"]
        server.asked.append(asked)
        if self.path != f"/{NAME}":
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        body = server.content[start:]
        self.send_response(206 if asked and server.ranges else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.break_after.pop(0)] if server.break_after else body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(content: bytes) -> Iterator[Server]:
    with Server() as server:
        server.content = content
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def archive(server: Server, content: bytes) -> Archive:
    return Archive(server.url, len(content), hashlib.sha256(content).hexdigest())


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


HERE = {
    "data/external/pets.zip", "data/raw/PetImages/Cat/0.jpg", "data/raw/PetImages/Cat/Thumbs.db",
    "data/raw/PetImages/Dog/0.jpg",
}  # fmt: skip


def test_the_archive_is_downloaded_and_unzipped_once(server: Server, archive: Archive, tmp_path: Path) -> None:
    stages: list[tuple[str, int, int]] = []
    photos = fetch(tmp_path / "data", archive, lambda *stage: stages.append(stage))
    assert photos == tmp_path / "data" / "raw" / "PetImages"
    assert files(tmp_path) == HERE
    assert ("downloading", archive.size, archive.size) in stages
    assert stages[-1] == ("unzipping", 3, 3)
    assert fetch(tmp_path / "data", archive) == photos
    assert len(server.asked) == 1


def test_an_interrupted_download_is_resumed(server: Server, archive: Archive, tmp_path: Path) -> None:
    server.break_after = [400_000, 300_000]
    fetch(tmp_path / "data", archive)
    assert files(tmp_path) == HERE
    assert server.asked == ["bytes=0-", "bytes=400000-", "bytes=700000-"]


def test_a_failed_download_is_resumed_by_the_next_call(server: Server, archive: Archive, tmp_path: Path) -> None:
    server.break_after = [400_000, 0, 0, 0, 0, 0]
    with pytest.raises(ServiceUnavailable, match="the download is resumed"):
        fetch(tmp_path / "data", archive)
    assert files(tmp_path) == {"data/external/pets.zip.part"}
    fetch(tmp_path / "data", archive)
    assert files(tmp_path) == HERE
    assert server.asked[-1] == "bytes=400000-"


def test_a_server_without_ranges_starts_over(server: Server, archive: Archive, tmp_path: Path) -> None:
    server.ranges = False
    server.break_after = [400_000]
    fetch(tmp_path / "data", archive)
    assert files(tmp_path) == HERE


def test_a_wrong_file_is_refused_and_deleted(server: Server, archive: Archive, tmp_path: Path) -> None:
    server.content = b"x" + server.content[1:]
    with pytest.raises(ServiceError, match="checksum differs"):
        fetch(tmp_path / "data", archive)
    assert files(tmp_path) == set()
    with pytest.raises(ServiceError, match="answers 404"):
        fetch(tmp_path / "data", replace(archive, url=archive.url + "x"))


def test_an_unzipping_that_was_stopped_starts_over(server: Server, archive: Archive, tmp_path: Path) -> None:
    def stop(stage: str, done: int, of: int) -> None:
        if stage == "unzipping":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path / "data", archive, stop)
    assert files(tmp_path) == {"data/external/pets.zip"}
    fetch(tmp_path / "data", archive)
    assert files(tmp_path) == HERE
    assert len(server.asked) == 1


def test_a_folder_that_cannot_be_written_is_reported(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        fetch(tmp_path / "data", archive)


@pytest.mark.parametrize(
    ("size", "left"),
    [("512k", {"external/pets.zip.part"}), ("1600k", {"external/pets.zip"})],
    ids=["downloading", "unzipping"],
)
def test_a_full_disk_is_reported_and_what_was_downloaded_stays(
    archive: Archive, content: bytes, tmp_path: Path, size: str, left: set[str]
) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        with pytest.raises(SettingsError, match="cannot be written: No space left on device"):
            fetch(disk, archive)
        assert files(disk) == left
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        fetch(disk, archive)
        assert (disk / "external" / NAME).read_bytes() == content


def test_the_archive_is_microsofts() -> None:
    assert download.PETIMAGES.url.startswith("https://download.microsoft.com/")
    assert download.PETIMAGES.url.endswith("/kagglecatsanddogs_5340.zip")
    assert download.PETIMAGES.size == 824_887_076
