"""Kernels of this machine and of a gateway: limit, secrets, environment, and end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
import urllib3
from traitlets.config import Configurable

from catsdogs.server.auth import Scope, Tokens
from catsdogs.server.kernels.base import TooManySessions
from catsdogs.server.kernels.local import LocalKernelManager
from catsdogs.server.kernels.session import MAX_WEBSOCKETS, App, NewSession, new_session
from catsdogs.server.kernels.zygote import KERNEL_BYTES
from catsdogs.service import TOKEN_VARIABLE
from catsdogs.settings import Settings
from tests import kernel_processes
from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer
from tests.waiting import until

OpenPages = Callable[..., OpenPage]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(scope="module")
def small_server(launch: Launch) -> RunningServer:
    """A server with two session slots and many secrets, for the tests that would disturb others."""
    return launch(
        CATSDOGS_MAX_SESSIONS="2",
        API_TOKEN="s" * 30,
        CATSDOGS_OPERATOR_PASSWORD="p" * 30,
        AWS_SECRET_ACCESS_KEY="a" * 30,
        DB_PWD="d" * 30,
        CATSDOGS_CONTROLLER="Example & Sons",
        CATSDOGS_CONTACT="privacy@example.org",
    )


def test_a_kernel_has_no_secret_but_its_own_token_and_what_the_notice_shows(small_server: RunningServer) -> None:
    client = Client(small_server)
    page = client.open_page()
    environment = page.environment
    assert environment["CATSDOGS_SERVICE_URL"] == small_server.url
    assert len(page.token) > 30
    assert not {"API_TOKEN", "DB_PWD", "CATSDOGS_OPERATOR_PASSWORD", "AWS_SECRET_ACCESS_KEY"} & environment.keys()
    environment_at_start = page.process.environ()
    assert not {TOKEN_VARIABLE, "QUERY_STRING"} & environment_at_start.keys()
    everything = " ".join([*environment.values(), *environment_at_start.values(), *page.process.cmdline()])
    assert not any(letter * 30 in everything for letter in "spad")
    given = [environment[f"CATSDOGS_{name}"] for name in ("CONTROLLER", "CONTACT", "RETENTION_DAYS")]
    assert given == ["Example & Sons", "privacy@example.org", "365"]
    assert client.close_page(page) == 204
    until(lambda: not page.process.is_running())


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
    kernel = open_page().process
    assert kernel.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)
    assert kernel_processes.ask(kernel, f"len(bytes({KERNEL_BYTES // 2}))") == KERNEL_BYTES // 2
    with pytest.raises(AssertionError, match="MemoryError"):
        kernel_processes.ask(kernel, f"len(bytes({KERNEL_BYTES}))")


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
    assert 1 <= int(refused.headers["Retry-After"]) <= 15
    assert "/inference" in refused.data.decode(), "the page offers to try again"
    assert "tries again by itself" in refused.data.decode()
    kernel_ids = [str(kernel_processes.kernel_id(kernel)) for kernel in kernel_processes.kernels(small_server)]
    assert [client.heartbeat(kernel_id) for kernel_id in kernel_ids] == [204, 204]
    assert client("HEAD", "/inference", token=None).status == 503

    assert client("POST", f"/voila/api/shutdown/{kernel_ids[0]}", token=None).status == 204
    assert client("HEAD", "/inference", token=None).status == 200
    assert client("GET", "/inference", token=None).status == 200, "a session slot that is free can be used"


class _Parent(Configurable):
    """The attributes of the server that a kernel manager uses."""

    tokens = Tokens("t" * 20)
    url_for_kernels = "http://127.0.0.1:1"
    root_dir = "/"
    settings = Settings(_env_file=None)


class _Manager(LocalKernelManager):
    """A kernel manager whose sessions can be made older."""

    limit, cull_idle_timeout = 3, 3600

    async def open(
        self,
        *,
        away: float = 0,
        has_page: bool = True,
        connected: bool = False,
        idle: float = 0,
        client: str = "1.1.1.1",
    ) -> str:
        """Open a session whose page gave its last sign of life, and its last message, some seconds ago."""
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en", client))
        kernel_id = await self.start_kernel(env={})
        if connected:
            self.notify_connect(kernel_id)
        session = self._sessions[kernel_id]
        session.has_page, session.seen_at = has_page, session.seen_at - away
        self._kernels[kernel_id].last_activity -= timedelta(seconds=idle)
        return kernel_id


@pytest.fixture
def with_manager(run_alone: Run, tmp_path: Path) -> Callable[[Callable[[_Manager], Coroutine[Any, Any, None]]], None]:
    """Run a coroutine with a kernel manager, whose kernels are stopped afterwards."""

    async def run(use: Callable[[_Manager], Coroutine[Any, Any, None]]) -> None:
        manager = _Manager(parent=_Parent(), connection_dir=str(tmp_path))
        try:
            await use(manager)
        finally:
            await manager.shutdown_all(now=True)

    return lambda use: run_alone(run(use))


WithManager = Callable[[Callable[[_Manager], Coroutine[Any, Any, None]]], None]
HOUR = 3600


@pytest.mark.parametrize(
    ("session", "stays"),
    [
        pytest.param({"has_page": False, "away": 10}, True, id="a page that is still to come"),
        pytest.param({"has_page": False, "away": 20}, False, id="a page without scripts"),
        pytest.param({"away": 1.1 * HOUR, "idle": 2 * HOUR}, True, id="a page that is away for over an hour"),
        pytest.param({"away": 1.3 * HOUR}, False, id="a page that is away for longer"),
        pytest.param({"connected": True, "away": 2 * HOUR, "idle": 0.9 * HOUR}, True, id="an open page"),
        pytest.param({"connected": True, "idle": 1.1 * HOUR}, False, id="an open page that nobody uses"),
        pytest.param({"away": 5, "idle": 0.9 * HOUR}, True, id="a page that still loads"),
        pytest.param({"away": 5, "idle": 1.1 * HOUR}, False, id="a page without a websocket that nobody uses"),
    ],
)
def test_a_session_ends_when_its_page_or_its_visitor_is_gone(
    with_manager: WithManager, session: dict[str, Any], stays: bool
) -> None:
    async def open_and_cull(manager: _Manager) -> None:
        kernel_id = await manager.open(**session)
        await manager.cull_kernels()
        assert (kernel_id in manager) is stays

    with_manager(open_and_cull)


def test_a_page_that_comes_back_after_an_hour_is_not_taken_for_idle(with_manager: WithManager) -> None:
    async def come_back(manager: _Manager) -> None:
        kernel_id = await manager.open(away=1.1 * HOUR, idle=1.1 * HOUR)
        manager.note_sign_of_life(kernel_id)
        await manager.cull_kernels()
        assert kernel_id in manager

    with_manager(come_back)


def test_where_all_sessions_are_in_use_the_page_that_is_away_for_longest_ends_first(with_manager: WithManager) -> None:
    async def open_more(manager: _Manager) -> None:
        away = [await manager.open(away=seconds) for seconds in (100, 200)]
        unclaimed = await manager.open(has_page=False, away=20)
        for ended, left in ((unclaimed, away), (away[1], away[:1]), (away[0], [])):
            await manager.open(away=50)
            assert ended not in manager
            assert len(manager) == manager.limit
            assert set(left) <= set(manager.list_kernel_ids())
        with pytest.raises(TooManySessions) as refused:
            await manager.open()
        assert refused.value.retry_after == pytest.approx(10, abs=4), "the first of them may be replaced then"

    with_manager(open_more)


def test_an_open_page_is_never_ended_for_another_one(with_manager: WithManager) -> None:
    async def open_more(manager: _Manager) -> None:
        opened = {await manager.open(away=HOUR, connected=True), await manager.open(away=30)}
        last = await manager.open(has_page=False, away=9)
        with pytest.raises(TooManySessions) as refused:
            await manager.open()
        assert refused.value.retry_after == pytest.approx(6, abs=4)
        assert set(manager.list_kernel_ids()) == opened | {last}
        await manager.stop(last)
        await manager.open(connected=True)
        with pytest.raises(TooManySessions) as refused:
            await manager.open()
        assert refused.value.retry_after == 15, "a page may be closed at any time"

    with_manager(open_more)


def test_pages_that_are_away_take_at_most_half_of_the_slots(with_manager: WithManager) -> None:
    async def open_and_cull(manager: _Manager) -> None:
        manager.limit = 4
        longest = await manager.open(away=300)
        others = {await manager.open(away=200), await manager.open(away=100), await manager.open(connected=True)}
        assert (manager.count_away(), len(manager.open_apps())) == (3, 1)
        await manager.cull_kernels()
        assert set(manager.list_kernel_ids()) == others
        assert longest not in manager

    with_manager(open_and_cull)


def test_a_client_at_its_limit_replaces_its_own_sessions_only(with_manager: WithManager) -> None:
    async def open_more(manager: _Manager) -> None:
        manager.limit_per_client = 2
        first = await manager.open(away=200, client="2.2.2.2")
        own = await manager.open(away=100)
        other = await manager.open(connected=True)
        await manager.open(connected=True)
        assert own not in manager
        with pytest.raises(TooManySessions, match="your network"):
            await manager.open()
        assert {first, other} < set(manager.list_kernel_ids())
        await manager.open(client="3.3.3.3")
        assert first not in manager
        with pytest.raises(TooManySessions, match="All sessions"):
            await manager.open(client="3.3.3.3")

    with_manager(open_more)


def test_one_address_takes_neither_the_places_of_others_nor_those_of_operators(launch: Launch) -> None:
    server = launch(CATSDOGS_MAX_SESSIONS="3", CATSDOGS_SESSIONS_PER_ADDRESS="2", CATSDOGS_BEHIND_PROXY="true")
    client = Client(server)

    def open_from(address: str) -> urllib3.BaseHTTPResponse:
        return client("GET", "/inference", token=None, headers={"X-Forwarded-For": address})

    assert [open_from("10.0.0.1").status for _ in range(4)] == [200, 200, 503, 503]
    refused = open_from("10.0.0.1")
    assert "Too many pages are open from your network just now." in refused.data.decode()
    assert 1 <= int(refused.headers["Retry-After"]) <= 15
    assert open_from("10.0.0.2").status == 200
    assert "All sessions are in use just now." in open_from("10.0.0.3").data.decode()
    operator = client.sign_in() | {"X-Forwarded-For": "10.0.0.1"}
    answers = [client("GET", "/monitoring", token=None, headers=operator).status for _ in range(5)]
    assert answers == [200, 200, 200, 200, 503]


def test_the_sockets_of_all_sessions_fit_into_zeromqs_limit(with_manager: WithManager) -> None:
    async def check(manager: _Manager) -> None:
        sockets_of_a_websocket, sockets_of_rendering = 7, 6
        needed = MAX_WEBSOCKETS * sockets_of_a_websocket + sockets_of_rendering
        assert manager.context.max_sockets >= 3 * needed

    with_manager(check)


def test_a_new_session_waits_for_the_end_of_one_that_is_ending(with_manager: WithManager) -> None:
    async def load_again(manager: _Manager) -> None:
        manager.limit = 1
        first = await manager.open(connected=True)
        manager.begin_stop(first)
        second = await manager.open()
        assert manager.list_kernel_ids() == [second]

    with_manager(load_again)


@pytest.mark.parametrize("stops_already", [False, True])
def test_the_end_waits_for_kernels_that_are_being_started_or_stopped(run_alone: Run, stops_already: bool) -> None:
    async def start_and_stop(folder: str) -> list[psutil.Process]:
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en", "1.1.1.1"))
        manager = LocalKernelManager(parent=_Parent(), connection_dir=folder)
        starting = asyncio.create_task(manager.start_kernel(env={}))
        if stops_already:
            page = asyncio.create_task(manager.stop(await starting))
        await asyncio.sleep(0)  # the task runs up to its first wait
        await manager.shutdown_all(now=True)
        if stops_already:
            assert page.done()
        await asyncio.wait([starting])
        return [child for child in psutil.Process().children() if folder in " ".join(child.cmdline())]

    with TemporaryDirectory() as folder:  # short, as the path of a kernel's socket has at most 107 bytes
        assert run_alone(start_and_stop(folder)) == []
