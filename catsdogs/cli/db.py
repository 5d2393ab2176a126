"""``catsdogs db``: the three steps that set a database up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from catsdogs.cli.app import app
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.database import Database

db = typer.Typer(help="Set up the database: check, create, migrate. Each step may be repeated.", no_args_is_help=True)
app.add_typer(db, name="db")


@contextmanager
def _database() -> Iterator[Database]:
    """Open the database of the settings; an embedded server that no other process uses stops at the end."""
    from catsdogs.database import Database

    database = Database(Settings.load())
    try:
        yield database
    finally:
        database.close()


@db.command()
def check() -> None:
    """Check server, database and tables. Exit code 1 if a step is left to do."""
    from catsdogs.database import setup

    with _database() as database:
        status = setup.check(database)
        name = database.settings.db_name
    print(f"server    {status.server}: PostgreSQL {status.server_version}")
    if not status.database_exists:
        print(f"database  {name}: missing. Run `catsdogs db create`, then `catsdogs db migrate`.")
        raise typer.Exit(1)
    print(f"database  {name}: there, {status.encoding}")
    for table, exists in status.tables.items():
        print(f"table     {table}: {'there' if exists else 'missing'}")
    if status.is_newer:
        print(f"version   {status.revision}: newer than this catsdogs, which knows {status.latest}. Update catsdogs.")
        raise typer.Exit(1)
    if status.ready:
        print(f"version   {status.revision}: up to date")
    else:
        print(f"version   {status.revision or 'none'}: run `catsdogs db migrate` for {status.latest}")
        raise typer.Exit(1)


@db.command()
def create() -> None:
    """Create the database, in UTF-8, unless it exists."""
    from catsdogs.database import setup

    with _database() as database:
        created = setup.create(database)
        print(f"database  {database.settings.db_name}: {'created' if created else 'exists already'}")


@db.command()
def migrate() -> None:
    """Create the tables, or bring them to this version of catsdogs."""
    from catsdogs.database import setup

    with _database() as database:
        before, after = setup.migrate(database)
    if before == after:
        print(f"version   {after}: up to date already")
    else:
        print(f"version   {before or 'none'} -> {after}: migrated")


@db.command()
def requeue() -> None:
    """Store the records again that were set aside. Exit code 1 if one could not be stored.

    They are in data/spool/damaged: PostgreSQL refused them, or they could not be read. Run this once that is mended.
    """
    from catsdogs.records import set_aside
    from catsdogs.records.replay import SpoolReplayer
    from catsdogs.records.spool import Spool

    with _database() as database:
        spool = Spool.from_settings(database.settings)
        returned, unreadable = set_aside.requeue(spool)
        print(f"requeued  {returned}")
        database.start()
        print(f"stored    {SpoolReplayer(database, spool).replay()}, with those that waited besides")
        refused = set_aside.count(spool) - unreadable
    if unreadable or refused:
        print(f"set aside {refused} refused again (see the log), {unreadable} that cannot be read, in {spool.damaged}")
        raise typer.Exit(1)
