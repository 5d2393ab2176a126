"""The apps also run under plain ``voila notebooks/apps``, with Voilà's own template and the service in the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from catsdogs import files
from tests.serving import copy_empty_database, free_port
from tests.waiting import until


@pytest.fixture(scope="module")
def plain_voila() -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        copy_empty_database(Path(folder))
        process = subprocess.Popen(
            [sys.executable, "-m", "voila", str(files.notebooks() / "apps"), "--no-browser", f"--port={port}"],
            env=os.environ | {"CATSDOGS_DATA_DIR": folder},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None
            return urllib3.request("GET", url, retries=False).status > 0

        until(answers, timeout=60, retry_on=urllib3.exceptions.HTTPError)
        yield url
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.mark.parametrize("notebook", ["predict", "monitoring"])
def test_an_app_runs(plain_voila: str, notebook: str) -> None:
    answer = urllib3.request("GET", f"{plain_voila}/voila/render/{notebook}.ipynb", timeout=120, retries=False)
    page = answer.data.decode()
    assert answer.status == 200
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "ExecutionError" not in page
    assert page.rstrip().endswith("</html>")
