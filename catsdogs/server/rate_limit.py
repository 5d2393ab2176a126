"""Rate limits: how many requests a client may make in a time window."""

from __future__ import annotations

import math
import time

from catsdogs.errors import ServiceUnavailable

MAX_CLIENTS = 10_000
"""Number of clients that one limit counts at most, so that requests from many addresses do not fill the memory."""


class TooManyRequests(ServiceUnavailable):
    """Raised where a client makes too many requests.

    Parameters
    ----------
    message
        See :class:`catsdogs.errors.CatsDogsError`.
    retry_after
        Seconds until the client may make the next request.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = max(1, math.ceil(retry_after))


class RateLimit:
    """At most `limit` events of a client in a window of `seconds`, which begins with the first of them.

    A fixed window needs two numbers for each client, whatever the limit.

    Parameters
    ----------
    limit
        Number of events.
    seconds
        Length of the window.
    message
        Message of the error.
    """

    def __init__(self, limit: int, seconds: float, message: str) -> None:
        self.limit = limit
        self.seconds = seconds
        self._message = message
        self._windows: dict[str, tuple[float, int]] = {}  # start and count, in the order of start

    def count(self, client: str, events: int = 1) -> None:
        """Count events of `client`.

        Raises
        ------
        TooManyRequests
            The client had used up its limit before these events.
        """
        self.check(client)
        start, count = self._windows.get(client, (time.monotonic(), 0))
        self._windows[client] = start, count + events

    def check(self, client: str) -> None:
        """Raise the error of :meth:`count`, without counting anything."""
        now = time.monotonic()
        self._remove_old(now)
        start, count = self._windows.get(client, (now, 0))
        if count >= self.limit:
            raise TooManyRequests(self._message, start + self.seconds - now)

    def reset(self, client: str) -> None:
        """Set the count of `client` back to 0."""
        self._windows.pop(client, None)

    def __len__(self) -> int:
        return len(self._windows)

    def _remove_old(self, now: float) -> None:
        """Remove the windows that have passed, and the oldest where there are too many."""
        while self._windows:
            oldest, (start, _) = next(iter(self._windows.items()))
            if start + self.seconds > now and len(self._windows) < MAX_CLIENTS:
                return
            del self._windows[oldest]
