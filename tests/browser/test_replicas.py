"""Two replicas behind nginx, with one external PostgreSQL; nginx is configured by the file that is shipped for it."""

from __future__ import annotations

import gzip
import re
import signal
import threading
from collections.abc import Iterator

import psutil
import pytest
import urllib3
from playwright.sync_api import Page, expect

from catsdogs.database import Database
from catsdogs.settings import Settings
from tests.browser.app import wait_for_kernel
from tests.nginx import behind_nginx, needs_nginx
from tests.serving import Launch, RunningServer
from tests.waiting import until

pytestmark = [
    pytest.mark.browser,
    needs_nginx,
]

READY = 60_000


@pytest.fixture
def replicas(launch: Launch, environment: dict[str, str]) -> Iterator[dict[str, RunningServer]]:
    """Two servers with one database, by the names that nginx gives them."""
    database_settings = {name: value for name, value in environment.items() if name.startswith("DB_")}
    servers = {name: launch(None, wait=True, **database_settings, CATSDOGS_BEHIND_PROXY="true") for name in "ab"}
    yield servers
    for server in servers.values():  # before their database is dropped, which they would create again
        if server.process.poll() is None:
            server.stop()


class Program(threading.Thread):
    """Posts photos until `stopping` is set, and keeps the ids of the predictions that it received."""

    def __init__(self, url: str, token: str, photo: bytes) -> None:
        super().__init__()
        self.stopping = threading.Event()
        self.sent = 0
        self.accepted: list[str] = []
        self._arguments = (url, token, photo)

    def run(self) -> None:
        url, token, photo = self._arguments
        with urllib3.PoolManager(retries=False, timeout=60) as http:
            while not self.stopping.is_set():
                self.sent += 1
                fields = {"file": ("x.jpg", photo, "image/jpeg")}
                headers = {"Authorization": f"Bearer {token}"}
                answer = http.request("POST", f"{url}/api/predict", fields=fields, headers=headers)
                if answer.status == 200:
                    self.accepted.append(answer.json()["feedback_id"])


def wait_until_ready(page: Page) -> None:
    expect(page.locator(".cd-drop")).to_be_visible(timeout=READY)
    wait_for_kernel(page)


def predict(page: Page, photo: bytes) -> None:
    page.set_input_files("input[type=file]", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": photo})
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile("a cat"), timeout=READY)


def all_accepted(programs: list[Program], numbers: list[int]) -> bool:
    """Return whether each program has received more than these numbers of predictions."""
    assert all(program.is_alive() for program in programs)
    return all(len(program.accepted) > number for program, number in zip(programs, numbers, strict=True))


def replica_of(page: Page) -> str:
    [name] = [cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "catsdogs_replica"]
    return name


@pytest.fixture
def address(replicas: dict[str, RunningServer]) -> Iterator[str]:
    """The address of nginx."""
    with behind_nginx({name: server.url for name, server in replicas.items()}) as address:
        yield address


def test_visitors_and_programs_continue_after_a_replica_was_killed(
    page: Page, replicas: dict[str, RunningServer], address: str, database: Settings, cat_jpeg: bytes
) -> None:
    page.goto(f"{address}/inference")
    wait_until_ready(page)
    predict(page, cat_jpeg)
    first = replica_of(page)
    kernel = page.locator("body").get_attribute("data-kernel") or ""
    programs = [Program(address, replicas["a"].api_token, cat_jpeg) for _ in range(2)]
    for program in programs:
        program.start()
    until(lambda: all_accepted(programs, [3, 3]), timeout=60)

    kernels = psutil.Process(replicas[first].process.pid).children()
    replicas[first].process.send_signal(signal.SIGKILL)
    replicas[first].process.wait(timeout=30)
    killed_at = [len(program.accepted) for program in programs]
    banner = page.locator("#session-banner")
    expect(page.locator("body")).not_to_have_attribute("data-kernel", kernel, timeout=READY)  # it opens again by itself
    wait_until_ready(page)
    assert replica_of(page) != first
    predict(page, cat_jpeg)
    expect(banner).to_be_hidden()

    until(lambda: all_accepted(programs, [accepted + 3 for accepted in killed_at]), timeout=60)
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


def test_a_link_on_another_site_leads_to_the_replica_of_the_visitors_other_tabs(
    server: RunningServer, page: Page
) -> None:
    with behind_nginx({"a": server.url, "b": server.url}) as address:
        page.goto(f"{address}/info")
        [cookie] = page.context.cookies()
        page.goto(f"{server.url.replace('127.0.0.1', 'localhost')}/info")  # another site
        with page.expect_navigation(url=f"{address}/info") as arrived:
            page.evaluate("address => { location.href = address; }", f"{address}/info")
        assert arrived.value
        assert arrived.value.request.all_headers()["cookie"] == f"{cookie['name']}={cookie['value']}"


def test_nginx_refuses_internal_routes_and_adds_the_cookie(server: RunningServer) -> None:
    with behind_nginx({"a": server.url, "b": server.url}) as address, urllib3.PoolManager(retries=False) as http:
        token = {"Authorization": f"Bearer {server.api_token}"}
        assert http.request("GET", f"{address}/metrics", headers=token).status == 404
        answer = http.request("GET", f"{address}/api/recent-predictions", headers=token)
        assert (answer.status, "Set-Cookie" in answer.headers) == (200, False)
        visitor = http.request("GET", address)
        cookie = visitor.headers["Set-Cookie"]
        assert re.fullmatch(r"catsdogs_replica=[ab]; Path=/; HttpOnly; SameSite=Lax", cookie)
        known = http.request("GET", address, headers={"Cookie": "catsdogs_replica=a"})
        assert (known.status, "Set-Cookie" in known.headers) == (200, False)
        assert http.request("POST", f"{address}/api/predict", headers=token, body=bytes(34 * 2**20)).status == 413


def test_nginx_passes_compressed_and_cached_files_through(server: RunningServer) -> None:
    with behind_nginx({"a": server.url, "b": server.url}) as address, urllib3.PoolManager(retries=False) as http:

        def get(base: str, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
            return http.request("GET", base + path, headers=headers, decode_content=False)

        landing = get(address, "/", **{"Accept-Encoding": "gzip"})
        assert landing.headers["Content-Encoding"] == "gzip"
        html = gzip.decompress(landing.data).decode()
        [versioned] = set(re.findall(r'"(/static/style\.css[^"]*)"', html))
        for path in (versioned, "/static/style.css", "/openapi.json"):
            for accepted in ("gzip", "identity"):
                direct, passed = (get(base, path, **{"Accept-Encoding": accepted}) for base in (server.url, address))
                assert passed.data == direct.data
                for name in ("Content-Encoding", "Content-Length", "Cache-Control", "Etag", "Vary"):
                    assert passed.headers.get(name) == direct.headers.get(name), (path, accepted, name)
                again = get(address, path, **{"Accept-Encoding": accepted, "If-None-Match": passed.headers["Etag"]})
                assert again.status == 304
        assert "immutable" in get(address, versioned).headers["Cache-Control"]
