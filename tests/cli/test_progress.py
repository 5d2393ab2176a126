"""A long command shows its progress: bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from catsdogs.cli import progress

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


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        (30.0, []),  # what is short prints nothing, which cron would mail
        (1.0, ["catsdogs: features: 1,000 of 4,000", "catsdogs: features: 3,000 of 4,000", "catsdogs: head: 1 of 8"]),
    ],
)
def test_without_a_terminal_a_line_is_printed_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: float, lines: list[str]
) -> None:
    clock = iter(np.arange(0, 99, 0.5))
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(progress, "LINE_SECONDS", seconds)
    with progress.progress_bars() as update:
        for done in range(5):
            update("features", 1000 * done, 4000)
        update("head", 1, 8)
    assert capsys.readouterr().err.splitlines() == lines
