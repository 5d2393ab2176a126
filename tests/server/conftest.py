"""Clients of the running servers, and pages that are closed after their test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer

T = TypeVar("T")


@pytest.fixture(scope="session")
def client_of() -> Callable[[RunningServer], Client]:
    """Create a client of a server."""
    return Client


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Client:
    """A client of the shared server."""
    return Client(server)


@pytest.fixture(scope="module")
def small_server(launch: Launch) -> RunningServer:
    """A server with two session slots, for tests that would disturb others."""
    return launch(CATSDOGS_MAX_SESSIONS="2")


@pytest.fixture(scope="module")
def behind_proxy(launch: Launch) -> RunningServer:
    """A server that trusts a proxy's headers, and lets a program make five requests a minute."""
    return launch(CATSDOGS_REQUESTS_PER_MINUTE="5", CATSDOGS_BEHIND_PROXY="true")


@pytest.fixture
def open_page(client: Client) -> Iterator[Callable[..., OpenPage]]:
    """Load a page of the shared server; its kernel is stopped after the test."""
    pages: list[OpenPage] = []

    def open_page(path: str = "/inference", **options: Any) -> OpenPage:
        pages.append(client.open_page(path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        client.close_page(page)


@pytest.fixture
def operator(client: Client) -> dict[str, str]:
    """The headers of a signed-in operator."""
    return client.sign_in()


@pytest.fixture
def run_alone() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine in a thread of its own: Playwright's event loop may run in this one."""

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    return run
