"""The Typer application that every module of commands registers with."""

from __future__ import annotations

import logging

import typer

from catsdogs import __version__
from catsdogs.cli.log_format import LogFormatter

app = typer.Typer(
    name="catsdogs",
    help="Cat or dog? Predict, serve, train, and manage data and models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # paragraphs are wrapped to the terminal
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"catsdogs {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log details, with tracebacks."),
    _version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_print_version, help="Print the version, and exit."
    ),
) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])
