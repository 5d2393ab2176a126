"""The server, two notebooks and a command start on one data folder at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

NOTEBOOK = """
import sys
from catsdogs.service.local import Local
with Local.open() as service:
    assert service.health()["status"] == "healthy", service.health()
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_whoever_comes_first_starts_the_database_and_the_last_stops_it(launch: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        folder = Path(name)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
        options: dict[str, Any] = {"cwd": folder, "env": inherited | {"CATSDOGS_DATA_DIR": str(folder / "data")}}
        options |= {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        notebooks = [subprocess.Popen([sys.executable, "-c", NOTEBOOK], **options) for _ in range(2)]
        command = subprocess.Popen([sys.executable, "-m", "catsdogs", "privacy", "purge"], **options)
        server = launch(folder)

        output, failure = command.communicate()
        assert (command.returncode, output) == (0, "purged: predictions 0, photos 0, waiting 0\n"), failure
        assert [notebook.stdout.readline() for notebook in notebooks] == ["ready\n", "ready\n"]
        assert server.stop() == 0
        failures = [notebook.communicate("")[1] for notebook in notebooks]
        assert [notebook.returncode for notebook in notebooks] == [0, 0], failures
        assert not [process for process in psutil.process_iter(["cwd"]) if (process.info["cwd"] or "").startswith(name)]
