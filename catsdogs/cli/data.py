"""``catsdogs data``: download of photos to train on."""

from __future__ import annotations

from dataclasses import replace

import typer

from catsdogs.cli.app import app
from catsdogs.settings import Settings

data = typer.Typer(help="Photos to train on.", no_args_is_help=True)
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
    with progress_bars() as update:
        photos = run(settings.data_dir, replace(PETIMAGES, url=url) if url else PETIMAGES, update)
    print(photos)
