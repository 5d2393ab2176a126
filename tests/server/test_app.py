"""The server from its start to its end: nothing is lost, and no process is left."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.filepost import encode_multipart_formdata

from catsdogs import errors
from catsdogs.database import Database
from tests import kernel_processes
from tests.server.client import Client
from tests.serving import Launch, RunningServer, wait_until_ready
from tests.storage import Storage
from tests.waiting import until

NOTEBOOK = """
import sys
from catsdogs.service.local import Local
with Local.open() as service:
    assert service.health()["status"] == "healthy", service.health()
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a server; PostgreSQL's user has no access to pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        yield Path(name)


def processes_of(folder: Path) -> list[psutil.Process]:
    """List the processes that have a folder on their command line: kernels, PostgreSQL."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in " ".join(process.cmdline()):
                found.append(process)
    return found


def has_bound_its_port(server: RunningServer) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port_of(server))).close()
    except ConnectionRefusedError:
        return False
    return True


def port_of(server: RunningServer) -> int:
    return int(server.url.rpartition(":")[2])


def connection_to(server: RunningServer) -> contextlib.closing[HTTPConnection]:
    """Open a connection: a server that drains accepts no other."""
    return contextlib.closing(HTTPConnection("127.0.0.1", port_of(server), timeout=30))


def status_of(connection: HTTPConnection, path: str) -> int:
    """Send a request over a connection, and return the status of the answer."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@contextlib.contextmanager
def locked_predictions(server: RunningServer) -> Iterator[None]:
    """Lock the table of predictions, so that nothing can be stored."""
    database = Database(server.settings)
    database.start()
    try:
        with database.engine.begin() as connection:
            connection.execute(sa.text("LOCK TABLE predictions_feedback"))
            yield
    finally:
        database.close()


def test_a_signal_stops_everything_and_the_server_starts_again(launch: Launch, folder: Path) -> None:
    for how in (signal.SIGINT, signal.SIGTERM):
        server = launch(folder)
        assert Client(server)("GET", "/health", token=None).json()["database"] == "connected"
        page = Client(server).open_page()
        children = psutil.Process(server.process.pid).children(recursive=True)
        assert page.process in children
        server.process.send_signal(how)
        assert server.process.wait(timeout=10) == 0
        assert not psutil.wait_procs(children, timeout=3)[1], "a child outlives the server"
        assert not processes_of(folder)
        log = server.log.read_text()
        assert server.traceback == ""
        assert "rror" not in log


def test_a_signal_before_the_start_leaves_nothing(launch: Launch, folder: Path) -> None:
    server = launch(folder, wait=False)
    # Python's own end by the signal, or ours, where it was set up already
    assert server.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
    assert not processes_of(folder)


def has_started_postgresql(server: RunningServer) -> bool:
    return (server.settings.data_dir / "postgresql" / "postmaster.pid").exists()


@pytest.mark.parametrize("stage", [has_bound_its_port, has_started_postgresql])
def test_a_signal_during_the_start_leaves_nothing(
    launch: Launch, folder: Path, stage: Callable[[RunningServer], bool]
) -> None:
    server = launch(folder, wait=False)
    until(lambda: stage(server))
    assert server.stop(signal.SIGTERM) == 0
    assert not processes_of(folder)
    assert server.traceback == ""


def test_a_page_that_loads_when_the_server_stops_leaves_nothing(launch: Launch, folder: Path) -> None:
    server = launch(folder)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(Client(server), "GET", "/inference", token=None)
        until(lambda: kernel_processes.kernels(server))
        assert server.stop() == 0
    assert not processes_of(folder)
    assert server.traceback == ""


def test_requests_that_have_begun_are_finished_and_others_are_refused(
    launch: Launch, cat_jpeg: bytes, folder: Path
) -> None:
    server, requests = launch(folder), 8
    client = Client(server)
    photo = {"file": ("x.jpg", cat_jpeg, "image/jpeg")}
    with ThreadPoolExecutor(requests) as pool, connection_to(server) as probe:
        assert status_of(probe, "/health/ready") == 200
        with locked_predictions(server):
            begun = [pool.submit(client, "POST", "/api/predict", fields=photo) for _ in range(requests)]
            until(lambda: client.metric("catsdogs_waiting", pool="predictions") == requests)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: status_of(probe, "/health/ready") == 503)
            assert status_of(probe, "/health/live") == 200
            with pytest.raises(HTTPError):
                Client(server)("POST", "/api/predict", fields=photo)
        assert [answer.result().status for answer in begun] == [200] * requests
    assert server.process.wait(timeout=30) == 0
    storage = Storage.open(server.settings)
    until(lambda: len(storage.rows()) == requests)  # what waited in the spool, too
    storage.close()


def test_an_upload_that_still_arrives_is_answered(launch: Launch, cat_jpeg: bytes, folder: Path) -> None:
    server = launch(folder)
    body, kind = encode_multipart_formdata({"file": ("x.jpg", cat_jpeg, "image/jpeg")})
    with connection_to(server) as upload:
        with connection_to(server) as probe:
            assert status_of(probe, "/health/ready") == 200
            upload.putrequest("POST", "/api/predict")
            for name, value in {"Content-Type": kind, "Content-Length": len(body)}.items():
                upload.putheader(name, str(value))
            upload.putheader("Authorization", f"Bearer {server.api_token}")
            upload.endheaders(body[:10_000])
            assert status_of(probe, "/health/ready") == 200  # what was sent before this request has arrived
            server.process.send_signal(signal.SIGTERM)
            until(lambda: status_of(probe, "/health/ready") == 503)
        for start in range(10_000, len(body), 10_000):
            upload.send(body[start : start + 10_000])
        assert upload.getresponse().status == 200
    assert server.process.wait(timeout=30) == 0


def test_the_server_two_notebooks_and_a_command_share_one_data_folder(launch: Launch, folder: Path) -> None:
    """The first of them starts the database, and the last one stops it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
    options: dict[str, Any] = {"cwd": folder, "env": inherited | {"CATSDOGS_DATA_DIR": str(folder / "data")}}
    options |= {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    notebooks = [subprocess.Popen([sys.executable, "-c", NOTEBOOK], **options) for _ in range(2)]
    command = subprocess.Popen([sys.executable, "-m", "catsdogs", "privacy", "purge"], **options)
    server = launch(folder, wait=False)
    wait_until_ready(server)

    output, failure = command.communicate()
    assert (command.returncode, output) == (0, "purged: predictions 0, photos 0, waiting 0\n"), failure
    assert [notebook.stdout.readline() for notebook in notebooks if notebook.stdout] == ["ready\n", "ready\n"]
    assert server.stop() == 0
    failures = [notebook.communicate("")[1] for notebook in notebooks]
    assert [notebook.returncode for notebook in notebooks] == [0, 0], failures
    folders = [process.info["cwd"] or "" for process in psutil.process_iter(["cwd"])]
    assert not [name for name in folders if name.startswith(str(folder))]


def test_the_console_has_no_messages_of_other_packages(server: RunningServer) -> None:
    others = ("voila", "Voilà", "jupyter", "Kernel", "IPKernelApp", "tornado")
    expected = (
        r" catsdogs\.[\w.]+: ",
        # a widget that could not do its work logs one of our errors
        rf"^\[IPKernelApp\] WARNING \| ({'|'.join(vars(errors))}): ",
        # a page was closed while its kernel worked
        r"^\[IPKernelApp\] ERROR \| KeyboardInterrupt caught in kernel\.$",
    )
    lines = [line for line in server.log.read_text().splitlines() if not re.search("|".join(expected), line)]
    assert not [line for line in lines if any(word in line for word in others)]


def test_a_start_imports_nothing_that_is_not_needed() -> None:
    heavy = {"rfc3987_syntax.syntax_helpers", "tensorflow", "keras", "matplotlib", "papermill", "sklearn", "lark"}
    code = f"import sys, catsdogs.server.app, catsdogs.service.local; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_many_health_checks_at_the_same_time_are_answered(server: RunningServer) -> None:
    """A probe must not fail because of others."""
    with urllib3.PoolManager(maxsize=20) as http, ThreadPoolExecutor(20) as pool:
        asked = pool.map(lambda _: http.request("GET", f"{server.url}/health/ready", retries=False).status, range(300))
        assert set(asked) == {200}
