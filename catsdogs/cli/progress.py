"""Progress of long commands: bars with the time left on a terminal, else a line now and then, as for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

LINE_SECONDS = 30.0
"""Time between two lines, where standard error is not a terminal; what takes less time prints none."""

Update = Callable[[str, int, int], None]
"""Function that shows progress; called with the stage, the amount done, and the whole amount."""


@contextmanager
def progress_bars(*, is_resumed: bool = False) -> Iterator[Update]:
    """Yield a function that shows progress on standard error.

    When the command is stopped (Ctrl+C), say so, and exit with 130 as is usual for a shell.

    Parameters
    ----------
    is_resumed
        Whether the command goes on where it was stopped when it is repeated, which the message then says.
    """
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            yield _on(bar) if console.is_terminal else _in_lines()
    except KeyboardInterrupt:
        typer.echo("catsdogs: Stopped." + (" Repeat the command to resume." if is_resumed else ""), err=True)
        raise typer.Exit(130) from None


def _on(bar: Progress) -> Update:
    tasks: dict[str, TaskID] = {}

    def update(stage: str, done: int, of: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=of)
        bar.update(tasks[stage], completed=done)

    return update


def _in_lines() -> Update:
    printed = time.monotonic()

    def update(stage: str, done: int, of: int) -> None:
        nonlocal printed
        if (now := time.monotonic()) >= printed + LINE_SECONDS:
            typer.echo(f"catsdogs: {stage}: {done:,} of {of:,}", err=True)
            printed = now

    return update
