"""Progress bars of long commands, with the time left; only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows progress; called with the stage, the amount done, and the whole amount.

    When the command is stopped (Ctrl+C), print that it can be repeated, and exit with 130 as is usual for a shell.
    """
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            tasks: dict[str, TaskID] = {}

            def update(stage: str, done: int, of: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(stage, total=of)
                bar.update(tasks[stage], completed=done)

            yield update
    except KeyboardInterrupt:
        typer.echo("catsdogs: Stopped. Repeat the command to resume.", err=True)
        raise typer.Exit(130) from None
