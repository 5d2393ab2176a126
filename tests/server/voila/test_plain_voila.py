"""The apps also run under plain ``voila notebooks/apps``, with Voilà's own template and the service in the kernel."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest
import urllib3

from catsdogs import files


@pytest.fixture(scope="module")
def plain_voila():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "voila", str(files.notebooks() / "apps"), "--no-browser", f"--port={port}"],
            env=os.environ | {"CATSDOGS_DATA_DIR": folder},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib3.request("GET", url, retries=False)
                break
            except urllib3.exceptions.HTTPError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield url
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.mark.parametrize("notebook", ["predict", "monitoring"])
def test_an_app_runs(plain_voila, notebook):
    answer = urllib3.request("GET", f"{plain_voila}/voila/render/{notebook}.ipynb", timeout=120, retries=False)
    page = answer.data.decode()
    assert answer.status == 200
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "ExecutionError" not in page
    assert page.rstrip().endswith("</html>")
