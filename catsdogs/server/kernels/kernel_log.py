"""What kernels write to their standard output and error: it goes to the server's log, in bounds.

A visitor can have a kernel write something, such as the name of a method that a widget does not have.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from catsdogs.server.rate_limit import RateLimit, TooManyRequests

logger = logging.getLogger(__name__)

LINES_PER_MINUTE = 100
"""Most lines of all kernels together: more are left out."""
LINE_BYTES = 500


class KernelLog:
    """A pipe that all kernels write to, and that the server reads."""

    def __init__(self) -> None:
        self._end, self.descriptor = os.pipe()
        os.set_blocking(self._end, False)
        self._limit = RateLimit(LINES_PER_MINUTE, 60, "")
        self._rest = b""
        self._complete = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Log what kernels write."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._end, self._read)
        try:
            yield
        finally:
            loop.remove_reader(self._end)

    def _read(self) -> None:
        *lines, rest = (self._rest + os.read(self._end, 2**16)).split(b"\n")
        self._rest = rest[:LINE_BYTES]
        for line in filter(None, lines):
            try:
                self._limit.count("kernels")
            except TooManyRequests:
                if self._complete:
                    logger.warning("Kernels write more than %d lines a minute: some are left out.", LINES_PER_MINUTE)
                self._complete = False
            else:
                self._complete = True
                logger.warning("A kernel wrote: %s", line[:LINE_BYTES].decode("utf-8", "backslashreplace"))
