"""Commands for a scheduler, whose exit code 2 says that alerts fire: called wrongly, they exit with 1."""

from __future__ import annotations

import click
from typer.core import TyperCommand

ALERTS_FIRE = 2


class Truthful(TyperCommand):
    """A command that keeps exit code 2 for alerts."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what is unknown or of the wrong kind."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.exit_code = 1
            raise
