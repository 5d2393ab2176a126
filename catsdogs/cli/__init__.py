"""The console script ``catsdogs``. Each command lives in the module of its name.

Exit codes: 0 done, 1 failed (one sentence on standard error says why), 2 called wrongly; but of ``report`` and
``alerts check``, 2 says that alerts fire.
"""

from __future__ import annotations

import logging
import os
import sys

import typer

from catsdogs.errors import CatsDogsError

app = typer.Typer(
    name="catsdogs",
    help="Cat or dog? Predict, serve, train, and look after the data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log details, with tracebacks.")) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def main() -> None:
    """Run a command; turn our errors into one sentence and exit code 1."""
    try:
        app()
    except CatsDogsError as error:
        logging.getLogger(__name__).debug("command failed", exc_info=True)
        print(f"catsdogs: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:  # `catsdogs ... | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


from catsdogs.cli import alerts, data, db, evaluate, model, predict, privacy, report, serve, train  # noqa: E402, F401 (each registers its commands)
