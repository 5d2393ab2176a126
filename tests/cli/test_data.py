"""``catsdogs data``, as a shell calls it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.command import catsdogs


def test_without_a_connection_the_download_fails(tmp_path: Path) -> None:
    arguments = ("data", "fetch", "--url", "http://127.0.0.1:1/pets.zip")
    done = catsdogs(*arguments, environment={"PATH": os.environ["PATH"]}, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "catsdogs: 127.0.0.1 cannot be reached. Check the connection and repeat the command: the download is resumed.\n"
    )


def test_the_demonstration_is_added_and_removed(tmp_path: Path, environment: dict[str, str]) -> None:
    def demo(*options: str) -> str:
        command = [sys.executable, "-m", "catsdogs", "data", "demo", *options]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    added = re.match(r"added     ([\d,]+) predictions of 60 days", demo())
    assert added
    assert 11_000 < int(added[1].replace(",", "")) < 11_800
    assert demo("--remove") == f"removed   {added[1]} predictions\n"
