"""What a kernel sends while its page is disconnected, kept until the page is back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

M = TypeVar("M")

MAX_BYTES = 16 * 2**20
"""Most bytes that are kept for one page."""


class MessageBuffer(list[M]):
    """A list of messages that is not to grow without bound.

    A page that is disconnected asks for nothing: what comes is the rest of what it had asked for. Where that is more
    than `MAX_BYTES`, nothing of it is kept: a page that missed a part of it would show what is no longer true.

    Parameters
    ----------
    size_of
        Returns the number of bytes of a message.
    on_overflow
        Called where the messages are too large; it ends the session.
    """

    def __init__(self, size_of: Callable[[M], int], on_overflow: Callable[[], None]) -> None:
        super().__init__()
        self._size_of = size_of
        self._on_overflow = on_overflow
        self._bytes = 0

    def append(self, message: M) -> None:
        """Keep a message."""
        self._bytes += self._size_of(message)
        if self._bytes <= MAX_BYTES:
            super().append(message)
        else:
            self.clear()
            self._on_overflow()
