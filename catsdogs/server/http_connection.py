"""A connection to a client, on which a refusal also reaches a client that is still sending.

For Tornado 6.6. It closes a connection as soon as a request is answered whose body was not read: the kernel of the
operating system then resets the connection, and a client that reads the response only after it has sent everything
never sees it. It also answers a malformed request with a bare status line, and too long a head not at all.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
)
from tornado.iostream import IOStream, StreamClosedError

LONGEST_HEAD = 64 * 1024
"""Size of the longest request line with all headers, in bytes."""
LINGER_SECONDS = 5
"""How long a connection stays open after a refusal while nothing arrives, or where nobody knows what may arrive."""

_HEAD = rb"\A(?s:.*?)\n\r?\n|\A(?s:.{%d})" % LONGEST_HEAD
"""Lines up to an empty one, or else the start of a head that is too long; searched in linear time.

Without possessive quantifiers: in Python 3.11.2, which Debian 12 has, a repeated group with one never matches.
"""
_CHUNK = 64 * 1024


def limit_head(stream: IOStream) -> None:
    """Have Tornado read the head of a request up to `LONGEST_HEAD`, and the line before a chunk of a body.

    It would close the connection at a longer one, and for a chunk already at 64 bytes.
    """
    read, read_line = stream.read_until_regex, stream.read_until
    stream.read_until_regex = lambda _regex, _max_bytes=None, **_: read(_HEAD)  # type: ignore[method-assign]
    stream.read_until = lambda end, **_: read_line(end, LONGEST_HEAD)  # type: ignore[method-assign]


class Connection(HTTP1Connection):
    """One request on a connection, and its response."""

    refused: int | None = None
    """Status with which a malformed head is refused."""
    refuse: Callable[[int], Awaitable[None]] | None = None
    """Answers with an error status; set once the request has a handler."""
    _received = 0

    def refuse_head(self, status: int) -> tuple[RequestStartLine, HTTPHeaders]:
        """Note why a head is refused, and return one by which the application can answer."""
        self.refused, self._read_finished = status, False
        return RequestStartLine("GET", "/", "HTTP/1.1"), HTTPHeaders({"Host": "malformed", "Connection": "close"})

    def _parse_headers(self, data: bytes) -> tuple[str, HTTPHeaders]:
        try:
            if not data.endswith((b"\n\r\n", b"\n\n")):
                return self._refused_head(431)
            start_line, headers = super()._parse_headers(data)
            parse_request_start_line(start_line)
        except HTTPInputError:
            return self._refused_head(400)
        if headers.get("Expect", "").lower() == "100-continue":
            headers["Expect"] = "100-continue"  # Tornado compares the case
        self._read_finished = not _has_body(headers)
        return start_line, headers

    def _refused_head(self, status: int) -> tuple[str, HTTPHeaders]:
        start_line, headers = self.refuse_head(status)
        return " ".join(start_line), headers

    def _can_keep_alive(self, start_line: Any, headers: HTTPHeaders) -> bool:
        try:
            return super()._can_keep_alive(start_line, headers)
        except HTTPInputError:  # the body is refused
            return False

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Any:
        """Write the head of the response; it says that the connection is closed if the request was not read."""
        if not self._read_finished:
            self._disconnect_on_finish = True
        return super().write_headers(start_line, headers, chunk)

    def _finish_request(self, future: Any) -> None:
        if self._read_finished or self.stream.closed():
            super()._finish_request(future)
        else:
            self._clear_callbacks()  # `_read_body` closes the connection

    def _read_body(self, code: int, headers: HTTPHeaders, delegate: HTTPMessageDelegate) -> Awaitable[None] | None:
        seconds, self._body_timeout = self._body_timeout or 0, None
        if self.refused is not None or (self._write_finished and "Expect" in headers):
            return self._drop_rest()  # nobody knows whether anything follows
        if _has_body(headers):
            return self._read_and_refuse(headers, delegate, seconds)
        return super()._read_body(code, headers, delegate)

    async def _read_and_refuse(self, headers: HTTPHeaders, delegate: HTTPMessageDelegate, seconds: float) -> None:
        """Read the body; refuse it where it is malformed, too large or slow; close the connection after a refusal."""
        try:
            if (reading := super()._read_body(0, headers, delegate)) is not None:
                await self._read_in_time(reading, seconds)
        except HTTPInputError as error:
            await self._answer(413 if str(error).endswith(("too long", "too large")) else 400)
            await self._drop_rest()
        self._read_finished = True
        if self._write_finished and (self._pending_write is None or self._pending_write.done()):
            self.close()

    async def _read_in_time(self, reading: Awaitable[None], seconds: float) -> None:
        """Read a body for a limited time; after a refusal, only as long as something arrives."""
        task = asyncio.ensure_future(reading)
        end = time.monotonic() + seconds
        while not task.done():
            before = self._received
            await asyncio.wait({task}, timeout=max(0.01, min(LINGER_SECONDS, end - time.monotonic())))
            if task.done():
                break
            if time.monotonic() >= end and not self._write_finished:
                await self._answer(408)
                end += LINGER_SECONDS
            elif time.monotonic() >= end or (self._write_finished and self._received == before):
                self.close()
        await task

    async def _deliver_body(self, delegate: HTTPMessageDelegate, data: bytes) -> None:
        self._received += len(data)
        await super()._deliver_body(delegate, data)

    async def _answer(self, status: int) -> None:
        if not self._write_finished and self.refuse is not None:
            await self.refuse(status)

    async def _drop_rest(self) -> None:
        """Read and drop what still arrives, for a limited time, and close the connection."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                if self._pending_write is not None:
                    await self._pending_write
                if self.stream.socket is not None:
                    self.stream.socket.shutdown(socket.SHUT_WR)  # the client sees the end of the response
                while True:
                    await self.stream.read_bytes(_CHUNK, partial=True)
        except (StreamClosedError, TimeoutError, OSError):
            pass
        self.close()


def _has_body(headers: HTTPHeaders) -> bool:
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers
