"""``catsdogs privacy``: a person's rights by receipt code, and the end of retention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from catsdogs.cli import app
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.database import Database
    from catsdogs.spool import Spool

privacy = typer.Typer(help="Export or erase what a receipt code stands for; purge what is old.", no_args_is_help=True)
app.add_typer(privacy, name="privacy")

RECEIPT = typer.Argument(help="The code shown once, when consent was given.", show_default=False)


@contextmanager
def _records(settings: Settings) -> Iterator[tuple[Database, Spool]]:
    from catsdogs.database import Database, setup
    from catsdogs.spool import Spool

    database = Database(settings)
    try:
        setup.ensure(database)
        yield database, Spool.of(settings)
    finally:
        database.close()


@privacy.command()
def export(receipt: str = RECEIPT) -> None:
    """Print everything held under a receipt, as JSON; photos are JPEG in base64."""
    from catsdogs.privacy import export

    with _records(Settings.load()) as (database, spool):
        print(json.dumps(export(database, spool, receipt), indent=2, ensure_ascii=False))


@privacy.command()
def erase(receipt: str = RECEIPT) -> None:
    """Erase everything held under a receipt, at once and for good."""
    from catsdogs.privacy import erase

    with _records(Settings.load()) as (database, spool):
        removed = erase(database, spool, receipt)
    print(f"erased: predictions {len(removed.predictions)}, photos {removed.photos}")


@privacy.command()
def purge() -> None:
    """Make anonymous what is older than CATSDOGS_RETENTION_DAYS; the figures stay."""
    from catsdogs.privacy import purge

    settings = Settings.load()
    with _records(settings) as (database, spool):
        removed = purge(database, spool, settings.retention_days)
    print(f"purged: predictions {len(removed.predictions)}, photos {removed.photos}, waiting {removed.waiting}")
