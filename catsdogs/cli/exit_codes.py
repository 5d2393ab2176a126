"""Commands for a scheduler. Their exit code 2 means that alerts fire, so a wrong call exits with 1 instead of 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

ALERTS_FIRE = 2
"""Exit code of a command that succeeded and found firing alerts."""

_UsageError: Any = typer.BadParameter.__base__  # Click's, or that of the copy of Click in newer releases of Typer


@contextmanager
def _usage_errors_exit_with_1() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.exit_code = 1
        raise


class ScheduledCommand(TyperCommand):
    """A command that exits with 1 if its arguments are wrong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        with _usage_errors_exit_with_1():
            return super().parse_args(ctx, args)


class ScheduledCommandGroup(TyperGroup):
    """A group of commands that exits with 1 if its arguments are wrong, missing, or name an unknown command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        with _usage_errors_exit_with_1():
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command."""
        with _usage_errors_exit_with_1():
            return super().resolve_command(ctx, args)
