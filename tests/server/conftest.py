"""A client of the running server, and a look at its kernels."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil
import pytest
import urllib3

from tests import kernel_processes

Ask = Callable[..., urllib3.BaseHTTPResponse]
T = TypeVar("T")


@pytest.fixture(scope="session")
def client_of() -> Callable[[Any], Ask]:
    """Make a client of a server."""

    def client_of(server: Any) -> Ask:
        http = urllib3.PoolManager(timeout=30, retries=False, maxsize=20)

        def ask(method: str, path: str, *, token: str | None = server.api_token, **options: Any) -> Any:
            headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **options.pop("headers", {})}
            return http.request(method, server.url + path, headers=headers, redirect=False, **options)

        return ask

    return client_of


@pytest.fixture(scope="session")
def client(server: Any, client_of: Callable[[Any], Ask]) -> Ask:
    """Send a request as a program does: ``client("GET", "/api/info", token=None)``; redirects are not followed."""
    return client_of(server)


@pytest.fixture(scope="module")
def small_server(launch: Any) -> Any:
    """A server with two places, for what would disturb the others."""
    return launch(CATSDOGS_MAX_SESSIONS="2")


@pytest.fixture(scope="module")
def behind_proxy(launch: Any) -> Any:
    """A server behind a proxy, which believes what that says, and gives programs five requests a minute."""
    return launch(CATSDOGS_REQUESTS_PER_MINUTE="5", CATSDOGS_BEHIND_PROXY="true")


@dataclass
class Visit:
    """An app page that was loaded: its kernel, and what that kernel was given."""

    kernel_id: str
    process: psutil.Process
    page: str

    @property
    def environment(self) -> dict[str, str]:
        return kernel_processes.environment(self.process)

    @property
    def token(self) -> str:
        return self.environment["CATSDOGS_SERVICE_TOKEN"]


@pytest.fixture(scope="session")
def kernels() -> Callable[[Any], list[psutil.Process]]:
    """List the kernels of a server."""

    return kernel_processes.kernels


@pytest.fixture
def sessions(client: Ask) -> Callable[[], int]:
    """Count the sessions of the shared server."""

    def sessions() -> int:
        lines = client("GET", "/metrics").data.decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("catsdogs_sessions{")))

    return sessions


@pytest.fixture
def visit(server: Any, client: Ask, kernels: Callable[[Any], list[psutil.Process]]) -> Iterator[Callable[..., Visit]]:
    """Load an app page; its kernel is stopped after the test."""
    visits: list[Visit] = []

    def visit(path: str = "/inference", **options: Any) -> Visit:
        answer = client("GET", path, token=None, **options)
        assert answer.status == 200, answer.data
        page = answer.data.decode()
        found = re.search(r'id="jupyter-config-data"[^>]*>\s*({.*?})\s*</script>', page, re.DOTALL)
        assert found
        kernel_id = json.loads(found[1])["kernelId"]
        process = next(kernel for kernel in kernels(server) if kernel_id in " ".join(kernel.cmdline()))
        visits.append(Visit(kernel_id, process, page))
        return visits[-1]

    yield visit
    for seen in visits:
        client("POST", f"/voila/api/shutdown/{seen.kernel_id}", token=None)


@pytest.fixture
def operator(server: Any, client: Ask) -> dict[str, str]:
    """The headers of a signed-in operator."""
    form = client("GET", "/login", token=None)
    xsrf = re.search(r"_xsrf=([^;]+)", form.headers["Set-Cookie"])
    assert xsrf
    answer = client(
        "POST",
        "/login",
        token=None,
        headers={"Cookie": f"_xsrf={xsrf[1]}"},
        fields={"password": server.operator_password, "_xsrf": xsrf[1]},
    )
    assert answer.status == 303, answer.data
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}


@pytest.fixture
def run_alone() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run a coroutine in a thread of its own: Playwright's event loop may run in this one."""

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    return run
