"""The console script ``catsdogs``. Each command is in the module of its name.

Exit codes: 0 for success, 1 for a failure (one sentence on standard error gives the reason), 2 for wrong arguments.
With ``report`` and ``alerts check``, 2 means that alerts fire, and wrong arguments exit with 1.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
from typing import NoReturn

from catsdogs.cli import alerts, data, db, evaluate, model, predict, privacy, report, serve, train  # noqa: F401 (each registers its commands)
from catsdogs.cli.app import app
from catsdogs.errors import CatsDogsError


def main() -> None:
    """Run a command; turn our errors, and a full disk, into one sentence and exit code 1."""
    for stream in (sys.stdout, sys.stderr):  # names of files need not fit into the terminal's encoding, or be UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # the output itself may not fit on the disk
    except CatsDogsError as error:
        _fail(str(error))
    except BrokenPipeError:  # as in `catsdogs ... | head`: the reader has closed the pipe
        _drop_output()
        raise SystemExit(1) from None
    except OSError as error:
        has_nowhere_to_write = (
            isinstance(error, FileNotFoundError) and error.filename is None
        )  # raised by tempfile alone
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) and not has_nowhere_to_write:
            raise
        _drop_output()
        place = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror}{place}. Make room on the disk, and repeat the command.")


def _fail(sentence: str) -> NoReturn:
    logging.getLogger(__name__).debug("command failed", exc_info=True)
    print(f"catsdogs: {sentence}", file=sys.stderr)
    raise SystemExit(1) from None


def _drop_output() -> None:
    """Let nothing be written to standard output any more: Python would try again at its end."""
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
