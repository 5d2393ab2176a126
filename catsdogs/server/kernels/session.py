"""The session of an app's page: what it is opened with, and what is known of its page afterwards."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from catsdogs.i18n import N_
from catsdogs.server.auth import Scope
from catsdogs.server.rate_limit import TooManyRequests

MAX_WEBSOCKETS = 3
"""Most websockets of a session: a page has one, and another one while it takes the first for lost."""


@dataclass(frozen=True)
class App:
    """A notebook that is served as an app."""

    path: str
    """Path of its address."""
    notebook: str
    """File name in ``notebooks/apps``."""
    scope: Scope
    """Scope of its kernels' tokens."""
    operator_only: bool = False


@dataclass
class NewSession:
    """A session that a page opens: what the page gives the kernel manager, and what it gets back."""

    app: App
    language: str
    client: str
    """Name under which the visitor's client is counted."""
    prefix: str = ""
    """Prefix of the server's addresses in the visitor's browser."""
    kernel_id: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    """Environment variables that are to be set in the kernel, which runs already."""


new_session: ContextVar[NewSession] = ContextVar("new_session")
"""The session that the current request opens."""


@dataclass
class PageSession:
    """A session that has a kernel.

    Its page gives signs of life: its heartbeat, and its websocket. A page that runs no script gives none, such as one
    that a robot reads for a link preview.
    """

    app: App
    client: str
    has_page: bool = False
    """Whether there was a sign of life yet."""
    seen_at: float = field(default_factory=time.monotonic)
    """Time of the last sign of life; at first, that of the page's request."""
    websockets: set[Any] = field(default_factory=set)
    """Handlers of its websockets, those that are being opened included."""

    def add_websocket(self, handler: object) -> None:
        """Count a websocket.

        Raises
        ------
        TooManyRequests
        """
        if len(self.websockets) >= MAX_WEBSOCKETS:
            raise TooManyRequests(N_("This page has too many connections to the server."), 5)
        self.websockets.add(handler)
