"""A long command shows its progress on a terminal, and only there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

CODE = """
import time
from catsdogs.cli.progress import progress_bars
with progress_bars() as update:
    for done in range(4):
        update("features", done, 4)
        time.sleep(0.3)
    update("head", 1, 8)
"""


def on_a_terminal(code: str) -> str:
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=environment)
    os.close(theirs)
    output = b""
    try:
        while part := os.read(ours, 4096):
            output += part
    except OSError:  # Linux raises it when the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=30) == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())


def test_each_stage_has_its_count_and_the_time_left() -> None:
    output = on_a_terminal(CODE)
    assert re.search(r"features .* 3/4 +0:00:0\d", output)
    assert re.search(r"head .* 1/8", output)


def test_without_a_terminal_nothing_is_printed() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", "")
