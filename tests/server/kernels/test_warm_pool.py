"""The warm pool: its kernels open the app sooner, hold nothing of a visitor, and take no session's slot."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from catsdogs.server.kernels.local import KERNEL_BYTES
from catsdogs.service import TOKEN_VARIABLE
from tests import kernel_processes
from tests.server.client import Client, OpenPage
from tests.serving import Launch, RunningServer
from tests.waiting import until

OpenPages = Callable[..., OpenPage]

LOADED = {"catsdogs.widgets.predict_app", "catsdogs.service.remote"}
VISITORS = [("fr", "lang=fr&who=jeanne"), ("en", "who=jane"), ("fr", "lang=fr"), ("en", "lang=en&who=joe")]


@pytest.fixture(scope="module")
def two_slots(launch: Launch) -> RunningServer:
    """A server with two session slots, one of them for a warm kernel."""
    return launch(CATSDOGS_SPARE_KERNELS="1", CATSDOGS_MAX_SESSIONS="2")


def warm_kernel(server: RunningServer) -> psutil.Process:
    """Wait until exactly one kernel without a session runs, and return its process."""

    def find() -> psutil.Process | None:
        found = []
        for kernel in kernel_processes.kernels(server):
            with contextlib.suppress(psutil.Error, OSError, TimeoutError):  # of an earlier session, which is ending
                found += [kernel] if TOKEN_VARIABLE not in kernel_processes.environment(kernel) else []
        return found[0] if len(found) == 1 else None

    return until(find, timeout=90)


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process and all its threads have ended, so that its parent can see it, too."""
    try:
        return not process.is_running() or (process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def test_a_warm_kernel_has_imported_the_app_and_holds_nothing_of_a_visitor(server: RunningServer) -> None:
    kernel = warm_kernel(server)
    assert until(lambda: kernel_processes.loaded(kernel) >= LOADED)
    environment = kernel_processes.environment(kernel)
    assert not {TOKEN_VARIABLE, "QUERY_STRING", "HTTP_ACCEPT_LANGUAGE", "VOILA_REQUEST_URL"} & environment.keys()
    if hasattr(kernel, "rlimit"):
        assert kernel.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)


def test_a_session_takes_the_warm_kernel_and_another_one_is_started(
    server: RunningServer, open_page: OpenPages
) -> None:
    kernel = warm_kernel(server)
    page = open_page("/inference?who=jane")
    assert page.process == kernel
    assert page.environment["QUERY_STRING"] == "who=jane"
    assert warm_kernel(server) != kernel


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


def test_a_warm_kernel_is_no_session_and_no_client_has_access(server: RunningServer, client: Client) -> None:
    before = client.count_sessions()
    kernel = warm_kernel(server)
    assert client.count_sessions() == before
    kernel_id = kernel_processes.kernel_id(kernel)
    for path in (f"/session/{kernel_id}", f"/api/kernels/{kernel_id}", f"/api/kernels/{kernel_id}/channels"):
        assert client("GET", path, token=None).status == 404
    assert client("POST", f"/voila/api/shutdown/{kernel_id}", token=None).status == 404
    assert kernel.is_running()


def test_a_warm_kernel_that_dies_is_replaced(server: RunningServer, open_page: OpenPages) -> None:
    kernel = warm_kernel(server)
    kernel.kill()
    until(lambda: has_ended(kernel))
    assert TOKEN_VARIABLE in open_page().environment  # at once: no session gets the dead kernel
    assert warm_kernel(server).pid != kernel.pid


def test_a_warm_kernel_takes_no_sessions_slot(two_slots: RunningServer) -> None:
    client = Client(two_slots)
    kernel = warm_kernel(two_slots)
    pages = [client.open_page() for _ in range(2)]
    assert client("GET", "/inference", token=None).status == 503
    assert len(kernel_processes.kernels(two_slots)) == 2
    for page in pages:
        assert client.close_page(page) == 204
    assert warm_kernel(two_slots) != kernel


def test_a_warm_kernel_is_evicted_for_a_session_of_another_app(two_slots: RunningServer) -> None:
    client = Client(two_slots)
    operator = client.sign_in()
    first_kernel = warm_kernel(two_slots)
    first = client.open_page()
    second_kernel = warm_kernel(two_slots)
    assert second_kernel != first_kernel
    second = client.open_page("/monitoring", headers=operator)
    assert has_ended(second_kernel)
    assert len(kernel_processes.kernels(two_slots)) == 2
    for page in (first, second):
        assert client.close_page(page, operator) == 204


def test_warm_kernels_end_with_the_server(launch: Launch) -> None:
    server = launch(CATSDOGS_SPARE_KERNELS="2")
    kernels = until(lambda: kernel_processes.kernels(server))
    assert server.stop() == 0
    assert not psutil.wait_procs(kernels, timeout=3)[1]
    assert "Traceback" not in server.log.read_text()
