"""The format of the log: a record begins on a line of its own, and nothing in it looks like another record."""

from __future__ import annotations

import logging
import unicodedata
from typing import Any

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFormatter(logging.Formatter):
    """Escapes line breaks and control characters, which a client may have sent; a traceback is indented."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (of the standard library)
        """Format a record without its traceback."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Format a traceback."""
        return "\n".join(f"    {printable(line)}" for line in super().formatException(ei).split("\n"))


def printable(text: str) -> str:
    """Return a text on one line; what cannot be printed is written as in Python's source code."""
    return "".join(
        letter if letter.isprintable() or unicodedata.category(letter) == "Zs" else ascii(letter)[1:-1]
        for letter in text
    )
