"""What kernels report: it goes to the server's log, in bounds.

A visitor can have a kernel write something, such as the name of a method that a widget does not have. The log's format
has each record on a line of its own, whatever is in it.
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
LINE_CHARACTERS = 500

_lines = RateLimit(LINES_PER_MINUTE, 60, "")
_left_out = RateLimit(1, 60, "")


def log_line(line: str) -> None:
    """Log a line that a kernel reports, unless there were too many."""
    try:
        _lines.count("")
    except TooManyRequests:
        try:
            _left_out.count("")
        except TooManyRequests:
            return
        logger.warning("Kernels report more than %d lines a minute: some are left out.", LINES_PER_MINUTE)
    else:
        logger.warning("A kernel reports: %s", line[:LINE_CHARACTERS])


class KernelLog:
    """A pipe that all kernels have as standard output and error, and that the server reads."""

    def __init__(self) -> None:
        self._end, self.descriptor = os.pipe()
        os.set_blocking(self._end, False)
        self._rest = b""

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
        self._rest = rest[:LINE_CHARACTERS]
        for line in filter(None, lines):
            log_line(line[:LINE_CHARACTERS].decode("utf-8", "backslashreplace"))
