"""The console script ``catsdogs``. Each command is in the module of its name.

Exit codes: 0 for success, 1 for a failure (one sentence on standard error gives the reason), 2 for wrong arguments.
With ``report`` and ``alerts check``, 2 means that alerts fire, and wrong arguments exit with 1.
"""

from __future__ import annotations

import io
import logging
import os
import sys

from catsdogs.cli import alerts, data, db, evaluate, model, predict, privacy, report, serve, train  # noqa: F401 (each registers its commands)
from catsdogs.cli.app import app
from catsdogs.errors import CatsDogsError


def main() -> None:
    """Run a command; turn our errors into one sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):  # names of files need not fit into the terminal's encoding, or be UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except CatsDogsError as error:
        logging.getLogger(__name__).debug("command failed", exc_info=True)
        print(f"catsdogs: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # as in `catsdogs ... | head`: the reader has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
