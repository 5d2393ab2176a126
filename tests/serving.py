"""The running application and the browser, for tests (fixtures `server`, `launch`, `browser`) and scripts."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import psutil
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

from catsdogs.database import Database, setup
from catsdogs.database.embedded import EmbeddedServer
from catsdogs.files import data_folder
from catsdogs.settings import Settings
from tests.waiting import until

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Programs that are looked for, the one without windows first: it takes a third of the others' processor time."""
CHROMIUM = "Chromium or Chrome, or set CATSDOGS_TEST_BROWSER to its path"
"""What to install, where none is found."""
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@dataclass(frozen=True)
class RunningServer:
    """A process of ``catsdogs serve``, with a database and secrets of its own."""

    url: str
    settings: Settings
    """The server's settings; `data_dir` is temporary."""
    process: subprocess.Popen[bytes]
    log: Path
    """File of its output, both streams."""

    @property
    def api_token(self) -> str:
        assert self.settings.api_token
        return self.settings.api_token.get_secret_value()

    @property
    def operator_password(self) -> str:
        assert self.settings.operator_password
        return self.settings.operator_password.get_secret_value()

    def query(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """Execute a statement in the server's database; return the rows as dictionaries."""
        database = Database(self.settings)
        try:
            database.start()
            return database.run(lambda c: [dict(row) for row in c.execute(sa.text(statement), values).mappings()])
        finally:
            database.close()

    @property
    def traceback(self) -> str:
        """What the server's log says from its first traceback on; "" where there is none."""
        return "".join(self.log.read_text().partition("Traceback")[1:])[:4000]

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=30)


class Launch(Protocol):
    """Start a server: ``launch(CATSDOGS_MAX_SESSIONS="2")``.

    With `folder`, it runs in that folder. Where there is no data yet, it begins with a copy of an empty database. With
    ``wait=False``, it makes what is missing, and is returned before it is ready. PORT is its port, where that has to be
    known before. SESSION_LIMITS holds other time limits of sessions: a JSON object, with the names of traits of
    :class:`catsdogs.server.kernels.base.AppKernelManager`.
    """

    def __call__(self, folder: Path | None = None, *, wait: bool = True, **variables: str) -> RunningServer: ...


@contextmanager
def launching() -> Iterator[Launch]:
    """Yield a function that starts servers; those that still run are stopped at the end."""
    started: list[RunningServer] = []
    folders: list[str] = []  # not pytest's, which another session of pytest may make inaccessible to PostgreSQL's user

    def launch(folder: Path | None = None, *, wait: bool = True, **variables: str) -> RunningServer:
        if folder is None:
            folders.append(tempfile.mkdtemp(prefix="catsdogs-test-"))
            folder = Path(folders[-1])
        if wait and "DB_HOST" not in variables and not (folder / "data" / "postgresql").exists():
            copy_empty_database(folder / "data")
        usual = {"API_TOKEN": "t" * 24, "CATSDOGS_OPERATOR_PASSWORD": "open sesame"}
        server = _start(folder, usual | variables)
        started.append(server)
        if wait:
            wait_until_ready(server)
        return server

    try:
        yield launch
    finally:
        for server in started:
            if server.process.poll() is None:
                server.stop()
        for name in folders:
            shutil.rmtree(name, ignore_errors=True)


@cache
def _empty_database() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="catsdogs-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(Settings(_env_file=None, CATSDOGS_DATA_DIR=folder))
    setup.ensure(database)
    database.close()
    return folder / "postgresql"


def copy_empty_database(data: Path) -> None:
    """Put a stopped PostgreSQL with an empty, migrated database in a data folder; to make one takes far longer."""
    if not data.exists():
        data_folder(data)
    subprocess.run(["cp", "-a", _empty_database(), data], check=True)  # with the owner, where the tests run as root


@contextmanager
def own_postgresql() -> Iterator[EmbeddedServer]:
    """Run a PostgreSQL with an empty, migrated database in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        copy_empty_database(Path(folder))
        server = EmbeddedServer(Path(folder))
        server.start()
        yield server
        server.stop()


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run ``catsdogs serve`` in `folder`, with its data there; yield its address and process."""
    server = _start(folder, variables)
    try:
        wait_until_ready(server)
        yield server.url, psutil.Process(server.process.pid)
    finally:
        server.stop(signal.SIGTERM)


def _start(folder: Path, variables: dict[str, str]) -> RunningServer:
    port = int(variables.get("PORT") or free_port())
    impatient = ["-P", str(Path(__file__).with_name("impatient.py"))]
    program = impatient if "SESSION_LIMITS" in variables else ["-m", "catsdogs"]
    variables = variables | {"CATSDOGS_DATA_DIR": str(folder / "data")}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, *program, "serve", "--port", str(port)],
            cwd=folder,
            env=inherited | variables,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    known: dict[str, Any] = {  # by its alias, or by its name
        name if name.startswith("CATSDOGS_") else name.lower(): value for name, value in variables.items() if value
    }
    settings = Settings(_env_file=None, **known)
    return RunningServer(f"http://127.0.0.1:{port}", settings, process, log)


def wait_until_ready(server: RunningServer) -> None:
    """Wait until a server accepts requests."""

    def ready() -> bool:
        assert server.process.poll() is None, f"the server ended: {server.log.read_text()}"
        return "catsdogs is ready" in server.log.read_text()

    until(ready, lambda: f"the server is not ready: {server.log.read_text()}", timeout=60)


def browser_path() -> str | None:
    """Return the path of Chromium: CATSDOGS_TEST_BROWSER, or the one on PATH."""
    return os.environ.get("CATSDOGS_TEST_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser of the browser tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()
