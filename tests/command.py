"""The command ``catsdogs`` in the process of the tests: one of its own takes a second of processor time to start."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

from catsdogs.__main__ import main


def catsdogs(*arguments: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the command in `folder`, with these variables alone; return what a process would print and exit with."""
    output, errors = _Stream(), _Stream()
    with (
        patch.dict(os.environ, environment, clear=True),
        contextlib.chdir(folder),
        patch.object(sys, "argv", ["catsdogs", *arguments]),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        _own_logging(),
    ):
        code = _exit_code(errors)
    return subprocess.CompletedProcess(["catsdogs", *arguments], code, output.printed(), errors.printed())


class _Stream(io.TextIOWrapper):
    """A pipe, as the command has it: what is printed must fit into its encoding."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def printed(self) -> str:
        self.seek(0)
        return self.read()


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """Hide pytest's handlers, so that the command sets up its own, which print."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)


def _exit_code(errors: io.TextIOWrapper) -> int:
    try:
        main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=errors)
        return 1
    return 0
