"""Jupyter's server with jupyter-server-proxy in front of running servers, started as Binder does."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.serving import free_port
from tests.waiting import until

TOKEN = "j" * 24
USER = "/user/xyz"
PASSWORD = "open sesame"
REPOSITORY = Path(__file__).parent.parent
needs_jupyter_proxy = pytest.mark.skipif(
    importlib.util.find_spec("jupyter_server_proxy") is None, reason="no jupyter-server-proxy: make test installs it"
)


def unprivileged() -> dict[str, Any]:
    """Return user and group of a process that root starts, where other users can run this Python."""
    python = Path(sys.executable).resolve()
    if os.geteuid() != 0 or not all(folder.stat().st_mode & 0o001 for folder in python.parents):
        return {}
    has_wrapper = any(Path("/usr/lib").glob("*/libnss_wrapper.so"))
    return {"user": 54321 if has_wrapper else "nobody", "group": 0, "extra_groups": []}


@contextmanager
def behind_jupyter() -> Iterator[str]:
    """Run Jupyter Server by ``binder/start``, as Binder does.

    Its home cannot be written. It does not run as root, unless only root can run this Python; where nss_wrapper is
    installed, its user id has no name either.

    Yields
    ------
    str
        Address under `USER`; below it, ``/proxy/PORT/`` is a server of this machine, and ``/catsdogs/`` that of Binder.
    """
    port = free_port()
    arguments = {
        "ServerApp.base_url": f"{USER}/",
        "ServerApp.port": port,
        "ServerApp.jpserver_extensions": "jupyter_server_proxy=True",
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "IdentityProvider.token": TOKEN,
    }
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        Path(folder).chmod(0o1777)
        log = Path(folder, "log.txt")
        known = {name: text for name, text in os.environ.items() if not name.startswith(("CATSDOGS_", "API_", "DB_"))}
        binder = {
            "HOME": "/nonexistent",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": folder,
            "CATSDOGS_OPERATOR_PASSWORD": PASSWORD,
        }
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [
                    "binder/start",
                    "python",
                    "-m",
                    "jupyter_server",
                    *(f"--{k}={value}" for k, value in arguments.items()),
                ],
                cwd=REPOSITORY,
                env=known | binder,
                stdout=stream,
                stderr=subprocess.STDOUT,
                **unprivileged(),
            )
        address = f"http://127.0.0.1:{port}{USER}"

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            return urllib3.request("GET", f"{address}/api", retries=False).status == 200

        try:
            until(answers, log.read_text, timeout=60, retry_on=urllib3.exceptions.HTTPError)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)
