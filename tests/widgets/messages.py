"""Types of the fixtures that stand for the browser."""

from __future__ import annotations

from typing import Any, Protocol

from catsdogs.widgets.base import BaseWidget

Received = list[tuple[dict[str, Any], list[bytes]]]

NOT_UNDERSTOOD = "The page sent something that was not understood. Reload it and try again."


class Send(Protocol):
    """Send a message to a widget as the browser does; return the error message of the reply, or ""."""

    def __call__(self, widget: BaseWidget, content: dict[str, Any], *buffers: bytes) -> str: ...
