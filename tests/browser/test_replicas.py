"""Two replicas behind nginx, on one external PostgreSQL, as the file that we ship sets them up."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from playwright.sync_api import Page, expect

import catsdogs.server
from catsdogs.database import Database
from catsdogs.settings import Settings
from tests.browser.app import live

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NGINX is None, reason="no nginx found: install it (Debian: apt install nginx-light)"),
]

SHIPPED = Path(catsdogs.server.__file__).parent / "deploy" / "nginx.conf"
READY = 60_000
AROUND = """
daemon off;
worker_processes 1;
pid nginx.pid;
{user}
events {{}}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {site}
}}
"""


@pytest.fixture
def replicas(launch: Any, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Two servers with one database, each as nginx names it."""
    of_the_database = {name: value for name, value in environment.items() if name.startswith("DB_")}
    servers = {name: launch(**of_the_database, CATSDOGS_BEHIND_PROXY="true") for name in "ab"}
    yield servers
    for server in servers.values():  # before their database goes, which they would make again
        if server.process.poll() is None:
            server.stop()


@contextmanager
def behind_nginx(replicas: dict[str, Any]) -> Iterator[str]:
    """Run nginx with our file, for these replicas; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = SHIPPED.read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    for name, shipped in (("a", "8001"), ("b", "8002")):
        site = site.replace(f":{shipped}", f":{replicas[name].url.rpartition(':')[2]}")
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        user = "user root;" if os.geteuid() == 0 else ""
        Path(folder, "nginx.conf").write_text(AROUND.format(user=user, site=site))
        command = [str(NGINX), "-p", folder, "-c", "nginx.conf", "-e", "error.log"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None, Path(folder, "error.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=20)


class Program(threading.Thread):
    """Posts photos until it is told to stop; remembers what it was answered."""

    def __init__(self, url: str, token: str, photo: bytes) -> None:
        super().__init__()
        self.stopping = threading.Event()
        self.sent = 0
        self.accepted: list[str] = []
        self._ask = (url, token, photo)

    def run(self) -> None:
        url, token, photo = self._ask
        with urllib3.PoolManager(retries=False, timeout=60) as http:
            while not self.stopping.is_set():
                self.sent += 1
                fields = {"file": ("x.jpg", photo, "image/jpeg")}
                headers = {"Authorization": f"Bearer {token}"}
                answer = http.request("POST", f"{url}/api/predict", fields=fields, headers=headers)
                if answer.status == 200:
                    self.accepted.append(answer.json()["feedback_id"])


def visit(page: Page) -> None:
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    live(page)


def bring(page: Page, photo: bytes) -> None:
    page.set_input_files("input[type=file]", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo})
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile("a cat"), timeout=READY)


def replica_of(page: Page) -> str:
    [name] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "catsdogs_replica"]
    return name


@pytest.fixture
def address(replicas: dict[str, Any]) -> Iterator[str]:
    """Where nginx listens."""
    with behind_nginx(replicas) as address:
        yield address


def test_a_replica_is_killed_and_visitors_go_on(
    page: Page, replicas: dict[str, Any], address: str, database: Settings, cat_jpeg: bytes
) -> None:
    page.goto(f"{address}/inference")
    visit(page)
    bring(page, cat_jpeg)
    first = replica_of(page)
    programs = [Program(address, replicas["a"].api_token, cat_jpeg) for _ in range(2)]
    for program in programs:
        program.start()
    while not all(len(program.accepted) > 3 for program in programs):
        assert all(program.is_alive() for program in programs)
        time.sleep(0.05)

    kernels = psutil.Process(replicas[first].process.pid).children()
    replicas[first].process.send_signal(signal.SIGKILL)
    replicas[first].process.wait(timeout=30)
    killed_at = [len(program.accepted) for program in programs]
    banner = page.locator("#session-banner")
    deadline = time.monotonic() + 60
    while "This session has ended" not in banner.inner_text():
        assert time.monotonic() < deadline
        page.evaluate("window.dispatchEvent(new Event('online'))")  # what a page does on its own every 15 s
        page.wait_for_timeout(200)
    banner.get_by_role("link").click()
    visit(page)
    assert replica_of(page) != first
    bring(page, cat_jpeg)
    expect(banner).to_be_hidden()

    while not all(len(program.accepted) > before + 3 for program, before in zip(programs, killed_at, strict=True)):
        assert all(program.is_alive() for program in programs)
        time.sleep(0.05)
    for program in programs:
        program.stopping.set()
        program.join()
    reached = Database(database)
    stored = reached.run(lambda c: c.exec_driver_sql("SELECT id::text FROM predictions_feedback").scalars().all())
    reached.close()
    accepted = {identifier for program in programs for identifier in program.accepted}
    assert len(accepted) == sum(len(program.accepted) for program in programs)
    assert accepted <= set(stored), "what was accepted is lost"
    by_the_page = 2
    unanswered = sum(program.sent for program in programs) - len(accepted)
    assert len(stored) - by_the_page - len(accepted) <= unanswered, "a record is doubled"
    assert unanswered <= len(programs), "only what ran on the killed replica may go unanswered"
    assert kernels
    assert not psutil.wait_procs(kernels, timeout=30)[1], "a kernel outlives its server"


def test_what_nginx_lets_through_and_adds(server: Any) -> None:
    with behind_nginx({"a": server, "b": server}) as address, urllib3.PoolManager(retries=False) as http:
        token = {"Authorization": f"Bearer {server.api_token}"}
        assert http.request("GET", f"{address}/metrics", headers=token).status == 404
        answer = http.request("GET", f"{address}/api/recent-predictions", headers=token)
        assert (answer.status, "Set-Cookie" in answer.headers) == (200, False)
        visitor = http.request("GET", address)
        cookie = visitor.headers["Set-Cookie"]
        assert re.fullmatch(r"catsdogs_replica=[ab]; Path=/; HttpOnly; SameSite=Strict", cookie)
        known = http.request("GET", address, headers={"Cookie": "catsdogs_replica=a"})
        assert (known.status, "Set-Cookie" in known.headers) == (200, False)
        assert http.request("POST", f"{address}/api/predict", headers=token, body=bytes(34 * 2**20)).status == 413
