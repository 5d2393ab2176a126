"""``catsdogs data``: download of photos to train on, and demonstration data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import typer

from catsdogs.cli.app import app
from catsdogs.i18n import counted
from catsdogs.settings import Settings

data = typer.Typer(help="Photos to train on, and demonstration data.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def fetch(
    url: str | None = typer.Option(None, help="Another address of the same archive; its checksum is verified."),
) -> None:
    """Download Microsoft's 25,000 photos of cats and dogs (787 MB) into the data folder, and unzip them.

    For research and education; the photos remain their owners'. Photos that are there already are not downloaded
    again, and an interrupted download is resumed. Then: catsdogs train FOLDER
    """
    from catsdogs.cli.progress import progress_bars
    from catsdogs.training.download import PETIMAGES
    from catsdogs.training.download import fetch as run

    settings = Settings.load()
    settings.create_data_dir()
    with progress_bars(is_resumed=True) as update:
        photos = run(settings.data_dir, replace(PETIMAGES, url=url) if url else PETIMAGES, update)
    print(photos)


@data.command()
def demo(
    remove: bool = typer.Option(False, "--remove", help="Remove all demonstration data, and nothing else."),
    mixed: bool = typer.Option(False, "--mixed", help="Add it to a database that holds predictions of people, too."),
    seed: int = typer.Option(0, help="Another seed makes another history."),
) -> None:
    """Fill the database with made-up predictions of 60 days, with incidents and feedback.

    They are marked: dashboard and report say that they show demonstration data, and --remove removes exactly that,
    with roll-ups and alerts. A second time, the history is replaced by one that ends now.
    """
    from catsdogs.database import Database, setup
    from catsdogs.demo import storage

    database = Database(Settings.load())
    try:
        setup.ensure(database)
        if remove:
            print(f"removed   {counted(storage.remove(database), 'prediction')}")
            return
        added = storage.fill(database, datetime.now(UTC), seed=seed, mixed=mixed)
        predictions = counted(added, "prediction")
        print(f"added     {predictions} of {storage.DAYS} days; `catsdogs data demo --remove` removes them")
    finally:
        database.close()
