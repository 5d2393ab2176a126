"""Compression of responses by gzip: which content is compressed, for which clients, and when.

Static files are compressed once (:mod:`catsdogs.server.static_files`), all other responses while they are sent.

Compression of a response that holds a secret beside text that an attacker chooses would reveal the secret, if the
attacker could repeat the request with other text (BREACH). No response here does: the XSRF token of a form is masked
anew each time, a page of an app names a kernel that is new each time, and a receipt code is shown only once; the REST
API needs a bearer token, which no other site can make a browser send. So nothing is left out.

Requests must not be compressed (``415``): a few bytes could become gigabytes.
"""

from __future__ import annotations

import re
import zlib

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

LEAST_BYTES = 1024
"""Size from which a response is compressed: a smaller one fits into one packet of the network anyway."""
LEVEL = 6
"""Compression level of responses that are made anew each time: a higher one takes longer for almost nothing."""

_COMPRESSIBLE = re.compile(
    r"text/.*|image/svg\+xml|font/(ttf|otf)|application/(.*\+)?(json|xml)|application/(javascript|vnd\.ms-fontobject)"
)
_ACCEPTED = re.compile(
    r"\s*(?:(?P<gzip>(?:x-)?gzip)|(?P<any>\*))\s*(?:;\s*q\s*=\s*(?P<quality>[\d.]+)\s*)?", re.IGNORECASE
)
_WITHOUT_WHOLE_BODY = {204, 206, 304}


def is_compressible(content_type: str) -> bool:
    """Return whether content of this type becomes smaller by compression; photos and most fonts do not."""
    return _COMPRESSIBLE.fullmatch(content_type.partition(";")[0].strip().lower()) is not None


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a client accepts gzip, by its header ``Accept-Encoding``; a quality of 0 refuses it."""
    found = [match for part in accept_encoding.split(",") if (match := _ACCEPTED.fullmatch(part))]
    named = [match for match in found if match["gzip"]] or found
    return any(match["quality"] is None or match["quality"].strip("0.") != "" for match in named)


def gzip_compressor(level: int = LEVEL) -> zlib._Compress:
    """Return a compressor that writes gzip without a date, so that equal content stays equal."""
    return zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)


class Compression(OutputTransform):
    """Compresses a response that no handler has compressed; each flush of a streamed page is sent at once."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._accepted = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        self._compressor: zlib._Compress | None = None

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Decide by the headers whether the response is compressed, and change them accordingly."""
        if status_code != 304 and not is_compressible(headers.get("Content-Type", "")):
            return status_code, headers, chunk
        add_vary(headers, "Accept-Encoding")
        large = len(chunk) >= LEAST_BYTES if finishing else "Content-Length" not in headers  # a static file has one
        if self._accepted and large and "Content-Encoding" not in headers and status_code not in _WITHOUT_WHOLE_BODY:
            self._compressor = gzip_compressor()
            headers["Content-Encoding"] = "gzip"
            if (etag := headers.get("Etag", "")).startswith('"'):
                headers["Etag"] = f"W/{etag}"  # it is of the content that was not compressed
            chunk = self.transform_chunk(chunk, finishing)
            if finishing:
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a part of the response."""
        if self._compressor is None:
            return chunk
        compressed = self._compressor.compress(chunk)
        return compressed + self._compressor.flush(zlib.Z_FINISH if finishing else zlib.Z_SYNC_FLUSH)


def add_vary(headers: HTTPHeaders, name: str) -> None:
    """Add a request's header to those on which the response depends."""
    names = [one.strip() for one in headers.get("Vary", "").split(",") if one.strip()]
    if name.lower() not in {one.lower() for one in names}:
        headers["Vary"] = ", ".join([*names, name])
