"""Wait for a condition, instead of sleeps and of loops with their own deadlines."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    condition: Callable[[], T | None],
    message: str | Callable[[], str] = "the condition does not become true",
    *,
    timeout: float = 30,
    interval: float = 0.02,
    retry_on: type[Exception] | tuple[type[Exception], ...] = (),
) -> T:
    """Call `condition` until it returns something true, and return that.

    Parameters
    ----------
    message
        Message of the error at the timeout; a function is called then, for example to read a log.
    timeout, interval
        Longest time to wait, and time between two calls, in seconds.
    retry_on
        Exceptions of `condition` that count as "not yet", such as ``ConnectionError``; others are raised.

    Raises
    ------
    AssertionError
        At the timeout, with `message` and what `condition` last returned or raised.

    """
    end = time.monotonic() + timeout
    while True:
        late = time.monotonic() >= end
        last: object
        try:
            value = condition()
        except retry_on as error:
            last = error
        else:
            if value:
                return value
            last = value
        if late:
            text = message if isinstance(message, str) else message()
            raise AssertionError(f"{text} (after {timeout:g} s; last: {last!r})")
        time.sleep(interval)
