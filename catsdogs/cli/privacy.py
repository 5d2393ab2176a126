"""``catsdogs privacy``: a person's rights by receipt code, the purge of old personal data, and the texts about both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from catsdogs.cli.app import app
from catsdogs.domain import PurposeName
from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES, Translator
from catsdogs.records.consent_notice import notice as notice_paragraphs
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.database import Database
    from catsdogs.records.spool import Spool

privacy = typer.Typer(
    help="Rights by receipt code, the purge of old personal data, the privacy notice and the record of processing.",
    no_args_is_help=True,
)
app.add_typer(privacy, name="privacy")

LANGUAGE = typer.Option("", "--lang", help="Language: en or fr; default: CATSDOGS_LANG.")
RECEIPT = typer.Argument(help="The code shown once, when consent was given.", show_default=False)


@contextmanager
def _records(settings: Settings) -> Iterator[tuple[Database, Spool]]:
    from catsdogs.database import Database, setup
    from catsdogs.records.spool import Spool

    database = Database(settings)
    try:
        setup.ensure(database)
        yield database, Spool.from_settings(settings)
    finally:
        database.close()


@privacy.command()
def export(receipt: str = RECEIPT) -> None:
    """Print everything that is stored under a receipt code, as JSON; photos are JPEG in base64."""
    from catsdogs.records.data_subject_rights import export

    with _records(Settings.load()) as (database, spool):
        print(json.dumps(export(database, spool, receipt), indent=2, ensure_ascii=False))


@privacy.command()
def withdraw(
    receipt: str = RECEIPT,
    purpose: PurposeName = typer.Option(None, help="Purpose to withdraw consent to; default: all purposes."),
) -> None:
    """Withdraw consent to one purpose, or all, and remove what was kept for it."""
    from catsdogs.records.data_subject_rights import withdraw

    with _records(Settings.load()) as (database, spool):
        removed = withdraw(database, spool, receipt, purpose)
    print(f"withdrawn: predictions {len(removed.predictions)}, photos {removed.photos}, waiting {removed.waiting}")


@privacy.command()
def erase(receipt: str = RECEIPT) -> None:
    """Erase everything that is stored under a receipt code, at once and permanently."""
    from catsdogs.records.data_subject_rights import erase

    with _records(Settings.load()) as (database, spool):
        removed = erase(database, spool, receipt)
    print(f"erased: predictions {len(removed.predictions)}, photos {removed.photos}")


@privacy.command()
def purge() -> None:
    """Remove personal data that is older than CATSDOGS_RETENTION_DAYS; the figures stay."""
    from catsdogs.records.data_subject_rights import purge

    settings = Settings.load()
    with _records(settings) as (database, spool):
        removed = purge(database, spool, settings.retention_days)
    print(f"purged: predictions {len(removed.predictions)}, photos {removed.photos}, waiting {removed.waiting}")


@privacy.command()
def notice(lang: str = LANGUAGE) -> None:
    """Print the privacy notice that the app shows, with controller and contact from the settings."""
    settings = Settings.load()
    print("\n\n".join(notice_paragraphs(_translator(lang or settings.lang), settings.data_controller)))


@privacy.command()
def record(lang: str = LANGUAGE) -> None:
    """Print the record of processing activities (Article 30 GDPR), as Markdown."""
    from catsdogs.records.processing_register import write_register

    settings = Settings.load()
    print(write_register(_translator(lang or settings.lang), settings.data_controller))


def _translator(language: str) -> Translator:
    if language not in LANGUAGES:
        raise InvalidInput("The language must be one of {languages}.", languages=", ".join(LANGUAGES))
    return Translator(language)
