"""Static files: kept in memory, compressed once, and cached for ever under addresses that hold their version.

The version is a hash of the content. A request with another version, or without one, gets the current content, which
the browser has to revalidate: after an upgrade, nothing that is out of date is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from catsdogs import samples
from catsdogs.server.base_handler import BaseHandler
from catsdogs.server.compression import LEAST_BYTES, accepts_gzip, gzip_compressor, is_compressible

STATIC = Path(__file__).parent / "template" / "static"
"""Folder of our own static files."""

FOR_EVER = "public, max-age=31536000, immutable"
"""``Cache-Control`` of a file under the address of its version."""

_MOST_FILES = 256
"""Number of files that are kept in memory: more than the pages have."""


@dataclass(frozen=True)
class Asset:
    """The content of a static file."""

    content: bytes
    content_type: str

    @cached_property
    def version(self) -> str:
        """Hash of the content."""
        return _hash(self.content)

    @cached_property
    def body(self) -> Body:
        """The content as it is."""
        return Body(self.content, self.version)

    @cached_property
    def gzip_body(self) -> Body:
        """The content compressed by gzip, or as it is where that would save nothing; computed once."""
        if is_compressible(self.content_type) and len(self.content) >= LEAST_BYTES:
            compressor = gzip_compressor(level=9)
            compressed = compressor.compress(self.content) + compressor.flush()
            if len(compressed) < len(self.content):
                return Body(compressed, _hash(compressed), "gzip")
        return self.body


@dataclass(frozen=True)
class Body:
    """What is sent of a file."""

    content: bytes
    etag: str
    encoding: str | None = None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


Find = Callable[[str], Asset | None]
"""A function that returns a file by its name, the end of its path; None where there is none."""


class Folders:
    """The files of some folders; of two with the same name, that of the first folder counts.

    Parameters
    ----------
    folders
        Their paths; those that do not exist are empty.
    """

    def __init__(self, *folders: str | Path) -> None:
        self._folders = [Path(folder).resolve() for folder in folders]

    def __call__(self, name: str) -> Asset | None:
        """Return a file; one that is changed is read again."""
        for folder in self._folders:
            with suppress(OSError, ValueError):  # no file has a name that is too long, or has a null character
                path = (folder / name).resolve()
                if path.is_relative_to(folder) and path.is_file():
                    return _read(path, path.stat().st_mtime_ns)
        return None


@lru_cache(_MOST_FILES)
def _read(path: Path, modified: int) -> Asset:  # noqa: ARG001 (its time is its version)
    return Asset(path.read_bytes(), content_type_of(path.name))


def content_type_of(name: str) -> str:
    """Return the content type of a file by its name."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "text/javascript" if kind == "application/javascript" else kind  # what it is called depends on the system
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def script_asset(script: str | bytes) -> Asset:
    """Return a script that is not a file of its own."""
    return Asset(script.encode() if isinstance(script, str) else script, content_type_of("script.js"))


def address_of(prefix: str, name: str, find: Find) -> str:
    """Return the address under which browsers keep a file for ever; it has to be there."""
    asset = find(name)
    assert asset is not None, name
    return f"{prefix}{name}?v={asset.version}"


OWN_FILES = Folders(STATIC)


def static_url(name: str) -> str:
    """Return the address of one of our own static files."""
    return address_of("/static/", name, OWN_FILES)


_sample_files = Folders(samples.FOLDER)


def find_sample(name: str) -> Asset | None:
    """Return a sample picture, or its small copy for the list of them."""
    return _sample_files(name) if name.endswith((".jpg", ".webp")) else None


def sample_urls(name: str) -> dict[str, str]:
    """Return the addresses of a picture of :data:`catsdogs.samples.SAMPLES` and of its small copy."""
    kinds = {"address": "jpg", "small": "webp"}
    return {kind: address_of("/samples/", f"{name}.{suffix}", find_sample) for kind, suffix in kinds.items()}


class StaticHandler(BaseHandler, StaticFileHandler):
    """Sends the files that the function `find` returns: whole or a range, compressed for clients that accept gzip.

    Compressed and not compressed, a file has different ETags, and ranges are those of what is sent.
    """

    def initialize(self, find: Find) -> None:  # type: ignore[override]
        """Take the function that finds a file."""
        super().initialize(path="/")
        self.find = find

    async def prepare(self) -> None:
        """Find the file, and compress it where that was not done yet.

        Raises
        ------
        HTTPError
            404: there is no such file.
        """
        asset = self.find(self.path_args[0])
        if asset is None:
            raise HTTPError(404)
        self.asset, self.sent = asset, asset.body
        if accepts_gzip(self.request.headers.get("Accept-Encoding", "")):
            self.sent = await asyncio.to_thread(lambda: asset.gzip_body)
        if self.request.headers.get("If-Range", self.compute_etag()) != self.compute_etag():
            self.request.headers.pop("Range", None)  # the client has a part of another version

    def get_absolute_path(self, root: str, path: str) -> str:  # type: ignore[override]  # noqa: ARG002
        """Return the path, which is not used."""
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str:  # noqa: ARG002
        """Accept the path: `prepare` has found the file."""
        return absolute_path

    def get_modified_time(self) -> None:
        """Return no time: ETags say what has changed, also after a downgrade to older files."""

    def should_return_304(self) -> bool:
        """Return whether the client has the current content."""
        return self.check_etag_header()

    def compute_etag(self) -> str:
        """Return the ETag of what is sent."""
        return f'"{self.sent.etag}"'

    def get_content_type(self) -> str:
        """Return the content type."""
        return self.asset.content_type

    def get_content_size(self) -> int:
        """Return the size of what is sent."""
        return len(self.sent.content)

    def get_content(self, abspath: str, start: int | None = None, end: int | None = None) -> Any:  # type: ignore[override]  # noqa: ARG002
        """Return what is sent, or a range of it."""
        return self.sent.content[start:end]

    def get_cache_time(self, path: str, modified: object, mime_type: str) -> int:  # noqa: ARG002
        """Return 0: `set_extra_headers` says how long the content may be kept."""
        return 0

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002
        """Say how long the content may be kept, and how it is compressed."""
        current = self.get_query_argument("v", "") == self.asset.version
        self.set_header("Cache-Control", FOR_EVER if current else "no-cache")
        if self.sent.encoding:
            self.set_header("Content-Encoding", self.sent.encoding)


class RobotsHandler(StaticHandler):
    """``/robots.txt``, with the paths as robots see them; they look for it at the root of the host only."""

    def initialize(self, find: Find) -> None:  # type: ignore[override]
        """Put the prefix before the paths of the file that `find` returns."""
        super().initialize(lambda name: self._with_prefix(find(name)))

    def _with_prefix(self, asset: Asset | None) -> Asset | None:
        if asset is None or not self.prefix:
            return asset
        return Asset(asset.content.replace(b": /", f": {self.prefix}/".encode()), asset.content_type)
