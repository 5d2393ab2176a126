"""Kernels on a Jupyter Kernel Gateway, which is configured by the file that is shipped for it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from playwright.sync_api import Page, expect
from traitlets.config import Configurable

import catsdogs.server
from catsdogs.server.auth import Scope, Tokens
from catsdogs.server.kernels.base import TooManySessions
from catsdogs.server.kernels.message_buffer import MAX_BYTES
from catsdogs.server.kernels.remote import RemoteKernelManager
from catsdogs.server.kernels.session import App, NewSession, new_session
from catsdogs.server.kernels.wire_protocol import PROTOCOL, frame
from catsdogs.settings import Settings
from tests.browser.app import READY, latest_row, open_app, upload_photo, wait_for_kernel
from tests.kernel_processes import kernel_id
from tests.server.kernel_socket import KernelSocket
from tests.serving import Launch, RunningServer, free_port
from tests.waiting import until

pytestmark = pytest.mark.browser

SHIPPED = Path(catsdogs.server.__file__).parent / "deploy" / "kernel_gateway.py"
TOKEN = "g" * 24


class KernelGateway:
    """A gateway that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, *options: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
        command = [sys.executable, "-m", "kernel_gateway", "--config", str(SHIPPED)]
        here = ["--KernelGatewayApp.ip=127.0.0.1", f"--KernelGatewayApp.port={self._port}"]
        with (self._folder / "log.txt").open("ab") as log:
            self.process = psutil.Popen(
                [*command, *here, *options],
                cwd=self._folder,
                env={**inherited, "KG_AUTH_TOKEN": TOKEN, "AWS_SECRET_ACCESS_KEY": "a" * 30},
                stdout=log,
                stderr=log,
            )
        until(self._listens, self.log, retry_on=ConnectionRefusedError)

    def kernels(self) -> list[psutil.Process]:
        """List the processes of its kernels."""
        return [child for child in self.process.children() if is_running(child)]

    def kernel(self) -> psutil.Process:
        """Wait until exactly one kernel runs, and return its process."""
        until(lambda: len(self.kernels()) == 1, self.log)
        return self.kernels()[0]

    def has_no_kernels(self) -> bool:
        return not self.kernels()

    def kill(self) -> None:
        kernels = self.kernels()
        self.process.kill()
        self.process.wait(timeout=30)
        assert not psutil.wait_procs(kernels, timeout=30)[1], "a kernel outlives its gateway"

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log()
        socket.create_connection(("127.0.0.1", self._port)).close()
        return True

    def log(self) -> str:
        return (self._folder / "log.txt").read_text()


def is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def gateway() -> Iterator[KernelGateway]:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        gateway = KernelGateway(Path(folder))
        gateway.start()
        yield gateway
        gateway.process.kill()
        gateway.process.wait(timeout=30)


@pytest.fixture(scope="module")
def served(launch: Launch, gateway: KernelGateway) -> RunningServer:
    """A server whose kernels run on the gateway."""
    return launch(
        CATSDOGS_GATEWAY_URL=gateway.url,
        CATSDOGS_GATEWAY_TOKEN=TOKEN,
        CATSDOGS_MAX_SESSIONS="2",
        AWS_SECRET_ACCESS_KEY="a" * 30,
    )


class _Parent(Configurable):
    """The attributes of the server that a kernel manager uses."""

    tokens = Tokens("t" * 20)
    url_for_kernels = "http://127.0.0.1:1"
    root_dir = "/"

    def __init__(self, gateway: str) -> None:
        super().__init__()
        self.settings = Settings(_env_file=None, CATSDOGS_GATEWAY_URL=gateway, CATSDOGS_GATEWAY_TOKEN=TOKEN)


SEND_MESSAGES = """async ([address, protocol, messages]) => {
    const socket = new WebSocket(address, protocol);
    socket.binaryType = "arraybuffer";
    await new Promise((resolve) => (socket.onopen = resolve));
    const answered = new Promise((resolve) => (socket.onmessage = (event) => {
        if (new TextDecoder().decode(event.data).includes("kernel_info_reply")) resolve();
    }));
    for (const message of messages) socket.send(Uint8Array.from(message));
    await answered;
    socket.close();
}"""


def message(kind: str, **content: object) -> list[int]:
    header = {"msg_id": kind, "msg_type": kind, "username": "", "session": "test", "version": "5.3"}
    return list(frame("shell", [json.dumps(part).encode() for part in (header, {}, {}, content)]))


def test_the_prediction_app(
    page: Page, served: RunningServer, gateway: KernelGateway, cat_jpeg: bytes, tmp_path: Path
) -> None:
    open_app(page, served, "?lang=fr")
    kernel = gateway.kernel()
    assert not [child for child in psutil.Process(served.process.pid).children() if "ipykernel" in str(child.cmdline())]
    everything = " ".join([*kernel.environ().values(), *kernel.cmdline()])
    assert kernel.rlimit(psutil.RLIMIT_DATA) == (2**30, 2**30)
    for secret in (TOKEN, "a" * 30, served.api_token, served.operator_password):
        assert secret not in everything

    page.set_input_files("input[type=file]", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": cat_jpeg})
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile("C’est un chat"), timeout=READY)
    page.get_by_role("button", name="Oui").click()
    expect(page.get_by_role("button", name="Oui")).to_have_attribute("aria-pressed", "true")
    row = latest_row(served)
    assert (row["prediction_result"], row["user_feedback"], row["filename"]) == ("cat", 1, None)

    trace = tmp_path / "trace"
    kinds = ["execute_request", "inspect_request", "complete_request", "history_request", "debug_request"]
    code = f"open({str(trace)!r}, 'w')"
    forbidden = [message(kind, code=code, silent=False, store_history=False, cursor_pos=1) for kind in kinds]
    address = f"{served.url.replace('http', 'ws')}/api/kernels/{kernel_id(kernel)}/channels?session_id=test"
    unknown = message("comm_msg", comm_id="unknown\nforged", data={})
    page.evaluate(SEND_MESSAGES, [address, PROTOCOL, [*forbidden, unknown, message("kernel_info_request")]])
    assert not trace.exists(), "a page runs code in its kernel"
    assert "forged" not in gateway.log(), "a page writes to the gateway's log"

    page.close(run_before_unload=True)
    until(gateway.has_no_kernels)


def test_the_monitoring_app(page: Page, served: RunningServer, gateway: KernelGateway, cat_jpeg: bytes) -> None:
    urllib3.request(
        "POST",
        f"{served.url}/api/predict",
        headers={"Authorization": f"Bearer {served.api_token}"},
        fields={"file": ("x.jpg", cat_jpeg)},
    )
    page.goto(f"{served.url}/monitoring")
    assert not gateway.kernels()
    page.get_by_label("Password").fill(served.operator_password)
    page.get_by_role("button").click()
    [count] = served.query("SELECT count(*)::text AS n FROM predictions_feedback")
    expect(page.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text(count["n"], timeout=READY)
    expect(page.locator(".cd-plot .main-svg").first).to_be_visible(timeout=READY)
    page.close(run_before_unload=True)
    until(gateway.has_no_kernels)


def expect_banner(page: Page, sentence: str) -> None:
    """Let the page send heartbeats, as it does every few seconds by itself, until its banner shows a sentence."""
    banner = page.locator("#session-banner")

    def shows_sentence() -> bool:
        page.evaluate("window.dispatchEvent(new Event('online'))")
        return sentence in banner.inner_text()

    until(shows_sentence, banner.inner_text, interval=0.1)


def test_the_page_reports_a_kernel_or_a_gateway_that_died(
    page: Page, served: RunningServer, gateway: KernelGateway, cat_jpeg: bytes
) -> None:
    open_app(page, served)
    kernel = page.locator("body").get_attribute("data-kernel") or ""
    gateway.kernel().kill()
    expect(page.locator("body")).not_to_have_attribute("data-kernel", kernel, timeout=READY)  # it opens again by itself
    wait_for_kernel(page)
    upload_photo(page, cat_jpeg)
    expect(page.locator("#session-banner")).to_be_hidden()

    gateway.kill()
    expect_banner(page, "cannot be reached")
    with page.context.new_page() as other:
        answer = other.goto(f"{served.url}/inference")
        assert answer is not None
        assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
        expect(other.get_by_text("cannot be opened just now")).to_be_visible()
        log = served.log.read_text()
        assert f"{gateway.url} is unavailable: " in log
        assert served.traceback == ""
        gateway.start("--KernelRestarter.restart_limit=5")  # the default of a gateway; the page tries again by itself
        expect(other.locator(".cd-drop")).to_be_visible(timeout=READY)
        upload_photo(other, cat_jpeg)


def test_kernels_of_pages_that_are_gone_are_stopped_on_the_gateway(gateway: KernelGateway, tmp_path: Path) -> None:
    async def start_and_cull() -> None:
        new_session.set(NewSession(App("/x", "x.ipynb", Scope.PREDICT), "en", "1.1.1.1"))
        manager = RemoteKernelManager(parent=_Parent(gateway.url), connection_dir=str(tmp_path), limit=2)
        manager.cull_idle_timeout = 3600
        unclaimed = await manager.start_kernel(env={}, kernel_name="python3")
        kept = await manager.start_kernel(env={}, kernel_name="python3")
        manager.notify_connect(kept)
        with pytest.raises(TooManySessions):
            await manager.start_kernel(env={}, kernel_name="python3")
        manager.unclaimed_timeout = 0
        replacing = await manager.start_kernel(env={}, kernel_name="python3")
        assert set(manager.list_kernel_ids()) == {kept, replacing}
        await manager.cull_kernels()
        assert manager.list_kernel_ids() == [kept]
        for ended in (unclaimed, replacing):
            assert not await manager.gateway.has_kernel(ended)
        manager.cull_idle_timeout = 0
        await manager.cull_kernels()
        assert not await manager.gateway.has_kernel(kept)

    run_alone(start_and_cull())


def run_alone(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a thread of its own: Playwright's event loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def test_a_page_that_was_disconnected_gets_what_its_kernel_sent_meanwhile(
    served: RunningServer, gateway: KernelGateway
) -> None:
    html = urllib3.request("GET", f"{served.url}/inference").data.decode()
    [kernel_id] = re.findall(r'data-kernel="([\w-]+)"', html)
    kernel = gateway.kernel()

    async def talk() -> None:
        socket = await KernelSocket.open(served, kernel_id)
        widget = await socket.find_widget()
        for sent in "abc":  # more than may be kept, but not at once
            large = sent * (MAX_BYTES // 2)
            kernel.suspend()
            await socket.send_to_widget(widget, large)
            await socket.close()
            kernel.resume()
            socket = await KernelSocket.open(served, kernel_id)
            while await socket.receive_from_widget() != (widget, large):
                pass

        kernel.suspend()
        for _ in range(5):
            await socket.send_to_widget(widget, "x" * (MAX_BYTES // 4))
        await socket.close()
        kernel.resume()

    run_alone(talk())
    until(gateway.has_no_kernels)
    assert urllib3.request("GET", f"{served.url}/session/{kernel_id}").status == 404


def test_a_server_that_ends_stops_its_kernels_on_the_gateway(
    page: Page, served: RunningServer, gateway: KernelGateway
) -> None:
    open_app(page, served)
    gateway.kernel()
    assert served.stop(signal.SIGTERM) == 0
    until(gateway.has_no_kernels)
    assert served.traceback == ""
