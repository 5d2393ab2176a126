"""Kernels that wait for visitors: they open the app sooner, belong to nobody before, and take nobody's place."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import urllib3

from catsdogs.server.kernels.local import KERNEL_BYTES
from catsdogs.service import TOKEN_VARIABLE
from tests import kernel_processes

LOADED = {"catsdogs.widgets.predict_app", "catsdogs.service.remote"}
VISITORS = [("fr", "lang=fr&who=jeanne"), ("en", "who=jane"), ("fr", "lang=fr"), ("en", "lang=en&who=joe")]


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something true, and give it."""
    deadline = time.monotonic() + 90
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def two_places(launch):
    """A server with two places, one of them for a kernel that waits."""
    return launch(CATSDOGS_SPARE_KERNELS="1", CATSDOGS_MAX_SESSIONS="2")


@pytest.fixture
def spare_of(kernels):
    """Wait until exactly one kernel without a visitor runs, and give its process."""

    def nobodys(server: Any) -> list[psutil.Process]:
        found = []
        for kernel in kernels(server):
            with contextlib.suppress(psutil.Error, OSError, TimeoutError):  # an earlier visitor's, which ends just now
                found += [kernel] if TOKEN_VARIABLE not in kernel_processes.environment(kernel) else []
        return found

    def spare_of(server: Any) -> psutil.Process:
        [spare] = until(lambda: nobodys(server))
        return spare

    return spare_of


def open_page(server: Any, path: str = "/inference", **headers: str) -> tuple[int, str]:
    """Load a page; its status, and the id of its kernel."""
    answer = urllib3.request("GET", server.url + path, headers=headers, retries=False, timeout=60)
    found = re.search(rb'"kernelId": "([\w-]+)"', answer.data)
    return answer.status, found[1].decode() if found else ""


def close_page(server: Any, kernel_id: str) -> None:
    assert urllib3.request("POST", f"{server.url}/voila/api/shutdown/{kernel_id}", retries=False).status == 204


def test_a_spare_has_loaded_what_is_needed_and_knows_nobody(server, spare_of):
    spare = spare_of(server)
    assert kernel_processes.loaded(spare) >= LOADED
    told = kernel_processes.environment(spare)
    assert not {TOKEN_VARIABLE, "QUERY_STRING", "HTTP_ACCEPT_LANGUAGE", "VOILA_REQUEST_URL"} & told.keys()
    if hasattr(spare, "rlimit"):
        assert spare.rlimit(psutil.RLIMIT_DATA) == (KERNEL_BYTES, KERNEL_BYTES)


def test_a_visitor_gets_the_spare_and_the_next_is_started(server, spare_of, visit):
    spare = spare_of(server)
    seen = visit("/inference?who=jane")
    assert seen.process == spare
    assert seen.environment["QUERY_STRING"] == "who=jane"
    assert spare_of(server) != spare


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "at the same time"])
def test_every_visitor_is_spoken_to_in_their_language_and_known_by_their_address(server, visit, together):
    def environment(visitor: tuple[str, str]) -> dict[str, str]:
        language, query = visitor
        return visit(f"/inference?{query}", headers={"Accept-Language": language}).environment

    with ThreadPoolExecutor(len(VISITORS) if together else 1) as pool:
        told = list(pool.map(environment, VISITORS))
    known = [(each["CATSDOGS_LANG"], each["QUERY_STRING"], each["HTTP_ACCEPT_LANGUAGE"]) for each in told]
    assert known == [(language, query, language) for language, query in VISITORS]
    assert all(each["VOILA_REQUEST_URL"].endswith(query) for each, (_, query) in zip(told, VISITORS, strict=True))
    assert len({each[TOKEN_VARIABLE] for each in told}) == len(VISITORS)


def test_a_spare_is_no_session_and_its_kernel_is_closed_to_all(server, client, sessions, spare_of):
    before = sessions()
    spare = spare_of(server)
    assert sessions() == before
    kernel_id = next(part for part in spare.cmdline() if part.endswith(".json")).split("kernel-")[-1][:-5]
    for door in ("/session/{}", "/api/kernels/{}", "/api/kernels/{}/channels"):
        assert client("GET", door.format(kernel_id), token=None).status == 404
    assert client("POST", f"/voila/api/shutdown/{kernel_id}", token=None).status == 404
    assert spare.is_running()


def test_a_spare_that_dies_is_replaced(server, spare_of, visit):
    spare = spare_of(server)
    spare.kill()
    until(lambda: not spare.is_running() or spare.status() == psutil.STATUS_ZOMBIE)
    assert TOKEN_VARIABLE in visit().environment  # at once: no visitor meets the dead one
    assert spare_of(server).pid != spare.pid


def test_a_spare_takes_nobodys_place(two_places, kernels, spare_of):
    spare = spare_of(two_places)
    first, second, third = (open_page(two_places) for _ in range(3))
    assert [status for status, _ in (first, second, third)] == [200, 200, 503]
    assert len(kernels(two_places)) == 2
    close_page(two_places, first[1])
    close_page(two_places, second[1])
    assert spare_of(two_places) != spare


def test_a_spare_gives_way_to_another_apps_visitor(two_places, kernels, spare_of, client_of):
    client = client_of(two_places)
    form = client("GET", "/login", token=None)
    xsrf = re.search(r"_xsrf=([^;]+)", form.headers["Set-Cookie"])
    assert xsrf
    fields = {"password": two_places.operator_password, "_xsrf": xsrf[1]}
    answer = client("POST", "/login", token=None, headers={"Cookie": f"_xsrf={xsrf[1]}"}, fields=fields)
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    spare = spare_of(two_places)
    status, first = open_page(two_places)
    assert status == 200
    next_spare = spare_of(two_places)
    assert next_spare != spare
    status, second = open_page(two_places, "/monitoring", Cookie=cookie)
    assert status == 200
    assert not next_spare.is_running() or next_spare.status() == psutil.STATUS_ZOMBIE
    assert len(kernels(two_places)) == 2
    for kernel_id in (first, second):
        urllib3.request("POST", f"{two_places.url}/voila/api/shutdown/{kernel_id}", headers={"Cookie": cookie})


def test_spares_end_with_the_server(launch, kernels):
    server = launch(CATSDOGS_SPARE_KERNELS="2")
    family = until(lambda: kernels(server))
    assert server.stop() == 0
    assert not psutil.wait_procs(family, timeout=3)[1]
    assert "Traceback" not in server.log.read_text()
