"""Kernels of this machine and of a gateway: limit, secrets, environment, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from traitlets.config import Configurable

from catsdogs.server.auth import Scope, Tokens
from catsdogs.server.kernels.base import App, NewSession, new_session
from catsdogs.server.kernels.local import KERNEL_BYTES, LocalKernelManager
from catsdogs.service import TOKEN_VARIABLE
from catsdogs.settings import Settings
from tests import kernel_processes
from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer
from tests.waiting import until

OpenPages = Callable[..., OpenPage]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_kernel_has_no_secret_but_its_own_token(launch: Launch) -> None:
    server = launch(
        API_TOKEN="s" * 30,
        CATSDOGS_OPERATOR_PASSWORD="p" * 30,
        AWS_SECRET_ACCESS_KEY="a" * 30,
        DB_PWD="d" * 30,
    )
    page = Client(server).open_page()
    environment = page.environment
    assert environment["CATSDOGS_SERVICE_URL"] == server.url
    assert len(page.token) > 30
    assert not {"API_TOKEN", "DB_PWD", "CATSDOGS_OPERATOR_PASSWORD", "AWS_SECRET_ACCESS_KEY"} & environment.keys()
    environment_at_start = page.process.environ()
    assert not {TOKEN_VARIABLE, "QUERY_STRING"} & environment_at_start.keys()
    everything = " ".join([*environment.values(), *environment_at_start.values(), *page.process.cmdline()])
    assert not any(letter * 30 in everything for letter in "spad")
    server.stop()


def test_two_sessions_have_different_tokens(open_page: OpenPages) -> None:
    assert open_page().token != open_page().token


def test_a_kernel_has_the_language_and_the_query_of_its_page(open_page: OpenPages) -> None:
    environment = open_page("/inference?lang=fr", headers={"Accept-Language": "en"}).environment
    assert environment["CATSDOGS_LANG"] == "fr"
    assert environment["QUERY_STRING"] == "lang=fr"
    assert environment["HTTP_ACCEPT_LANGUAGE"] == "en"


def test_a_kernel_loads_neither_the_model_nor_a_database_driver(open_page: OpenPages) -> None:
    mapped = " ".join(area.path for area in open_page().process.memory_maps())
    for heavy in ("onnxruntime", "psycopg2", "numpy", "pydantic", "tensorflow"):
        assert heavy not in mapped


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system limits no process's memory")
def test_the_memory_of_a_kernel_is_limited(open_page: OpenPages) -> None:
    assert open_page().process.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)


def test_the_number_of_kernels_is_limited_also_for_simultaneous_requests(small_server: RunningServer) -> None:
    client = Client(small_server)
    most = 0
    with ThreadPoolExecutor(8) as pool:
        requests = [pool.submit(client, "GET", "/inference", token=None) for _ in range(8)]

        def all_answered() -> bool:
            nonlocal most
            most = max(most, len(kernel_processes.kernels(small_server)))
            return all(request.done() for request in requests)

        until(all_answered, timeout=60)
    answers = [request.result() for request in requests]
    assert sorted(answer.status for answer in answers) == [200, 200, *[503] * 6]
    assert most <= 2

    refused = next(answer for answer in answers if answer.status == 503)
    assert "text/html" in refused.headers["Content-Type"]
    assert int(refused.headers["Retry-After"]) > 0
    assert "/inference" in refused.data.decode(), "the page offers to try again"

    kernel = kernel_processes.kernels(small_server)[0]
    assert client("POST", f"/voila/api/shutdown/{kernel_processes.kernel_id(kernel)}", token=None).status == 204
    assert client("GET", "/inference", token=None).status == 200, "a session slot that is free can be used"


class _Parent(Configurable):
    """The attributes of the server that a kernel manager uses."""

    tokens = Tokens("t" * 20)
    url_for_kernels = "http://127.0.0.1:1"
    root_dir = "/"
    settings = Settings(_env_file=None)


@pytest.mark.parametrize(
    ("connected", "idle_timeout", "abandoned_timeout", "stays"),
    [(True, 3600, 0, True), (True, 0, 3600, False), (False, 3600, 0, False), (False, 0, 3600, True)],
)
def test_idle_and_abandoned_kernels_are_stopped(
    run_alone: Run, tmp_path: Path, connected: bool, idle_timeout: int, abandoned_timeout: int, stays: bool
) -> None:
    async def start_and_cull() -> bool:
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en"))
        manager = LocalKernelManager(parent=_Parent(), connection_dir=str(tmp_path))
        manager.cull_idle_timeout, manager.abandoned_timeout = idle_timeout, abandoned_timeout
        kernel_id = await manager.start_kernel(env={})
        if connected:
            manager.notify_connect(kernel_id)
        await manager.cull_kernels()  # type: ignore[no-untyped-call]
        stayed = kernel_id in manager
        await manager.shutdown_all(now=True)
        return stayed

    assert run_alone(start_and_cull()) is stays


@pytest.mark.parametrize("stops_already", [False, True])
def test_the_end_waits_for_kernels_that_are_being_started_or_stopped(
    run_alone: Run, tmp_path: Path, stops_already: bool
) -> None:
    async def start_and_stop() -> list[psutil.Process]:
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en"))
        manager = LocalKernelManager(parent=_Parent(), connection_dir=str(tmp_path))
        starting = asyncio.create_task(manager.start_kernel(env={}))
        if stops_already:
            page = asyncio.create_task(manager.stop(await starting))
        await asyncio.sleep(0)  # the task runs up to its first wait
        await manager.shutdown_all(now=True)
        if stops_already:
            assert page.done()
        await asyncio.wait([starting])
        return [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]

    assert run_alone(start_and_stop()) == []
