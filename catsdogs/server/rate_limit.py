"""How often a client may ask."""

from __future__ import annotations

import math
import time

from catsdogs.errors import ServiceUnavailable

MAX_CLIENTS = 10_000
"""Most clients that one limit remembers: a flood from many addresses must not fill the memory."""


class TooManyRequests(ServiceUnavailable):
    """The client asks too often.

    Parameters
    ----------
    message
        See :class:`catsdogs.errors.CatsDogsError`.
    retry_after
        Seconds until the client may ask again.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))


class RateLimit:
    """At most `limit` events of a client in a window of `seconds`, which begins with the first of them.

    A fixed window: two numbers a client, whatever the limit, for at most `MAX_CLIENTS` clients.

    Parameters
    ----------
    limit
        Number of events.
    seconds
        Length of the window.
    refusal
        What the client is told.
    """

    def __init__(self, limit: int, seconds: float, refusal: str) -> None:
        self.limit = limit
        self.seconds = seconds
        self._refusal = refusal
        self._windows: dict[str, tuple[float, int]] = {}  # begun, events; in the order in which they began

    def take(self, client: str, events: int = 1) -> None:
        """Count events of `client`.

        Raises
        ------
        TooManyRequests
            It has used up its own before these.
        """
        now = time.monotonic()
        self._forget(now)
        begun, taken = self._windows.get(client, (now, 0))
        if taken >= self.limit:
            raise TooManyRequests(self._refusal, begun + self.seconds - now)
        self._windows[client] = begun, taken + events

    def forget(self, client: str) -> None:
        """Forget what `client` has used."""
        self._windows.pop(client, None)

    def __len__(self) -> int:
        return len(self._windows)

    def _forget(self, now: float) -> None:
        """Forget the windows that have passed, and the oldest where there are too many."""
        while self._windows:
            oldest, (begun, _) = next(iter(self._windows.items()))
            if begun + self.seconds > now and len(self._windows) < MAX_CLIENTS:
                return
            del self._windows[oldest]
