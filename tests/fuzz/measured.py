"""Decode files in a process of its own, and measure each: python -m tests.fuzz.measured.

For each path from standard input it prints a JSON line: the outcome, the processor time in seconds, and by how many
bytes the memory exceeded, at most, what the process took before the first file.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing

SIDE = 320
MOST_SECONDS = 2.0
MOST_BYTES = 300 * 10**6


class Measured(NamedTuple):
    """What the decoding of a file took."""

    outcome: str
    """An error's message, or "" for an answer."""
    seconds: float
    bytes: int

    def is_within_the_limits(self) -> bool:
        """Whether the file took neither too much time nor too much memory."""
        return self.seconds <= MOST_SECONDS and self.bytes <= MOST_BYTES


class Decoder:
    """The process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def decode(self, path: Path) -> Measured:
        """Decode a file.

        Raises
        ------
        AssertionError
            The process ended: the decoder crashed.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the decoder ended with {self._process.wait()} at {path}"
        return Measured(*json.loads(line))


@contextmanager
def decoder() -> Iterator[Decoder]:
    """Start the process, and end it."""
    command = [sys.executable, "-m", "tests.fuzz.measured"]
    root = Path(__file__).parents[2]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")
    }  # it costs time
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=environment) as process:
        yield Decoder(process)
        assert process.stdin
        process.stdin.close()


def _memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return 1024 * int(found[1])


def _decode(content: bytes) -> str:
    try:
        preprocessing.square(preprocessing.decode(content, SIDE), SIDE)
    except InvalidImage as error:
        return str(error)
    return ""


def main() -> None:
    """Read paths, and print what they took."""
    import pi_heif  # noqa: F401  the first file must not pay for it

    before = _memory("VmRSS")
    for line in sys.stdin:
        content = Path(line.rstrip("\n")).read_bytes()
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        began = time.process_time()
        outcome = _decode(content)
        seconds = time.process_time() - began
        print(json.dumps([outcome, round(seconds, 3), _memory("VmHWM") - before]), flush=True)


if __name__ == "__main__":
    main()
