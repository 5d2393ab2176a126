"""From start to stop: one clear sentence where it cannot start, and nothing left where it ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from urllib3.filepost import encode_multipart_formdata

from catsdogs import errors
from catsdogs.cli.serve import OPEN_FILES
from catsdogs.database import Database
from catsdogs.server.urls import loopback_url, url_for_kernels
from catsdogs.settings import Settings
from tests.serving import free_port


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        yield Path(name)


def serve(folder, *arguments, **variables):
    """Run `catsdogs serve` where it cannot succeed."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
    return subprocess.run(
        [sys.executable, "-m", "catsdogs", "serve", *arguments],
        cwd=folder,
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


def refused(done, *said):
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert all(word in sentence for word in said), sentence


def left_of(folder):
    """List processes that know of a folder: kernels, PostgreSQL."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def listens(server):
    """Tell whether the port is bound: the first thing that a start does."""
    try:
        socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_taken_port_is_said_before_anything_is_started(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(serve(folder, "--port", port), port, "taken")
    assert not (folder / ".env").exists()
    assert not list(folder.glob("data/*"))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("localhost", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("10.0.0.7", "http://10.0.0.7:1"),
        ("fe80::1", "http://[fe80::1]:1"),
    ],
)
def test_the_address_on_this_machine(host, url):
    assert loopback_url(host, 1) == url


@pytest.mark.parametrize(
    ("gateway", "named", "url", "found"),
    [
        (None, None, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://localhost:8888", None, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://10.0.0.8:8888", None, "http://10.0.0.7:1", "http://10.0.0.7:1"),
        ("http://10.0.0.8:8888", "https://a.example", "http://127.0.0.1:1", "https://a.example"),
    ],
)
def test_the_address_for_kernels(gateway, named, url, found):
    places = {"CATSDOGS_GATEWAY_TOKEN": "g" * 20, "CATSDOGS_GATEWAY_URL": gateway, "CATSDOGS_URL_FOR_KERNELS": named}
    assert url_for_kernels(Settings(_env_file=None, **places), url) == found


def test_kernels_on_another_machine_are_not_sent_to_their_own(folder):
    places = {"CATSDOGS_GATEWAY_TOKEN": "g" * 20, "CATSDOGS_GATEWAY_URL": "http://192.0.2.1:8888"}
    secrets = {"API_TOKEN": "t" * 24, "CATSDOGS_OPERATOR_PASSWORD": "open sesame"}
    refused(
        serve(folder, "--port", str(free_port()), **places, **secrets),
        "CATSDOGS_URL_FOR_KERNELS",
        "http://192.0.2.1:8888",
    )


def test_an_address_that_is_not_ours(folder):
    refused(serve(folder, "--host", "192.0.2.1"), "192.0.2.1")
    refused(serve(folder, "--host", "no.such.host.invalid"), "no.such.host.invalid")


def test_a_data_folder_that_cannot_be_written(folder):
    (folder / "file").touch()
    refused(serve(folder, CATSDOGS_DATA_DIR=str(folder / "file" / "data")), "data", "CATSDOGS_DATA_DIR")
    assert not (folder / ".env").exists()


def test_a_broken_env_file(folder):
    (folder / ".env").write_text("API_TOKEN=abcdefghijklmnopqrstuvwxyz\nthis is no setting\n")
    refused(serve(folder), ".env", "2")
    assert sorted(path.name for path in folder.iterdir()) == [".env"]


def test_a_wrong_setting_is_named_without_its_value(folder):
    done = serve(folder, API_TOKEN="short")
    refused(done, "API_TOKEN")
    assert "short" not in done.stderr


def test_a_first_start_writes_secrets_and_says_so(launch, folder):
    server = launch(folder, API_TOKEN="", CATSDOGS_OPERATOR_PASSWORD="")
    secrets = dict(line.split("=") for line in (folder / ".env").read_text().split())
    assert len(secrets["API_TOKEN"]) >= 32
    assert len(secrets["CATSDOGS_OPERATOR_PASSWORD"]) >= 32
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    log = server.log.read_text()
    assert "API_TOKEN" in log
    assert f"catsdogs is ready: {server.url}" in log
    assert not any(secret in log for secret in secrets.values())
    assert server.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_it_starts_again(launch, client_of, kernels, folder, how):
    server = launch(folder)
    client = client_of(server)
    assert client("GET", "/inference", token=None).status == 200
    (kernel,) = kernels(server)
    family = psutil.Process(server.process.pid).children(recursive=True)
    begun = time.monotonic()
    assert server.stop(how) == 0
    assert time.monotonic() - begun < 10
    assert not kernel.is_running()
    assert not psutil.wait_procs(family, timeout=3)[1], "a child outlives the server"
    assert not left_of(folder)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "rror" not in log

    again = launch(folder)
    assert client_of(again)("GET", "/health", token=None).json()["database"] == "connected"
    assert again.stop(how) == 0


def test_a_signal_before_it_has_begun_leaves_nothing(launch, folder):
    server = launch(folder, wait=False)
    time.sleep(0.2)
    # Python's own ways to end, before or just as ours is set up
    assert server.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
    assert not left_of(folder)


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.6, 1.2])
def test_a_signal_while_it_starts_stops_it(launch, folder, delay):
    server = launch(folder, wait=False)
    while not listens(server):
        time.sleep(0.01)
    time.sleep(delay)
    assert server.stop(signal.SIGTERM) == 0
    assert not left_of(folder)
    assert "Traceback" not in server.log.read_text()


def test_a_page_that_loads_when_the_server_stops_leaves_nothing(launch, client_of, folder):
    server = launch(folder)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client_of(server), "GET", "/inference", token=None)
        time.sleep(0.7)
        assert server.stop() == 0
    assert not left_of(folder)
    assert "Traceback" not in server.log.read_text()


def test_requests_that_have_begun_are_finished(launch, client_of, cat_jpeg, folder):
    server = launch(folder)
    client = client_of(server)
    photo = {"file": ("x.jpg", cat_jpeg, "image/jpeg")}
    client("POST", "/api/predict", fields=photo)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client, "POST", "/api/predict", fields=photo) for _ in range(8)]
        time.sleep(0.03)
        assert server.stop() == 0
    answers = [answer.result().status for answer in asked if not answer.exception()]
    assert 200 in answers
    assert set(answers) == {200}
    again = launch(folder)
    assert again.query("SELECT count(*) AS n FROM predictions_feedback")[0]["n"] >= 1 + len(answers)
    again.stop()


def test_the_console_is_quiet(server):
    noise = ("voila", "Voilà", "jupyter", "Kernel", "IPKernelApp", "tornado")
    # what a part of a page could not do is no noise: it names one of our errors
    ours = re.compile(rf" catsdogs\.access: |^\[IPKernelApp\] WARNING \| ({'|'.join(vars(errors))}): ")
    others = [line for line in server.log.read_text().splitlines() if not ours.search(line)]
    assert not [line for line in others if any(word in line for word in noise)]


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system does not say")
def test_it_may_open_more_files_than_many_systems_begin_with(server):
    soft, hard = psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == min(hard, OPEN_FILES)


def test_a_start_waits_for_nothing_that_is_not_needed():
    heavy = {"rfc3987_syntax.syntax_helpers", "tensorflow", "keras", "matplotlib", "papermill", "sklearn", "lark"}
    code = f"import sys, catsdogs.server.app, catsdogs.service.local; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_while_it_drains_it_is_alive_and_not_ready_and_finishes(launch, client_of, cat_jpeg, folder):
    server = launch(folder)
    database = Database(server.settings)
    database.start()
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    host, port = server.url.removeprefix("http://").split(":")
    with ThreadPoolExecutor(1) as pool, contextlib.closing(HTTPConnection(host, int(port), timeout=30)) as probe:
        assert answered(probe, "/health/ready") == 200
        with database.engine.begin() as connection:
            connection.execute(sa.text("LOCK TABLE predictions_feedback"))
            photo = {"file": ("x.jpg", cat_jpeg, "image/jpeg")}
            asked = pool.submit(client_of(server), "POST", "/api/predict", fields=photo)
            until(lambda: connection.scalar(waiting))
            server.process.send_signal(signal.SIGTERM)
            until(lambda: answered(probe, "/health/ready") == 503)
            assert answered(probe, "/health/live") == 200
        assert asked.result().status == 200
    assert server.process.wait(timeout=30) == 0
    database.close()


def test_an_upload_that_still_arrives_is_answered(launch, cat_jpeg, folder):
    server = launch(folder)
    body, kind = encode_multipart_formdata({"file": ("x.jpg", cat_jpeg, "image/jpeg")})
    host, port = server.url.removeprefix("http://").split(":")
    with contextlib.closing(HTTPConnection(host, int(port), timeout=30)) as upload:
        with contextlib.closing(HTTPConnection(host, int(port), timeout=30)) as probe:
            assert answered(probe, "/health/ready") == 200
            upload.putrequest("POST", "/api/predict")
            for name, value in {"Content-Type": kind, "Content-Length": len(body)}.items():
                upload.putheader(name, str(value))
            upload.putheader("Authorization", f"Bearer {server.api_token}")
            upload.endheaders(body[:10_000])
            assert answered(probe, "/health/ready") == 200  # and what was sent before that question has arrived
            server.process.send_signal(signal.SIGTERM)
            until(lambda: answered(probe, "/health/ready") == 503)
        time.sleep(0.2)
        for start in range(10_000, len(body), 10_000):
            upload.send(body[start : start + 10_000])
        assert upload.getresponse().status == 200
    assert server.process.wait(timeout=30) == 0


def answered(connection, path):
    """Ask over a connection that is open already: a server that drains accepts no other."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
