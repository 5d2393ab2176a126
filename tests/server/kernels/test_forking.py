"""Kernels that are forked: what each has of its own, and what happens when one of the processes ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from catsdogs.server.kernels import forking
from catsdogs.server.kernels.zygote import KERNEL_BYTES, MAX_MESSAGE_BYTES, READY
from catsdogs.service import TOKEN_VARIABLE
from tests import kernel_processes
from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer
from tests.waiting import until

pytestmark = pytest.mark.skipif(not forking.IS_SUPPORTED, reason="kernels are spawned on this system")

OpenPages = Callable[..., OpenPage]

VISITORS = [("fr", "lang=fr&who=jeanne"), ("en", "who=jane"), ("fr", "lang=fr"), ("en", "lang=en&who=joe")]

RANDOM = """(
    __import__("random").random(),
    __import__("numpy").random.random(),
    __import__("uuid").uuid4().hex,
    __import__("uuid").uuid1().hex,
    __import__("secrets").token_hex(),
    next(__import__("tempfile")._get_candidate_names()),
    __import__("ssl").RAND_bytes(8),
    get_ipython().kernel.session.session,
    get_ipython().kernel.session.key,
)"""
"""What of a kernel comes from random numbers."""


@pytest.fixture(scope="module")
def one_server(launch: Launch) -> RunningServer:
    """A server whose zygote is stopped and killed by tests."""
    return launch()


def is_forked(kernel: psutil.Process) -> bool:
    """Return whether a kernel's process was not started by a program of its own."""
    return kernel_processes.ZYGOTE in kernel.cmdline()


def test_a_kernel_is_forked_with_what_it_needs_and_without_what_it_does_not(
    server: RunningServer, open_page: OpenPages
) -> None:
    page = open_page()
    assert page.process.parent() == kernel_processes.zygote(server)
    assert page.kernel_id not in " ".join(page.process.cmdline()), "whoever knows the id has access to the session"
    loaded = kernel_processes.loaded(page.process)
    assert {"catsdogs.widgets.predict_app", "catsdogs.service.remote"} <= loaded
    assert not [name for name in loaded if name.startswith(("debugpy.", "sqlite3.", "plotly", "numpy"))]
    threads = kernel_processes.ask(page.process, "[t.name for t in __import__('threading').enumerate()]")
    assert len(threads) <= 7, threads


def test_a_page_can_ask_a_kernel_for_the_state_of_all_widgets_at_once(open_page: OpenPages) -> None:
    targets = kernel_processes.ask(open_page().process, "list(get_ipython().kernel.comm_manager.targets)")
    assert set(targets) >= {"jupyter.widget", "jupyter.widget.control"}


def test_the_zygote_has_one_thread_and_no_secret(server: RunningServer) -> None:
    zygote = kernel_processes.zygote(server)
    assert zygote.num_threads() == 1
    everything = " ".join([*zygote.environ().values(), *zygote.cmdline()])
    assert server.api_token not in everything
    assert server.operator_password not in everything


def test_each_kernel_has_random_numbers_and_keys_of_its_own(open_page: OpenPages) -> None:
    first, second = (kernel_processes.ask(open_page().process, RANDOM) for _ in range(2))
    assert len(first) == 9
    assert [one for one, other in zip(first, second, strict=True) if one == other] == []


def test_each_kernel_has_an_environment_and_limits_of_its_own(open_page: OpenPages) -> None:
    first, second = open_page(), open_page()
    change = "__import__('os').environ.update(SHARED='1') or __import__('os').environ['SHARED']"
    assert kernel_processes.ask(first.process, change) == "1"
    assert "SHARED" not in second.environment
    assert "SHARED" not in open_page().environment
    if hasattr(psutil.Process, "rlimit"):
        first.process.rlimit(psutil.RLIMIT_NOFILE, (100, 100))
        for page in (second, open_page()):
            assert page.process.rlimit(psutil.RLIMIT_NOFILE) != (100, 100)
            assert page.process.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)


@pytest.mark.parametrize("simultaneous", [False, True], ids=["one after the other", "at the same time"])
def test_each_session_has_the_language_and_the_address_of_its_visitor(open_page: OpenPages, simultaneous: bool) -> None:
    def environment(visitor: tuple[str, str]) -> dict[str, str]:
        language, query = visitor
        return open_page(f"/inference?{query}", headers={"Accept-Language": language}).environment

    with ThreadPoolExecutor(len(VISITORS) if simultaneous else 1) as pool:
        found = list(pool.map(environment, VISITORS))
    values = [(each["CATSDOGS_LANG"], each["QUERY_STRING"], each["HTTP_ACCEPT_LANGUAGE"]) for each in found]
    assert values == [(language, query, language) for language, query in VISITORS]
    assert all(each["VOILA_REQUEST_URL"].endswith(query) for each, (_, query) in zip(found, VISITORS, strict=True))
    assert len({each[TOKEN_VARIABLE] for each in found}) == len(VISITORS)


def test_a_kernel_that_ends_leaves_no_zombie(server: RunningServer, client: Client, open_page: OpenPages) -> None:
    killed, closed = open_page(), open_page()
    killed.process.kill()
    assert client.close_page(closed) == 204
    until(lambda: client.heartbeat(killed.kernel_id) == 404)
    children = kernel_processes.zygote(server).children()
    until(lambda: not killed.process.is_running() and not closed.process.is_running())
    assert psutil.STATUS_ZOMBIE not in [child.status() for child in children if child.is_running()]


def test_when_the_zygote_is_killed_sessions_stay_and_new_ones_open(one_server: RunningServer) -> None:
    client = Client(one_server)
    page = client.open_page()
    zygote = kernel_processes.zygote(one_server)
    zygote.kill()
    until(lambda: not zygote.is_running())
    other = client.open_page()
    assert not is_forked(other.process), "until the next one is ready, kernels are spawned"
    assert TOKEN_VARIABLE in other.environment
    assert client.heartbeat(page.kernel_id) == 204
    assert TOKEN_VARIABLE in page.environment
    until(lambda: kernel_processes.zygote(one_server) != zygote, retry_on=StopIteration)
    assert is_forked(client.open_page().process)
    assert client.close_page(page) == 204
    until(lambda: not page.process.is_running())


def test_a_kernel_that_has_just_ended_can_be_stopped(server: RunningServer, client: Client) -> None:
    for _ in range(3):
        page = client.open_page()
        pipe_end = os.open(os.devnull, os.O_RDONLY)
        process = forking.ForkedProcess(page.process.pid, os.pidfd_open(page.process.pid), pipe_end)
        page.process.kill()
        psutil.wait_procs([page.process], timeout=5)
        process.send_signal(signal.SIGINT)  # before anybody has seen that it ended
        process.kill()
        assert process.poll() == 0
        assert client.close_page(page) in {204, 404}


def test_a_zygote_that_does_not_answer_is_replaced(one_server: RunningServer) -> None:
    client = Client(one_server)
    until(lambda: is_forked(client.open_page().process))
    zygote = kernel_processes.zygote(one_server)
    zygote.suspend()
    assert TOKEN_VARIABLE in client.open_page().environment
    until(lambda: not zygote.is_running())


def test_a_kernel_whose_fork_took_too_long_ends() -> None:
    """The server has spawned another one meanwhile."""
    control, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-P", "-m", kernel_processes.ZYGOTE, str(its.fileno())]
    with (
        TemporaryDirectory() as folder,  # short, as the path of a kernel's socket has at most 107 bytes
        subprocess.Popen(command, pass_fds=[its.fileno()]) as process,
        control,  # closed first: the process ends then
    ):
        its.close()
        assert control.recv(MAX_MESSAGE_BYTES) == READY
        control.send(kernel_processes.new_connection_file(Path(folder)).encode())
        [kernel] = until(psutil.Process(process.pid).children)
        control.close()
        process.kill()
        until(lambda: not kernel.is_running())


def test_nothing_outlives_a_server_that_is_killed(launch: Launch) -> None:
    server = launch()
    page = Client(server).open_page()
    busy = Client(server).open_page()
    started = [kernel_processes.zygote(server), page.process, busy.process]
    busy.process.suspend()
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    busy.process.resume()
    until(lambda: not [process for process in started if process.is_running()])


def test_where_kernels_are_spawned_their_output_is_read_until_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "IS_SUPPORTED", False)

    async def wait_for_the_end() -> None:
        async with asyncio.timeout(0.2):
            await forking.Zygote().keep_running(account=None)

    with ThreadPoolExecutor(1) as pool, pytest.raises(TimeoutError):  # Playwright's event loop runs in this thread
        pool.submit(asyncio.run, wait_for_the_end()).result()
