"""The visitors' kernels: how many, and what they know."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from traitlets.config import Configurable

from catsdogs.server.auth import Scope, Tokens
from catsdogs.server.kernels.base import App, NewSession, new_session
from catsdogs.server.kernels.local import LocalKernelManager
from catsdogs.service import TOKEN_VARIABLE
from catsdogs.settings import Settings
from tests import kernel_processes


def test_a_kernel_holds_no_secret_but_its_own_token(launch, client_of, kernels):
    secrets = {"API_TOKEN": "s" * 30, "CATSDOGS_OPERATOR_PASSWORD": "p" * 30, "AWS_SECRET_ACCESS_KEY": "a" * 30}
    server = launch(**secrets, DB_PWD="d" * 30)
    client_of(server)("GET", "/inference", token=None)
    (kernel,) = kernels(server)
    environment = kernel_processes.environment(kernel)
    assert environment["CATSDOGS_SERVICE_URL"] == server.url
    assert len(environment["CATSDOGS_SERVICE_TOKEN"]) > 30
    assert not {"API_TOKEN", "DB_PWD", "CATSDOGS_OPERATOR_PASSWORD", "AWS_SECRET_ACCESS_KEY"} & environment.keys()
    assert not {TOKEN_VARIABLE, "QUERY_STRING"} & kernel.environ().keys()  # a process's own, which do not change
    everything = " ".join([*environment.values(), *kernel.environ().values(), *kernel.cmdline()])
    assert not any(letter * 30 in everything for letter in "spad")
    server.stop()


def test_two_sessions_have_different_tokens(visit):
    assert visit().token != visit().token


def test_a_kernel_knows_its_visitors_language(visit):
    environment = visit("/inference?lang=fr", headers={"Accept-Language": "en"}).environment
    assert environment["CATSDOGS_LANG"] == "fr"
    assert environment["QUERY_STRING"] == "lang=fr"
    assert environment["HTTP_ACCEPT_LANGUAGE"] == "en"


def test_a_kernel_loads_neither_model_nor_database_driver(visit):
    mapped = " ".join(area.path for area in visit().process.memory_maps())
    for heavy in ("onnxruntime", "psycopg2", "numpy", "pydantic", "tensorflow"):
        assert heavy not in mapped


def test_at_most_so_many_kernels_however_many_ask_at_once(small_server, client_of, kernels):
    client = client_of(small_server)
    most = 0
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client, "GET", "/inference", token=None) for _ in range(8)]
        while not all(answer.done() for answer in asked):
            most = max(most, len(kernels(small_server)))
            time.sleep(0.02)
    statuses = sorted(answer.result().status for answer in asked)
    assert statuses == [200, 200, *[503] * 6]
    assert most <= 2

    refused = next(answer.result() for answer in asked if answer.result().status == 503)
    assert "text/html" in refused.headers["Content-Type"]
    assert int(refused.headers["Retry-After"]) > 0
    assert "/inference" in refused.data.decode(), "the page offers to try again"

    kernel = kernels(small_server)[0]
    kernel_id = next(part for part in kernel.cmdline() if "kernel-" in part).rsplit("kernel-")[-1].removesuffix(".json")
    assert client("POST", f"/voila/api/shutdown/{kernel_id}", token=None).status == 204
    assert client("GET", "/inference", token=None).status == 200, "a place that was left can be taken"


class _Parent(Configurable):
    tokens = Tokens("t" * 20)
    url_for_kernels = "http://127.0.0.1:1"
    root_dir = "/"
    settings = Settings(_env_file=None)


@pytest.mark.parametrize(
    ("connected", "idle_timeout", "abandoned_timeout", "stays"),
    [(True, 3600, 0, True), (True, 0, 3600, False), (False, 3600, 0, False), (False, 0, 3600, True)],
)
def test_idle_and_abandoned_kernels_are_stopped(run_alone, tmp_path, connected, idle_timeout, abandoned_timeout, stays):
    async def live() -> bool:
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en"))
        manager = LocalKernelManager(parent=_Parent(), connection_dir=str(tmp_path))
        manager.cull_idle_timeout, manager.abandoned_timeout = idle_timeout, abandoned_timeout
        kernel_id = await manager.start_kernel(env={})
        if connected:
            manager.notify_connect(kernel_id)
        await asyncio.sleep(0.01)
        await manager.cull_kernels()
        stayed = kernel_id in manager
        await manager.shutdown_all(now=True)
        return stayed

    assert run_alone(live()) is stays
