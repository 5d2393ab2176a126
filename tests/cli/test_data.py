"""``catsdogs data``, as a shell calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_without_a_connection_the_download_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "catsdogs", "data", "fetch", "--url", "http://127.0.0.1:1/pets.zip"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "catsdogs: 127.0.0.1 cannot be reached. Check the connection and repeat the command: the download is resumed.\n"
    )
