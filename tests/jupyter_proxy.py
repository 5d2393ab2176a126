"""JupyterLab's server with jupyter-server-proxy in front of running servers, as on JupyterHub and Binder."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.serving import free_port
from tests.waiting import until

TOKEN = "j" * 24
USER = "/user/xyz"
needs_jupyter_proxy = pytest.mark.skipif(
    importlib.util.find_spec("jupyter_server_proxy") is None, reason="no jupyter-server-proxy: make test installs it"
)


@contextmanager
def behind_jupyter() -> Iterator[str]:
    """Run Jupyter Server under `USER`; yield the address below which ``/proxy/PORT/`` is a server of this machine."""
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
        log = Path(folder, "log.txt")
        folders = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
        environment = os.environ | dict.fromkeys(folders, folder)
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_server", *(f"--{name}={value}" for name, value in arguments.items())],
                cwd=folder,
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
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
