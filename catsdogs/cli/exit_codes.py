"""Commands for a scheduler, whose exit code 2 says that alerts fire: called wrongly, they exit with 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

ALERTS_FIRE = 2

_UsageError: Any = typer.BadParameter.__base__  # Click's, or that of the copy of Click in newer releases of Typer


@contextmanager
def _wrong_call() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        error.exit_code = 1
        raise


class Truthful(TyperCommand):
    """A command that keeps exit code 2 for alerts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is unknown or of the wrong kind."""
        with _wrong_call():
            return super().parse_args(ctx, args)


class TruthfulGroup(TyperGroup):
    """A group of such commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is unknown, and nothing at all."""
        with _wrong_call():
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Refuse a command that there is not."""
        with _wrong_call():
            return super().resolve_command(ctx, args)
