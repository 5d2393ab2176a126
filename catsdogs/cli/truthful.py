"""Commands for a scheduler, whose exit code 2 says that alerts fire: called wrongly, they exit with 1."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

ALERTS_FIRE = 2

_UsageError: Any = typer.BadParameter.__base__  # Click's, or that of the copy of Click in newer releases of Typer


class Truthful(TyperCommand):
    """A command that keeps exit code 2 for alerts."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is unknown or of the wrong kind."""
        try:
            return super().parse_args(ctx, args)
        except _UsageError as error:
            error.exit_code = 1
            raise
